package import Tensors

/// The position-wise feed-forward network with its residual and norm:
/// x = LayerNorm(dropout(W₂ · dropout(SiLU(W₁ · y + b₁)) + b₂) + y).
package struct FeedForward: Sendable {
    private let inner: Linear
    private let innerBias: Parameter
    private let outer: Linear
    private let outerBias: Parameter
    private let norm: ResidualNorm
    private let place: DropoutPlace
    private let size, innerSize: Int

    package init(
        _ name: String, normName: String, size: Int, innerSize: Int, layer: Int, epsilon: Float,
        in layout: inout ParameterLayout
    ) {
        inner = Linear(name + ".inner.weight", from: size, to: innerSize, in: &layout)
        innerBias = layout.vector(name + ".inner.bias", innerSize, .zeros)
        outer = Linear(name + ".outer.weight", from: innerSize, to: size, in: &layout)
        outerBias = layout.vector(name + ".outer.bias", size, .zeros)
        norm = ResidualNorm(normName, size, epsilon: epsilon, dropoutAt: .outer(layer: layer), in: &layout)
        place = .inner(layer: layer)
        (self.size, self.innerSize) = (size, innerSize)
    }

    /// What the forward pass stores for the backward pass.
    package struct Activations {
        /// W₁ · y, and dropout(SiLU(W₁ · y + b₁)): [N, 4D].
        let inner, activated: Tensor
        let norm: ResidualNorm.Activations
        /// x [N, D].
        package var output: Tensor { norm.output }
    }

    /// Memory for passes over at most `tokens` events.
    package func activations(tokens: Int, output: Tensor? = nil, on backend: any Backend) -> Activations {
        Activations(
            inner: backend.tensor(tokens, innerSize), activated: backend.tensor(tokens, innerSize),
            norm: ResidualNorm.Activations(tokens: tokens, size: size, output: output, on: backend))
    }

    /// Computes x, ``Activations/output``, from y [N, D].
    package func forward(_ y: Tensor, _ activations: Activations, _ pass: Pass) {
        let hidden = activations.inner.prefix(pass.tokens)
        let activated = activations.activated.prefix(pass.tokens)
        inner.forward(y, into: hidden, pass)
        pass.backend.activate(
            hidden, bias: pass.weights[innerBias], dropout: pass.dropout(at: place), output: activated)
        outer.forward(activated, into: activations.norm.input.prefix(pass.tokens), pass)
        norm.forward(activations.norm, bias: outerBias, residual: y, pass)
    }

    /// Writes the gradient of y, given that of x; adds those of the parameters. `scratch` is [N, D] and [N, 4D].
    package func backward(
        _ xGradient: Tensor, input y: Tensor, into yGradient: Tensor, _ activations: Activations,
        scratch: (branch: Tensor, inner: Tensor), _ pass: Pass, _ gradients: Parameters
    ) {
        norm.backward(
            xGradient, activations.norm, bias: outerBias, into: scratch.branch, residual: yGradient, pass, gradients)
        outer.backward(
            scratch.branch, input: activations.activated.prefix(pass.tokens), into: scratch.inner, accumulate: false,
            pass, gradients)
        pass.backend.activateBackward(
            scratch.inner, input: activations.inner.prefix(pass.tokens), bias: pass.weights[innerBias],
            dropout: pass.dropout(at: place), inputGradient: scratch.inner, biasGradient: gradients[innerBias])
        inner.backward(scratch.inner, input: y, into: yGradient, accumulate: true, pass, gradients)
    }
}
