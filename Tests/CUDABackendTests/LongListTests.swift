import EmulatedGPU
import Tensors
import Testing

@testable import CUDABackend

/// Top-K beyond what the parity tests ask for: lists that the device sorts itself, and longer ones, which the host sorts.
@Suite(.emulated) struct LongListTests {
    @Test(arguments: [1, 1023, 1024, 1025, 1500, 4000]) func listsOfAnyLength(k: Int) throws {
        let backend = try Emulator().backend()
        // One column: scores are the table's numbers, many of them equal, and the same with the other sign.
        let values = (0..<3000).map { Float($0 * 37 % 1009) }
        let table = backend.tensor(values, rows: values.count)
        let hidden = backend.tensor([1, -1, 1], rows: 3)
        let some = (0..<3000).filter { $0 % 2 == 1 }.map(Int32.init)
        let best = backend.topK(
            hidden.tensor, table: table.tensor, bias: nil, k: k,
            candidates: [.allExcept([0, 27, 2999]), .allExcept([]), .only(some)])
        let expected = [
            ranked(values, k) { ![0, 27, 2999].contains($0) }, ranked(values.map { -$0 }, k) { _ in true },
            ranked(values, k) { $0 % 2 == 1 },
        ]
        for n in 0..<3 {
            let isRight = best[n] == expected[n]
            #expect(isRight, "row \(n): \(best[n].prefix(3)) ..., not \(expected[n].prefix(3)) ...")
        }
        #expect(backend.failure == nil)
    }

    /// Several tiles, the last of which leaves shares without columns; the best anywhere, most of them equal.
    @Test(arguments: [1, 10, 100]) func listsFromManyTiles(k: Int) throws {
        let emulator = try Emulator()
        let backend = try emulator.backend()
        let (rows, count) = (300, 2 * 55_296 + 3)
        let values = randomNumbers(count, seed: 4).map { ($0 * 50).rounded() }
        let table = backend.tensor(values, rows: count)
        let factors = (0..<rows).map { Float($0 % 3 - 1) }
        let hidden = backend.tensor(factors, rows: rows)
        var best: [[ScoredRow]] = []
        let everyone = [Candidates](repeating: .allExcept([]), count: rows)
        let done = emulator.counts(of: ["launches", "products"]) {
            best = backend.topK(hidden.tensor, table: table.tensor, bias: nil, k: k, candidates: everyone)
        }
        #expect(done == [3 + 1, 3], "a search a tile, and lists merged once: nothing is excluded")
        let expected = [-1, 0, 1].map { factor in ranked(values.map { $0 * factor }, k) { _ in true } }
        for n in 0..<rows {
            let isRight = best[n] == expected[n % 3]
            #expect(isRight, "row \(n): \(best[n].prefix(3)) ..., not \(expected[n % 3].prefix(3)) ...")
        }
    }

    /// Best first, equal ones by number.
    private func ranked(_ scores: [Float], _ k: Int, _ isAllowed: (Int) -> Bool) -> [ScoredRow] {
        let rows = scores.indices.filter(isAllowed).sorted { (-scores[$0], $0) < (-scores[$1], $1) }
        return rows.prefix(k).map { ScoredRow(row: Int32($0), score: scores[$0]) }
    }
}
