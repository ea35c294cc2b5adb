import Tensors

/// Bias, SiLU and dropout, forward and backward.
package struct Activation: Sendable {
    var rows, columns: Int
    var hasBias = true
    var dropoutRate: Float?
    /// Whether the input and its gradient are a half of wider tensors.
    var isStrided = false
    /// Whether the input's gradient takes the place of the output's.
    var inPlace = false
    /// Inputs lie in ± this.
    var size: Float = 3

    /// With bias and dropout.
    package init(rows: Int, columns: Int, dropoutRate: Float) {
        (self.rows, self.columns, self.dropoutRate) = (rows, columns, dropoutRate)
    }

    init(_ shape: Shape) {
        (rows, columns) = (shape.rows, shape.columns)
        (hasBias, isStrided, inPlace) = (shape.has(1), shape.has(2), shape.has(3))
        dropoutRate = shape.has(0) ? dropoutRates[shape.options % 3] : nil
        size = shape.has(4) ? 100 : 3
    }

    /// Bias, SiLU, dropout.
    private static let forwardFlops = 1 + Flops.silu + 1
    /// Bias, gradient of SiLU, dropout, sum for the bias.
    private static let backwardFlops = 1 + Flops.siluBackward + 1 + 1

    package var forward: OperationCase {
        OperationCase(.activate, "\(self)", flops: rows * columns * Self.forwardFlops) { [self] arguments in
            let (input, bias, dropout) = inputs(arguments)
            let output = arguments.output("output", rows, columns)
            return { arguments.backend.activate(input, bias: bias, dropout: dropout, output: output) }
        }
    }

    package var backward: OperationCase {
        OperationCase(.activateBackward, "\(self)", flops: rows * columns * Self.backwardFlops) { [self] arguments in
            let (input, bias, dropout) = inputs(arguments)
            var outputGradient, inputGradient: Tensor
            if inPlace {
                inputGradient = arguments.replaced(
                    "gradient of output", by: "gradient of input", rows, columns, gap: gap)
                outputGradient = inputGradient
            } else {
                outputGradient = arguments.input("gradient of output", rows, columns)
                inputGradient = arguments.output("gradient of input", rows, columns, gap: gap)
            }
            let biasGradient = hasBias ? arguments.accumulated("gradient of bias", 1, columns, floor: 1) : nil
            return {
                arguments.backend.activateBackward(
                    outputGradient, input: input, bias: bias, dropout: dropout, inputGradient: inputGradient,
                    biasGradient: biasGradient)
            }
        }
    }

    private var gap: Int { isStrided ? columns : 0 }

    private func inputs(_ arguments: Arguments) -> (Tensor, bias: Tensor?, Dropout?) {
        (
            arguments.input("input", rows, columns, gap: gap, in: -size...size),
            hasBias ? arguments.input("bias", 1, columns) : nil, arguments.dropout(dropoutRate, rows: rows)
        )
    }

    static let cases = shapes().map { Activation($0) }

    static let differentiableCases: [DifferentiableCase] = combinations(4).map { options in
        var activation = Activation(rows: 5, columns: 7, dropoutRate: 0.3)
        (activation.hasBias, activation.isStrided, activation.inPlace) = (options[0], options[2], options[3])
        if !options[1] { activation.dropoutRate = nil }
        return DifferentiableCase(forward: activation.forward, backward: activation.backward, tolerance: 3e-5)
    }
}
