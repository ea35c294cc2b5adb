import Operations
import ReferenceBackend
import Tensors

extension OperationCase {
    /// What the call leaves on this backend; `rounded` numbers are those of bfloat16.
    func run(on backend: any Backend, rounded: Bool = false) -> Outcome {
        let arguments = Arguments(backend, seed: seed, rounded: rounded)
        prepare(arguments)()
        return arguments.outcome()
    }
}

/// Where a candidate and the oracle part.
struct Discrepancy: CustomStringConvertible {
    let backend: String
    let operation: Operation
    let caseName: String
    let detail: String

    var description: String { "\(backend), \(operation.rawValue) [\(caseName)]: \(detail)" }
}

/// What a comparison found.
struct Comparison {
    var discrepancies: [Discrepancy] = []
    /// The largest error as a fraction of the tolerance.
    var worst = 0.0
}

/// Runs the cases on the oracle once (which must not do damage either) and on every candidate, with the same numbers, and compares what comes out.
/// `rounded` numbers are those of bfloat16.
func compare(
    _ candidates: [any Backend], to oracle: ReferenceBackend, on cases: [OperationCase], rounded: Bool = false
) -> Comparison {
    var comparison = Comparison()
    for each in cases {
        let expected = each.run(on: oracle, rounded: rounded)
        comparison.discrepancies += expected.damage.map {
            Discrepancy(backend: oracle.name, operation: each.operation, caseName: each.name, detail: $0)
        }
        for candidate in candidates {
            let actual = each.run(on: candidate, rounded: rounded)
            var details = actual.damage
            for (own, right) in zip(actual.results, expected.results) {
                let error = largestError(own, right)
                let tolerance = right.exact ? 0 : each.operation.tolerance
                if tolerance > 0 { comparison.worst = max(comparison.worst, error.size / tolerance) }
                if error.size > tolerance {
                    details.append("\(right.name)\(error.place), tolerance \(tolerance)")
                }
            }
            if actual.results.count != expected.results.count { details.append("not as many results") }
            comparison.discrepancies += details.map {
                Discrepancy(backend: candidate.name, operation: each.operation, caseName: each.name, detail: $0)
            }
        }
    }
    return comparison
}

/// Largest |own − right| / (|right| + root mean square of right), and where it is.
///
/// What the oracle left unwritten must be unwritten; anything else must be a number.
private func largestError(_ own: OperationResult, _ right: OperationResult) -> (size: Double, place: String) {
    guard own.name == right.name, own.values.count == right.values.count else { return (.infinity, ": other sizes") }
    if haveSameBits(own.values, right.values) { return (0, "") }
    var (squares, finite) = (0.0, 0)
    for value in right.values where value.isFinite {
        squares += Double(value) * Double(value)
        finite += 1
    }
    let scale = max((squares / Double(max(1, finite))).squareRoot(), Double(right.floor), 1e-30)
    var worst = (size: 0.0, place: "")
    for i in right.values.indices where own.values[i].bitPattern != right.values[i].bitPattern {
        let (x, y) = (Double(own.values[i]), Double(right.values[i]))
        let error = x.isFinite && y.isFinite ? abs(x - y) / (abs(y) + scale) : .infinity
        if error > worst.size { worst = (error, "[\(i)] is \(x), not \(y): error \(error)") }
    }
    return worst
}
