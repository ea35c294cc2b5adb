import CPUBackend
import Tensors

/// A weight without bias and its gradient.
struct Linear {
    /// [out, in].
    let weight, gradient: Tensor

    init(_ inputSize: Int, _ outputSize: Int, _ memory: BenchMemory) {
        weight = memory.tensor(outputSize, inputSize, scale: 1 / Float(inputSize).squareRoot())
        gradient = memory.zeros(outputSize, inputSize)
    }

    /// output = input · weightᵀ.
    func forward(_ input: Tensor, into output: Tensor, _ backend: CPUBackend) {
        backend.multiply(input, transposed: false, weight, transposed: true, into: output, accumulate: false)
    }

    /// Adds to the weight's gradient; writes the input's, or adds to it.
    func backward(
        _ outputGradient: Tensor, input: Tensor, into inputGradient: Tensor, accumulate: Bool, _ backend: CPUBackend
    ) {
        backend.multiply(outputGradient, transposed: true, input, transposed: false, into: gradient, accumulate: true)
        backend.multiply(
            outputGradient, transposed: false, weight, transposed: false, into: inputGradient, accumulate: accumulate)
    }
}
