import Tensors

/// output [m, n] = op(a) [m, k] · op(b) [k, n].
package struct Multiply: Sendable {
    var m, k, n: Int
    var aTransposed = false, bTransposed = false, accumulate = false
    var gap = 0

    /// output [rows, outputSize] = input · weightᵀ.
    package static func linear(rows: Int, _ inputSize: Int, _ outputSize: Int) -> OperationCase {
        Multiply(m: rows, k: inputSize, n: outputSize, bTransposed: true).operation
    }
    /// The gradient of its weight, which is added to: output gradientᵀ · input.
    package static func linearWeightGradient(rows: Int, _ inputSize: Int, _ outputSize: Int) -> OperationCase {
        Multiply(m: outputSize, k: rows, n: inputSize, aTransposed: true, accumulate: true).operation
    }
    /// The gradient of its input: output gradient · weight.
    package static func linearInputGradient(
        rows: Int, _ inputSize: Int, _ outputSize: Int, accumulate: Bool
    ) -> OperationCase {
        Multiply(m: rows, k: outputSize, n: inputSize, accumulate: accumulate).operation
    }

    var operation: OperationCase {
        OperationCase(.multiply, "\(self)", flops: 2 * m * k * n) { [self] arguments in
            let a = aTransposed ? arguments.input("a", k, m, gap: gap) : arguments.input("a", m, k, gap: gap)
            let b = bTransposed ? arguments.input("b", n, k, gap: gap) : arguments.input("b", k, n, gap: gap)
            let output =
                accumulate
                ? arguments.accumulated("product", m, n, gap: gap) : arguments.output("product", m, n, gap: gap)
            return {
                arguments.backend.multiply(
                    a, transposed: aTransposed, b, transposed: bTransposed, into: output, accumulate: accumulate)
            }
        }
    }

    /// Every kind of transposition, gaps between rows, adding or overwriting, one row, one column, no row.
    static let cases: [OperationCase] = {
        let sizes = [
            (1, 1, 1), (1, 64, 101), (2, 3, 5), (7, 17, 1), (16, 16, 16), (17, 33, 31), (64, 8, 65), (3, 200, 100),
            (1, 256, 128), (5, 1000, 3), (127, 1, 33), (63, 64, 64), (100, 515, 66),
        ]
        let withRows = sizes.flatMap { m, k, n in
            combinations(3).flatMap { options in
                [0, 5].map { gap in
                    Multiply(
                        m: m, k: k, n: n, aTransposed: options[0], bTransposed: options[1], accumulate: options[2],
                        gap: gap)
                }
            }
        }
        let withoutRows = [true, false].map { Multiply(m: 3, k: 0, n: 5, aTransposed: true, accumulate: $0) }
        return (withRows + withoutRows).map(\.operation)
    }()
}
