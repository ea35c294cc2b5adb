import CPUBackend
import Identifiers
import Tensors
import Testing

@testable import Models

/// What the repeat-aware head counts, against counting anew for every row.
@Suite struct RepeatHeadTests {

    @Test func kinds() {
        #expect(RepeatHead.classes.number(recency: 1, count: 1) == 0)
        #expect(RepeatHead.classes.number(recency: 1, count: 9) == 3)
        #expect(RepeatHead.classes.number(recency: 3, count: 2) == 5)
        #expect(RepeatHead.classes.number(recency: 4, count: 1) == 8)
        #expect(RepeatHead.classes.number(recency: 511, count: 1) == 32)
        #expect(RepeatHead.classes.number(recency: 100_000, count: 4) == 39)
    }

    @Test func entriesOfAShortHistory() {
        var entries = noEntries()
        entries.append(0..<3, of: [8, 6, 8] as [ItemID])
        #expect(entries.starts == [0, 1, 3, 5])
        #expect(entries.columns == [7, 7, 5, 5, 7])
        // 7 just now; 7 two events ago and 5 just now; 5 two events ago and 7, for the second time, just now.
        #expect(entries.kinds == [0, 4, 0, 4, 1])
    }

    @Test(arguments: [1, 2, 3, 63, 64, 65, 200, 1000, 1500])
    func anyRowsAreCountedAsFromScratch(length: Int) {
        let history = randomSequences([length], items: 40, seed: UInt64(length))[0]
        for rows in [0..<length, length - 1..<length, length / 2..<(length + 1) / 2] {
            var entries = noEntries()
            entries.append(rows, of: history)
            #expect(entries.starts.count == rows.count + 1)
            for (n, row) in rows.enumerated() {
                let range = Int(entries.starts[n])..<Int(entries.starts[n + 1])
                let own = Dictionary(uniqueKeysWithValues: zip(entries.columns[range], entries.kinds[range]))
                #expect(own == naive(history[0...row]))
            }
        }
    }

    /// The entries of no row yet, of a repeat-aware model.
    private func noEntries() -> HeadEntries {
        var shape = ModelConfiguration(itemCount: 40)
        (shape.hiddenSize, shape.repeatAware) = (4, true)
        return HeadEntries(SequenceModel(zerosFor: shape, on: CPUBackend()))
    }

    /// Kinds by definition.
    private func naive(_ history: ArraySlice<ItemID>) -> [Int32: Int32] {
        let window = history.suffix(RepeatHead.window)
        return Dictionary(
            Set(window).map { item in
                let recency = history.count - window.lastIndex(of: item)!
                return (
                    Int32(item.row), RepeatHead.classes.number(recency: recency, count: window.count { $0 == item })
                )
            }, uniquingKeysWith: { first, _ in first })
    }

    @Test func aBatchIsItsSequences() throws {
        var shape = ModelConfiguration(itemCount: 9)
        (shape.hiddenSize, shape.repeatAware) = (4, true)
        let model = SequenceModel.perturbed(shape, on: CPUBackend())
        let sequences: [[ItemID]] = [[1, 2, 1], [9], [3, 3, 3, 4]]
        let batch = PackedBatch(sequences)
        let all = model.headBias(batch, rows: nil)!
        let last = model.headBias(batch, rows: [2, 3, 7])!
        let after = try model.headBias(after: sequences)!
        for (n, row) in [2, 3, 7].enumerated() {
            #expect(additions(all, row) == additions(last, n))
            #expect(additions(all, row) == additions(after, n))
            #expect(!additions(all, row).isEmpty)
        }
    }

    /// A history cut anywhere: its pieces add what the whole adds, if they are given what came before them.
    @Test func piecesLookBackAtWhatCameBefore() {
        var shape = ModelConfiguration(itemCount: 30)
        (shape.hiddenSize, shape.repeatAware) = (4, true)
        let model = SequenceModel.perturbed(shape, on: CPUBackend())
        let history = randomSequences([1300], items: 30, seed: 5)[0]
        let cuts = [0, 300, 812, 1299, 1300]
        var pieces = PackedBatch()
        for (start, end) in zip(cuts, cuts.dropFirst()) {
            pieces.append(history[start..<end], after: history[max(0, start - shape.repeatWindow + 1)..<start])
        }
        #expect(pieces.items == history)
        let whole = model.headBias(PackedBatch([history]), rows: nil)!
        let cut = model.headBias(pieces, rows: nil)!
        let chosen: [Int32] = [0, 299, 300, 811, 812, 1298, 1299]
        let some = model.headBias(pieces, rows: chosen)!
        for row in history.indices { #expect(additions(cut, row) == additions(whole, row)) }
        for (n, row) in chosen.enumerated() { #expect(additions(some, n) == additions(whole, Int(row))) }
        let last = PackedBatch([history[1000...]])
        var lastAfter = PackedBatch()
        lastAfter.append(history[1000...], after: history[..<1000])
        let bare = model.headBias(last, rows: nil)!
        let inChunks = model.headBias(ofOnlySequence: lastAfter, rows: [0..<200, 200..<300])!
        for row in 0..<300 { #expect(additions(inChunks, row) == additions(whole, 1000 + row)) }
        #expect(additions(bare, 0) != additions(whole, 1000))
    }

    private func additions(_ repeats: SparseBias, _ row: Int) -> [Int: Float] {
        var values: [Int: Float] = [:]
        repeats.forEach(ofRow: row) { values[$0] = repeats.value($1) }
        return values
    }
}
