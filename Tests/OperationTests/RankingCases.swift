import Tensors

/// Tokens, features and table rows of a ranking.
private let rankingShapes: [(Int, Int, Int)] = [
    (1, 64, 3417), (3, 33, 3417), (66, 1, 1001), (130, 3, 101), (65, 1, 101), (64, 3, 101), (17, 16, 101),
    (2, 100, 101),
    (1, 256, 101), (1, 1, 1), (3, 8, 1), (2, 3, 2), (5, 17, 21), (7, 128, 21),
    (66, 1, 66_000), (5, 2, 131_073),  // several tiles of the table
]

extension Bench {
    fileprivate func wholeInput(_ rows: Int, _ columns: Int, upTo bound: Int) -> Tensor {
        input(rows, columns, values: wholeNumbers(rows * columns, upTo: bound))
    }

    /// Additions of 0, 8 or -80,000, so that scores stay whole.
    fileprivate func wholeBias(rows: Int, tableRows: Int) -> SparseBias {
        var bias = sparseBias(rows: rows, tableRows: tableRows, kinds: 3)
        bias.values = input(1, 3, values: [0, 4, -40_000])
        return bias
    }
}

/// Bound 1 makes most scores tie, bound 50 few.
let rankCases: [Case] =
    rankingShapes.flatMap { rows, columns, tableRows in
        [1, 50].map { bound in
            Case(.rank, "\(rows) × \(columns), table \(tableRows), numbers up to \(bound)") { bench in
                let targets = bench.rowNumbers(rows, below: tableRows)
                let seen = targets.indices.map { n in  // the target is sometimes among them
                    let others = bench.rowNumbers(n % 20, below: tableRows) + (n % 2 == 0 ? [targets[n]] : [])
                    return Set(others).sorted()
                }
                let counts = bench.backend.rank(
                    bench.wholeInput(rows, columns, upTo: bound),
                    table: bench.wholeInput(tableRows, columns, upTo: bound),
                    targets: bench.indices(targets),
                    bias: bound == 1 ? nil : bench.wholeBias(rows: rows, tableRows: tableRows), seen: seen)
                bench.report("all", exactly: counts?.map { Int($0.all) } ?? [-1])
                bench.report("masked", exactly: counts?.map { Int($0.masked) } ?? [-1])
            }
        }
    }
    + [0, 5, 16, 36].map { place in
        Case(.rank, "the score of table row \(place) is NaN") { bench in
            var table = bench.wholeNumbers(37 * 3, upTo: 5)
            table[place * 3 + 1] = .nan
            let counts = bench.backend.rank(
                bench.wholeInput(2, 3, upTo: 5), table: bench.input(37, 3, values: table),
                targets: bench.indices([3, 36]), seen: [[], [Int32(place)]])
            bench.report("is nil", exactly: [counts == nil ? 1 : 0])
        }
    }

let topKCases: [Case] = rankingShapes.flatMap { rows, columns, tableRows in
    let choices = [(1, 10), (50, 1), (50, 0), (1, tableRows), (50, tableRows + 5)]
    return choices.filter { rows * $0.1 <= 2000 }.map { bound, k in
        Case(.topK, "\(rows) × \(columns), table \(tableRows), numbers up to \(bound), k \(k)") { bench in
            let candidates: [Candidates] = (0..<rows).map { n in
                let some = bench.rowNumbers(n % 7, below: tableRows)
                switch n % 3 {
                case 0: return .allExcept(some)
                case 1: return .only(Set(some).sorted(by: >))
                default: return .allExcept([])
                }
            }
            let lists = bench.backend.topK(
                bench.wholeInput(rows, columns, upTo: bound), table: bench.wholeInput(tableRows, columns, upTo: bound),
                bias: bound == 1 ? nil : bench.wholeBias(rows: rows, tableRows: tableRows), k: k, candidates: candidates
            )
            bench.report("lengths", exactly: lists.map(\.count))
            bench.report("rows", exactly: lists.joined().map { Int($0.row) })
            bench.report("scores", exactly: lists.joined().map { Int($0.score) })
        }
    }
}
