package import Tensors

/// y = LayerNorm(dropout(x + bias) + residual) (Ba et al. 2016).
package struct ResidualNorm: Sendable {
    private let scale, shift: Parameter
    private let epsilon: Float
    private let place: DropoutPlace

    package init(
        _ name: String, _ size: Int, epsilon: Float, dropoutAt place: DropoutPlace, in layout: inout ParameterLayout
    ) {
        scale = layout.vector(name + ".scale", size, .ones)
        shift = layout.vector(name + ".shift", size, .zeros)
        (self.epsilon, self.place) = (epsilon, place)
    }

    /// What the forward pass stores for the backward pass.
    package struct Activations {
        /// [N, D]: x, written by the caller; the forward pass overwrites it with the normalised rows.
        package let input: Tensor
        /// Reciprocal standard deviation of each row: [1, N].
        let rstd: Tensor
        /// y [N, D].
        package let output: Tensor

        package init(tokens: Int, size: Int, output: Tensor? = nil, on backend: any Backend) {
            input = backend.tensor(tokens, size)
            rstd = backend.tensor(1, tokens)
            self.output = output ?? backend.tensor(tokens, size)
        }

        /// The first `tokens` rows.
        func prefix(_ tokens: Int) -> (input: Tensor, output: Tensor) {
            (input.prefix(tokens), output.prefix(tokens))
        }
    }

    /// Computes `activations.output` from `activations.input`. `residual` is [N, D], `bias` [D].
    package func forward(
        _ activations: Activations, bias: Parameter? = nil, residual: Tensor?, _ pass: Pass
    ) {
        let (input, output) = activations.prefix(pass.tokens)
        pass.backend.residualNorm(
            input, bias: bias.map { pass.weights[$0] }, residual: residual, dropout: pass.dropout(at: place),
            parameters: parameters(pass.weights), rstd: activations.rstd, output: output)
    }

    /// Writes the gradient of x and, where given, that of the residual; adds those of the parameters.
    package func backward(
        _ yGradient: Tensor, _ activations: Activations, bias: Parameter? = nil, into xGradient: Tensor,
        residual: Tensor?, _ pass: Pass, _ gradients: Parameters
    ) {
        pass.backend.residualNormBackward(
            yGradient, normalized: activations.input.prefix(pass.tokens), rstd: activations.rstd,
            dropout: pass.dropout(at: place), parameters: parameters(pass.weights), inputGradient: xGradient,
            residualGradient: residual, biasGradient: bias.map { gradients[$0] },
            parameterGradients: parameters(gradients))
    }

    private func parameters(_ values: Parameters) -> NormParameters {
        NormParameters(scale: values[scale], shift: values[shift], epsilon: epsilon)
    }
}
