import Tensors

/// Elementwise operations and reductions over all elements.
package struct Elementwise: Sendable {
    var operation: Operation
    var rows, columns: Int
    var sourceGap = 0, targetGap = 0

    /// Sets all elements of a vector.
    package static func fill(_ count: Int) -> OperationCase {
        Elementwise(operation: .fill, rows: 1, columns: count).operationCase
    }

    private var flops: Int {
        switch operation {
        case .add: rows * columns
        case .squaredNorm: 2 * rows * columns
        default: 0
        }
    }

    var operationCase: OperationCase {
        OperationCase(operation, "\(self)", flops: flops) { [self] arguments in
            func source() -> Tensor { arguments.input("source", rows, columns, gap: sourceGap) }
            switch operation {
            case .fill:
                let target = arguments.output("filled", rows, columns, gap: targetGap)
                return { arguments.backend.fill(target, with: 0.3) }
            case .copy:
                let (source, target) = (source(), arguments.output("copy", rows, columns, gap: targetGap))
                return { arguments.backend.copy(source, to: target) }
            case .add:
                let (source, target) = (source(), arguments.accumulated("sum", rows, columns, gap: targetGap))
                return { arguments.backend.add(source, to: target) }
            case .clearNegatives:
                let target = arguments.accumulated("cleared", rows, columns, gap: targetGap)
                return { arguments.backend.clearNegatives(of: target) }
            default:
                let source = source()
                return { arguments.report("norm", arguments.backend.squaredNorm(source)) }
            }
        }
    }

    static func cases(of operation: Operation) -> [OperationCase] {
        shapes().map { shape in
            Elementwise(
                operation: operation, rows: shape.rows, columns: shape.columns, sourceGap: shape.has(0) ? 3 : 0,
                targetGap: shape.has(1) ? 8 : 0
            ).operationCase
        }
    }
}
