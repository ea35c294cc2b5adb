import Tensors

/// The rank of a target among all table rows, and the best rows.
package struct Ranking: Sendable {
    var rows, columns, tableRows: Int
    /// Hidden vectors and table are whole numbers up to this, so that scores are exact; 1 makes most of them tie.
    var bound: Int
    /// Number of best rows.
    var k = 0
    /// A table row whose score is NaN.
    var notANumber: Int?

    private var hasBias: Bool { bound != 1 && notANumber == nil }
    private var flops: Int { 2 * rows * columns * tableRows }

    var rank: OperationCase {
        OperationCase(.rank, "\(self)", flops: flops) { [self] arguments in
            let (hidden, table, bias) = inputs(arguments)
            let targets = arguments.rowNumbers(rows, below: tableRows)
            let seen = targets.indices.map { n in  // the target is sometimes among them
                let others = arguments.rowNumbers(n % 20, below: tableRows) + (n % 2 == 0 ? [targets[n]] : [])
                return Set(others + (notANumber.map { [Int32($0)] } ?? [])).sorted()
            }
            let targetRows = arguments.indices("targets", targets)
            return {
                let counts = arguments.backend.rank(hidden, table: table, targets: targetRows, bias: bias, seen: seen)
                arguments.report("all", exactly: counts?.map { Int($0.all) } ?? [-1])
                arguments.report("masked", exactly: counts?.map { Int($0.masked) } ?? [-1])
            }
        }
    }

    var topK: OperationCase {
        OperationCase(.topK, "\(self)", flops: flops) { [self] arguments in
            let (hidden, table, bias) = inputs(arguments)
            let candidates: [Candidates] = (0..<rows).map { n in
                let some = arguments.rowNumbers(n % 7, below: tableRows)
                switch n % 3 {
                case 0: return .allExcept(some)
                case 1: return .only(Set(some).sorted(by: >))
                default: return .allExcept([])
                }
            }
            return {
                let lists = arguments.backend.topK(hidden, table: table, bias: bias, k: k, candidates: candidates)
                arguments.report("lengths", exactly: lists.map(\.count))
                arguments.report("rows", exactly: lists.joined().map { Int($0.row) })
                arguments.report("scores", exactly: lists.joined().map { Int($0.score) })
            }
        }
    }

    var bestRows: OperationCase {
        OperationCase(.bestRows, "\(self)", flops: flops) { [self] arguments in
            let (hidden, table, bias) = inputs(arguments)
            let shared = RowSet(rowCount: tableRows, arguments.rowNumbers(tableRows, below: tableRows))
            let choices = (0..<rows).map { n in
                let some = arguments.rowNumbers(n % 7, below: tableRows)
                let candidates: Candidates =
                    switch n % 4 {
                    case 0: .allExcept(some)
                    case 1: .within(shared, except: some)
                    case 2: .only(Set(some).sorted(by: >))
                    default: .within(RowSet(rowCount: tableRows, some), except: Array(some.prefix(1)))
                    }
                return RowChoice(n % 5 == 4 ? k / 2 : k, of: candidates)
            }
            return {
                let lists = arguments.backend.ranked(table).best(hidden, bias: bias, choices: choices)
                arguments.report("lengths", exactly: lists.map(\.count))
                arguments.report("rows", exactly: lists.joined().map { Int($0.row) })
                arguments.report("scores", exactly: lists.joined().map { Int($0.score) })
            }
        }
    }

    private func inputs(_ arguments: Arguments) -> (hidden: Tensor, table: Tensor, SparseBias?) {
        var scores = arguments.wholeNumbers(tableRows * columns, upTo: bound)
        if let notANumber { scores[notANumber * columns + columns / 2] = .nan }
        return (
            arguments.input("hidden", rows, columns, values: arguments.wholeNumbers(rows * columns, upTo: bound)),
            arguments.input("table", tableRows, columns, values: scores),
            // Additions of 0, 8 or -80,000, so that scores stay whole.
            hasBias
                ? arguments.sparseBias(rows: rows, tableRows: tableRows, kinds: 3, values: [0, 4, -40_000]) : nil
        )
    }

    private static let shapes: [(Int, Int, Int)] = [
        (1, 64, 3417), (3, 33, 3417), (66, 1, 1001), (130, 3, 101), (65, 1, 101), (64, 3, 101), (17, 16, 101),
        (2, 100, 101),
        (1, 256, 101), (1, 1, 1), (3, 8, 1), (2, 3, 2), (5, 17, 21), (7, 128, 21),
        (66, 1, 66_000), (5, 2, 131_073),  // several tiles of the table
    ]

    static let rankCases: [OperationCase] =
        shapes.flatMap { rows, columns, tableRows in
            [1, 50].map { Ranking(rows: rows, columns: columns, tableRows: tableRows, bound: $0).rank }
        } + [0, 5, 16, 36].map { Ranking(rows: 2, columns: 3, tableRows: 37, bound: 5, notANumber: $0).rank }

    static let topKCases: [OperationCase] = lists(of: shapes).map(\.topK)

    static let bestRowsCases: [OperationCase] = lists(of: shapes + [(200, 7, 129), (9, 40, 64)]).map(\.bestRows)

    /// Long and short lists, with many ties and with few.
    private static func lists(of shapes: [(Int, Int, Int)]) -> [Ranking] {
        shapes.flatMap { rows, columns, tableRows in
            let choices = [(1, 10), (50, 1), (50, 0), (1, tableRows), (50, tableRows + 5)]
            return choices.filter { rows * $0.1 <= 2000 }.map { bound, k in
                Ranking(rows: rows, columns: columns, tableRows: tableRows, bound: bound, k: k)
            }
        }
    }
}
