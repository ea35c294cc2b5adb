import Tensors

/// A step of the optimiser, over all weights or over parts of them.
package struct Adam: Sendable {
    var rows, columns: Int
    var number = 1
    var learningRate: Float = 1e-2, gradientScale: Float = 1, weightDecay: Float = 0
    /// Whether some of the weights do not decay.
    var decaysSome = false
    /// Three parts with gaps, outside which the gradient is zero; the gradient's norm is limited.
    var inParts = false
    var largestNorm: Float?

    /// An update of many weights, which hardly change.
    package static func step(_ count: Int) -> OperationCase {
        Adam(rows: 1, columns: count, learningRate: 1e-6).operation
    }

    private var count: Int { rows * columns }

    var operation: OperationCase {
        // Two moments 6; corrections, root, ratio, difference 6.
        OperationCase(.adam, "\(self)", flops: 12 * count) { [self] arguments in
            let weights = arguments.replaced("weights", rows, columns)
            let ranges = [0..<count / 3, count / 3..<count / 2, count / 2 + 1..<count].filter { !$0.isEmpty }
            let gradient =
                inParts ? gradient(arguments, in: ranges) : arguments.input("gradient", rows, columns, in: -3...3)
            let (first, second) = (
                arguments.replaced("first moment", rows, columns),
                arguments.replaced("second moment", rows, columns, in: 0...1)
            )
            let step = AdamStep(
                number: number, learningRate: learningRate, gradientScale: gradientScale, weightDecay: weightDecay,
                decayedCount: decaysSome ? arguments.integer(in: 0...count) : .max)
            return {
                if inParts {
                    arguments.backend.adam(
                        weights, gradient: gradient, firstMoment: first, secondMoment: second, step: step,
                        largestNorm: largestNorm, clearing: ranges)
                } else {
                    arguments.backend.adam(
                        weights, gradient: gradient, firstMoment: first, secondMoment: second, step: step)
                }
            }
        }
    }

    private func gradient(_ arguments: Arguments, in ranges: [Range<Int>]) -> Tensor {
        var values = arguments.numbers(count, in: -3...3)
        for i in values.indices where !ranges.contains(where: { $0.contains(i) }) { values[i] = 0 }
        return arguments.replaced("gradient", rows, columns, values: values)
    }

    static let cases: [OperationCase] =
        shapes().map { shape in
            Adam(
                rows: shape.rows, columns: shape.columns, number: [1, 2, 1000][shape.options % 3],
                gradientScale: shape.has(0) ? 0.25 : 1, weightDecay: shape.has(1) ? 0.5 : 0, decaysSome: shape.has(2)
            ).operation
        }
        + shapes().filter { $0.rows * $0.columns > 2 }.map { shape in
            // Norms below the limit and above.
            Adam(
                rows: 1, columns: shape.rows * shape.columns, number: 3, weightDecay: shape.has(2) ? 0.5 : 0,
                decaysSome: shape.has(3), inParts: true, largestNorm: shape.has(0) ? 2 : shape.has(1) ? 1e4 : nil
            ).operation
        }
}
