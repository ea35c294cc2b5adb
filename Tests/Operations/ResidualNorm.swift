import Tensors

/// Dropout, residual and LayerNorm, forward and backward.
package struct ResidualNorm: Sendable {
    var rows, columns: Int
    var hasBias = true, hasResidual = true
    var dropoutRate: Float?
    /// Forward: the output takes the residual's place. Backward: the input's gradient takes the output's.
    var inPlace = false
    var epsilon: Float = 1e-12

    /// With bias, residual and dropout.
    package init(rows: Int, columns: Int, dropoutRate: Float) {
        (self.rows, self.columns, self.dropoutRate) = (rows, columns, dropoutRate)
    }

    init(_ shape: Shape) {
        (rows, columns) = (shape.rows, shape.columns)
        (hasBias, hasResidual, inPlace) = (shape.has(1), shape.has(2), shape.has(3))
        dropoutRate = shape.has(0) ? dropoutRates[shape.options % 3] : nil
    }

    /// Dropout, bias, residual; mean 1, variance 3; normalise 1; scale and shift 2.
    private static let forwardFlops = 3 + 1 + 3 + 1 + 2
    /// Scale; two sums over the row 3; combination 4; three parameter gradients 4; dropout.
    private static let backwardFlops = 1 + 3 + 4 + 4 + 1

    package var forward: OperationCase { forward(equalRows: nil) }

    private func forward(equalRows: [Float]?) -> OperationCase {
        let name = equalRows.map { "\(self), rows of \($0)" } ?? "\(self)"
        return OperationCase(.residualNorm, name, flops: rows * columns * Self.forwardFlops) { [self] arguments in
            let input = arguments.replaced(
                "input", by: "normalized", rows, columns,
                values: equalRows?.flatMap { [Float](repeating: $0, count: columns) })
            var residual, output: Tensor?
            if hasResidual {
                residual =
                    inPlace
                    ? arguments.replaced("residual", by: "output", rows, columns)
                    : arguments.input("residual", rows, columns)
            }
            output = hasResidual && inPlace ? residual : arguments.output("output", rows, columns)
            let bias = hasBias ? arguments.input("bias", 1, columns) : nil
            let (parameters, dropout) = (
                parameters(arguments, needsShift: true), arguments.dropout(dropoutRate, rows: rows)
            )
            let rstd = arguments.output("rstd", 1, rows)
            return {
                arguments.backend.residualNorm(
                    input, bias: bias, residual: residual, dropout: dropout, parameters: parameters,
                    rstd: rstd, output: output!)
            }
        }
    }

    package var backward: OperationCase {
        OperationCase(.residualNormBackward, "\(self)", flops: rows * columns * Self.backwardFlops) {
            [self] arguments in
            let (outputGradient, inputGradient) = outputAndInputGradient(arguments)
            let normalized = arguments.input("normalized", rows, columns, in: -2...2)
            let rstd = arguments.input("rstd", 1, rows, in: 0.5...2)
            let (parameters, dropout) = (
                parameters(arguments, needsShift: false), arguments.dropout(dropoutRate, rows: rows)
            )
            let residual = hasResidual ? arguments.output("gradient of residual", rows, columns, floor: 1) : nil
            let bias = hasBias ? arguments.accumulated("gradient of bias", 1, columns, floor: 1) : nil
            let gradients = NormParameters(
                scale: arguments.accumulated("gradient of scale", 1, columns, floor: 1),
                shift: arguments.accumulated("gradient of shift", 1, columns, floor: 1), epsilon: epsilon)
            return {
                arguments.backend.residualNormBackward(
                    outputGradient, normalized: normalized, rstd: rstd, dropout: dropout,
                    parameters: parameters, inputGradient: inputGradient, residualGradient: residual,
                    biasGradient: bias, parameterGradients: gradients)
            }
        }
    }

    /// In a narrow row the terms cancel: errors are measured against the terms.
    private func outputAndInputGradient(_ arguments: Arguments) -> (Tensor, Tensor) {
        if inPlace {
            let gradient = arguments.replaced("gradient of output", by: "gradient of input", rows, columns, floor: 1)
            return (gradient, gradient)
        }
        return (
            arguments.input("gradient of output", rows, columns),
            arguments.output("gradient of input", rows, columns, floor: 1)
        )
    }

    private func parameters(_ arguments: Arguments, needsShift: Bool) -> NormParameters {
        NormParameters(
            scale: arguments.input("scale", 1, columns, in: 0.5...1.5),
            shift: arguments.input("shift", 1, columns, used: needsShift ? nil : 0), epsilon: epsilon)
    }

    static let cases = shapes().map { ResidualNorm($0) }

    /// The mean of equal numbers that are sums of few powers of two is exact, so that the variance is 0.
    static let equalNumbers: [OperationCase] = widths.map { columns in
        var norm = ResidualNorm(rows: 4, columns: columns, dropoutRate: 0)
        (norm.hasBias, norm.hasResidual, norm.dropoutRate) = (false, false, nil)
        return norm.forward(equalRows: [0, 0.5, -3, 1024])
    }

    static let differentiableCases: [DifferentiableCase] = combinations(4).map { options in
        var norm = ResidualNorm(rows: 4, columns: 5, dropoutRate: 0.3)
        (norm.hasBias, norm.hasResidual, norm.inPlace, norm.epsilon) = (options[0], options[1], options[3], 0.1)
        if !options[2] { norm.dropoutRate = nil }
        return DifferentiableCase(forward: norm.forward, backward: norm.backward, tolerance: 1e-4)
    }
}

/// None, some, many.
let dropoutRates: [Float] = [0, 0.2, 0.5]
