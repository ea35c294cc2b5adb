package import Tensors

extension CUDABackend {
    /// There are no kernels for it.
    package var supportsAttention: Bool { false }

    package func attend(
        _ inputs: AttentionInputs, starts: Indices, window: Tensor?, finalWindow: Tensor?, output: Tensor
    ) {
        preconditionFailure("there is no attention on a GPU")
    }

    package func attendBackward(
        _ outputGradient: Tensor, inputs: AttentionInputs, starts: Indices, window: Tensor?,
        finalWindowGradient: Tensor?, gradients: AttentionInputs, windowGradient: Tensor?
    ) {
        preconditionFailure("there is no attention on a GPU")
    }
}
