package import Tensors

/// C_t = SiLU(b + Σ_k w_k ⊙ U_{t − (K − 1) + k}): a depthwise convolution over the last K events of a sequence; SiLU alone where K is 0.
package struct CausalConvolution: Sendable {
    private let parameters: (weight: Parameter, bias: Parameter)?
    private let width, channels: Int

    /// Initialised with U(−1/√K, 1/√K), as in PyTorch.
    package init(_ name: String, width: Int, channels: Int, in layout: inout ParameterLayout) {
        (self.width, self.channels) = (width, channels)
        guard width > 0 else {
            parameters = nil
            return
        }
        let initialization = Initialization.uniform(bound: 1 / Double(width).squareRoot())
        parameters = (
            layout.matrix(name + ".weight", width, channels, initialization),
            layout.vector(name + ".bias", channels, initialization)
        )
    }

    /// Floats of the state of one sequence: its last K − 1 inputs, oldest first.
    package var stateWidth: Int { max(0, width - 1) * channels }

    /// `initial` and `final` are [S, (K − 1) · H]: the last inputs before each sequence, zero where nil, and at its end.
    package func forward(_ u: Tensor, into c: Tensor, initial: Tensor?, final: Tensor?, _ pass: Pass) {
        guard let parameters else { return pass.backend.activate(u, bias: nil, dropout: nil, output: c) }
        pass.backend.convolve(
            u, parameters: tensors(parameters, of: pass.weights), starts: pass.starts, window: initial,
            finalWindow: final, output: c)
    }

    /// Writes the gradient of U and, where given, that of `initial`; adds those of the parameters.
    package func backward(
        _ cGradient: Tensor, input u: Tensor, into uGradient: Tensor, initial: Tensor?, finalGradient: Tensor?,
        initialGradient: Tensor?, _ pass: Pass, _ gradients: Parameters
    ) {
        guard let parameters else {
            return pass.backend.activateBackward(
                cGradient, input: u, bias: nil, dropout: nil, inputGradient: uGradient, biasGradient: nil)
        }
        pass.backend.convolveBackward(
            cGradient, input: u, parameters: tensors(parameters, of: pass.weights), starts: pass.starts,
            window: initial, finalWindowGradient: finalGradient, inputGradient: uGradient,
            parameterGradients: tensors(parameters, of: gradients), windowGradient: initialGradient)
    }

    private func tensors(
        _ parameters: (weight: Parameter, bias: Parameter), of values: Parameters
    ) -> ConvolutionParameters {
        ConvolutionParameters(weight: values[parameters.weight], bias: values[parameters.bias])
    }
}
