import CPUBackend
import ReferenceBackend
import Tensors
import Testing

/// The best rows are those of float32 sums in one order, bit for bit: with any other vectors beside, and where a
/// first pass over rounded numbers has left out most of the rows.
@Suite struct RankedTableTests {
    /// Tables that are hard on a bound.
    enum Rows: String, CaseIterable, Sendable {
        case normal, nearTies, duplicates, equal, hugeNorms, tinyNorms, mixedNorms, zeros, rounded, notFinite
    }

    private static let backends = InstructionSet.available.map { CPUBackend(instructionSet: $0) }
    private static let best = CPUBackend()
    private static let isRounding = Precision.bfloat16.isAvailable && InstructionSet.best == .avx512

    private static func values(_ rows: Rows, _ count: Int, _ width: Int, seed: UInt64) -> [Float] {
        var generator = SeededGenerator(seed: seed)
        let noise = (0..<count * width).map { _ in Float(generator.normal()) }
        return noise.indices.map { i in
            let (row, x) = (i / width, noise[i])
            return switch rows {
            case .normal: x
            case .nearTies: noise[i % width] + x * 1e-6
            case .duplicates: noise[i % width + row % 5 * width]
            case .equal: noise[i % width]
            case .hugeNorms: x * 1e18
            case .tinyNorms: x * 1e-22
            case .mixedNorms: x * Float(sign: .plus, exponent: row * 7 % 200 - 100, significand: 1)
            case .zeros: row % 3 == 0 ? x : 0
            case .rounded: Float(bitPattern: x.bitPattern & 0xFFFF_0000)
            case .notFinite: row % 100 == 7 ? [.nan, .infinity, -.infinity, 3e38][row / 100 % 4] : x
            }
        }
    }

    private struct Question {
        let table, hidden: Tensor
        let bias: SparseBias
        let choices: [RowChoice]

        init(_ rows: Rows, tableRows: Int, width: Int, users: Int, seed: UInt64) {
            let backend = RankedTableTests.best
            var generator = SeededGenerator(seed: seed)
            table = backend.tensor(tableRows, width + 3).columns(0..<width)
            let values = RankedTableTests.values(rows, max(5, tableRows), width, seed: seed)
            for row in 0..<tableRows {
                for column in 0..<width { table.base[row * table.stride + column] = values[row * width + column] }
            }
            hidden = backend.tensor(users, width)
            // Some vectors are rows of the table, some are zero.
            backend.upload(RankedTableTests.values(.normal, users, width, seed: seed + 1), to: hidden)
            for n in stride(from: 0, to: users, by: 4) {
                backend.copy(table.rows(n * 7 % tableRows..<n * 7 % tableRows + 1), to: hidden.rows(n..<n + 1))
            }
            if users > 6 { backend.fill(hidden.rows(6..<7), with: 0) }
            func some(_ count: Int) -> [Int32] {
                (0..<count).map { _ in .random(in: 0..<Int32(tableRows), using: &generator) }
            }
            let lists = (0..<users).map { n in Array(Set(some(n * 5 % 60))) }
            bias = SparseBias(
                starts: backend.indices(lists.reduce(into: [0]) { $0.append($0.last! + Int32($1.count)) }),
                columns: backend.indices(lists.flatMap(\.self)),
                kinds: backend.indices(lists.flatMap { $0.map { $0 % 3 } }), values: backend.tensor(1, 3), scale: 10)
            backend.upload([0.3, -0.2, 1e-7], to: bias.values)
            choices = (0..<users).map { n in
                let excluded = some(n % 30)
                let set = RowSet(rowCount: tableRows, some([3, tableRows / 10, 2 * tableRows][n % 3]))
                let candidates: Candidates =
                    switch n % 5 {
                    case 0, 1: .allExcept(excluded)
                    case 2: .only(Array(Set(excluded)))
                    default: .within(set, except: excluded)
                    }
                return RowChoice([10, 1, 0, 33, tableRows + 1][n % 7 % 5], of: candidates)
            }
        }

        func best(_ backend: CPUBackend, _ precision: Precision) -> [[ScoredRow]] {
            backend.ranked(table, precision: precision).best(hidden, bias: bias, choices: choices)
        }

        func best(_ ranked: any RankedTable, of n: Int) -> [ScoredRow] {
            ranked.best(hidden.rows(n..<n + 1), bias: bias.rows(n..<n + 1), choices: [choices[n]])[0]
        }

        func scores(_ n: Int) -> [Float] {
            var scores = (0..<table.rows).map { row in
                (0..<table.columns).reduce(Float(0)) { sum, column in
                    sum.addingProduct(hidden.base[n * hidden.stride + column], table.base[row * table.stride + column])
                }
            }
            bias.forEach(ofRow: n) { scores[$0] += bias.value($1) }
            return scores
        }
    }

    private static let sizes = [(1, 1), (63, 3), (64, 8), (65, 17), (500, 33), (900, 64)]

    /// Against single-rounded sums in plain Swift, where the processor has them.
    @Test(arguments: Rows.allCases)
    func scoresAreSumsInOrder(rows: Rows) {
        for (index, (tableRows, width)) in Self.sizes.enumerated() {
            let question = Question(rows, tableRows: tableRows, width: width, users: 9, seed: UInt64(index))
            for backend in Self.backends where backend.instructionSet != .baseline {
                let lists = question.best(backend, .float32)
                for (n, list) in lists.enumerated() {
                    let scores = question.scores(n)
                    let right = question.choices[n].candidates.rows(in: 0..<tableRows).filter {
                        scores[Int($0)] > -.infinity
                    }.map { ScoredRow(row: $0, score: scores[Int($0)]) }
                    let sorted = right.sorted { ($1.score, $0.row) < ($0.score, $1.row) }
                    #expect(bits(list) == bits(Array(sorted.prefix(question.choices[n].count))))
                }
            }
        }
    }

    /// The pass over rounded numbers leaves out no row that belongs in the list.
    @Test(
        .enabled(if: isRounding, "this processor has no AVX512-BF16"), arguments: Rows.allCases, [1, 2])
    func roundingChangesNoBit(rows: Rows, seed: Int) {
        for (index, (tableRows, width)) in Self.sizes.enumerated() {
            let question = Question(
                rows, tableRows: tableRows, width: width, users: 66, seed: UInt64(100 * seed + index))
            #expect(bits(question.best(Self.best, .bfloat16)) == bits(question.best(Self.best, .float32)))
        }
    }

    @Test(arguments: [Rows.normal, .duplicates, .nearTies], Precision.allCases.filter { $0 != .tf32 })
    func companyChangesNoBit(rows: Rows, precision: Precision) {
        guard precision == .float32 || Self.isRounding else { return }
        let question = Question(rows, tableRows: 400, width: 19, users: 67, seed: 5)
        for backend in Self.backends where precision == .float32 || backend.instructionSet == .avx512 {
            let ranked = backend.ranked(question.table, precision: precision)
            let together = question.best(backend, precision)
            for n in question.choices.indices { #expect(bits(question.best(ranked, of: n)) == bits(together[n])) }
        }
    }

    @Test func setsOfRows() {
        var set = RowSet(rowCount: 130, [0, 64, 129, 130, -1, .max, .min])
        #expect(set.count == 3 && set.contains(129) && !set.contains(130) && !set.contains(-1) && !set.contains(1))
        set.remove(64)
        set.remove(500)
        #expect(set == RowSet(rowCount: 130, [129, 0]))
        var all = RowSet(rowCount: 130, all: true)
        #expect(all.count == 130)
        all.formIntersection(set)
        #expect(all == set)
        all.formUnion(RowSet(rowCount: 130, all: true))
        #expect(all == RowSet(rowCount: 130, all: true) && RowSet(rowCount: 128, all: true).count == 128)
    }

    private func bits(_ rows: [ScoredRow]) -> [UInt64] {
        rows.map { UInt64(UInt32(bitPattern: $0.row)) << 32 | UInt64($0.score.bitPattern) }
    }
    private func bits(_ lists: [[ScoredRow]]) -> [[UInt64]] { lists.map { bits($0) } }
}
