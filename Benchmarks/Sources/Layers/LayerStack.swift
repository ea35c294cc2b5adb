import CPUBackend
import Tensors

/// How a layer lets events see earlier ones: a recurrence or attention.
protocol Mixer {
    /// output [N, D] from input [N, D].
    func forward(_ input: Tensor, into output: Tensor)
    /// Adds the input's gradient to `inputGradient` and the weights' to their own; after `forward` with the same input.
    func backward(_ outputGradient: Tensor, input: Tensor, addingTo inputGradient: Tensor)
}

/// Layers of width D, each Y = norm(mixer(X) + X), then norm(W₂ · SiLU(W₁ · Y + b₁) + b₂ + Y): what surrounds the
/// recurrence in RecBLR and, as well, attention in a transformer. Nothing is dropped.
final class LayerStack {
    private let layers: [Layer]
    private let scratch: Scratch?
    private let memory: BenchMemory

    /// `makeMixer` is called for each layer, or once where nothing is trained: then all layers are one and share its memory.
    init(
        rows: Int, width: Int, layers count: Int, training: Bool, memory: BenchMemory, makeMixer: () -> any Mixer
    ) {
        self.memory = memory
        let distinct = (0..<(training ? count : 1)).map { _ in Layer(makeMixer(), rows, width, memory) }
        layers = training ? distinct : Array(repeating: distinct[0], count: count)
        scratch = training ? Scratch(rows, width, memory) : nil
    }

    /// The last layer's output; valid until the next call.
    func forward(_ input: Tensor) -> Tensor {
        layers.reduce(input) { x, layer in layer.forward(x, memory.backend) }
    }

    /// From the gradient of the last output to that of the input, in place. After `forward` with the same input.
    func backward(_ gradient: Tensor, input: Tensor) {
        for index in layers.indices.reversed() {
            let x = index > 0 ? layers[index - 1].output : input
            layers[index].backward(gradient, input: x, scratch!, memory.backend)
        }
    }

    /// Gradients of the feed-forward networks' weights, for tests.
    var weightGradients: [Tensor] { layers.flatMap { [$0.inner.gradient, $0.outer.gradient] } }

    struct Scratch {
        let middle, branch, inner: Tensor

        init(_ rows: Int, _ width: Int, _ memory: BenchMemory) {
            (middle, branch) = (memory.zeros(rows, width), memory.zeros(rows, width))
            inner = memory.zeros(rows, 4 * width)
        }
    }
}

private struct Layer {
    let mixer: any Mixer
    let inner, outer: Linear
    let innerBias, innerBiasGradient, outerBias, outerBiasGradient: Tensor
    let mixed, fed: Norm
    let activation, activated: Tensor
    var output: Tensor { fed.output }

    init(_ mixer: any Mixer, _ rows: Int, _ width: Int, _ memory: BenchMemory) {
        self.mixer = mixer
        (inner, outer) = (Linear(width, 4 * width, memory), Linear(4 * width, width, memory))
        (innerBias, innerBiasGradient) = (memory.tensor(1, 4 * width), memory.zeros(1, 4 * width))
        (outerBias, outerBiasGradient) = (memory.tensor(1, width), memory.zeros(1, width))
        (mixed, fed) = (Norm(rows, width, memory), Norm(rows, width, memory))
        (activation, activated) = (memory.zeros(rows, 4 * width), memory.zeros(rows, 4 * width))
    }

    func forward(_ x: Tensor, _ backend: CPUBackend) -> Tensor {
        mixer.forward(x, into: mixed.normalized)
        mixed.forward(bias: nil, residual: x, backend)
        inner.forward(mixed.output, into: activation, backend)
        backend.activate(activation, bias: innerBias, dropout: nil, output: activated)
        outer.forward(activated, into: fed.normalized, backend)
        fed.forward(bias: outerBias, residual: mixed.output, backend)
        return output
    }

    func backward(_ stream: Tensor, input x: Tensor, _ scratch: LayerStack.Scratch, _ backend: CPUBackend) {
        fed.backward(stream, scratch.branch, residual: scratch.middle, bias: outerBiasGradient, backend)
        outer.backward(scratch.branch, input: activated, into: scratch.inner, accumulate: false, backend)
        backend.activateBackward(
            scratch.inner, input: activation, bias: innerBias, dropout: nil, inputGradient: scratch.inner,
            biasGradient: innerBiasGradient)
        inner.backward(scratch.inner, input: mixed.output, into: scratch.middle, accumulate: true, backend)
        mixed.backward(scratch.middle, scratch.branch, residual: stream, bias: nil, backend)
        mixer.backward(scratch.branch, input: x, addingTo: stream)
    }
}

private struct Norm {
    let parameters, gradients: NormParameters
    let normalized, rstd, output: Tensor

    init(_ rows: Int, _ width: Int, _ memory: BenchMemory) {
        func pair() -> NormParameters {
            NormParameters(scale: memory.zeros(1, width), shift: memory.zeros(1, width), epsilon: 1e-12)
        }
        (parameters, gradients) = (pair(), pair())
        memory.backend.fill(parameters.scale, with: 1)
        (normalized, output) = (memory.zeros(rows, width), memory.zeros(rows, width))
        rstd = memory.zeros(1, rows)
    }

    func forward(bias: Tensor?, residual: Tensor, _ backend: CPUBackend) {
        backend.residualNorm(
            normalized, bias: bias, residual: residual, dropout: nil, parameters: parameters, rstd: rstd,
            output: output)
    }

    func backward(_ gradient: Tensor, _ input: Tensor, residual: Tensor, bias: Tensor?, _ backend: CPUBackend) {
        backend.residualNormBackward(
            gradient, normalized: normalized, rstd: rstd, dropout: nil, parameters: parameters,
            inputGradient: input, residualGradient: residual, biasGradient: bias, parameterGradients: gradients)
    }
}
