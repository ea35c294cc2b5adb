import CPUBackend
import Identifiers
import Layers
import Tensors
import Testing

@testable import Models

/// Counts of transitions and what the transition head makes of them.
@Suite struct TransitionTests {
    /// More items than an item has successors in the table, so that lists are cut.
    static let items = 70
    let sequences = randomSequences([1500, 900, 2, 1, 600], items: items, seed: 8)

    /// The pairs of an item and one that follows it, by brute force, without those that end at one event.
    private func pairs(
        of sequences: [[ItemID]], without event: (sequence: Int, position: Int)? = nil
    ) -> [Int: [Int32: Int32]] {
        var pairs: [Int: [Int32: Int32]] = [:]
        for (s, sequence) in sequences.enumerated() {
            for (second, item) in sequence.enumerated() where event.map({ $0 != (s, second) }) ?? true {
                for first in max(0, second - 3)..<second {
                    pairs[sequence[first].row, default: [:]][Int32(item.row), default: 0] += 1
                }
            }
        }
        return pairs
    }

    /// The most frequent successors, as they are stored.
    private func best(_ counts: [Int32: Int32], _ limit: Int) -> [(row: Int32, count: Int32)] {
        counts.map { (row: $0.key, count: $0.value) }.sorted { ($1.count, $0.row) < ($0.count, $1.row) }
            .prefix(limit).map { $0 }
    }

    /// The class of each item that the events before `position` speak for, from brute-force counts.
    private func kinds(_ pairs: [Int: [Int32: Int32]], _ sequence: [ItemID], before position: Int) -> [Int32: Int32] {
        var found: [Int32: (distance: Int, count: Int32)] = [:]
        for distance in 0..<min(3, position) {
            for (row, count) in best(pairs[sequence[position - 1 - distance].row] ?? [:], 50) {
                found[row, default: (distance, 0)].count += count
            }
        }
        return found.mapValues { $0.distance == 0 ? 0 : Int32(8 * $0.distance) }
            .merging(
                found.mapValues { Int32(min(7, $0.count.bitWidth - 1 - $0.count.leadingZeroBitCount)) },
                uniquingKeysWith: +)
    }

    private func kinds(_ bias: SparseBias, _ row: Int) -> [Int32: Int32] {
        var kinds: [Int32: Int32] = [:]
        bias.forEach(ofRow: row) {
            #expect(kinds[Int32($0)] == nil, "a column twice")
            kinds[Int32($0)] = Int32($1)
        }
        return kinds
    }

    private func model(repeatAware: Bool = false) -> SequenceModel {
        var shape = ModelConfiguration(itemCount: Self.items)
        (shape.hiddenSize, shape.transitions, shape.repeatAware) = (4, true, repeatAware)
        return SequenceModel(
            zerosFor: shape, transitions: TransitionCounts(itemCount: Self.items, sequences), on: CPUBackend())
    }

    @Test func countsAreThoseOfThePairs() {
        let (counts, pairs) = (TransitionCounts(itemCount: Self.items, sequences), pairs(of: sequences))
        #expect(counts.starts.count == Self.items + 1 && counts.successors.count == counts.counts.count)
        for row in 0..<Self.items {
            let list = Int(counts.starts[row])..<Int(counts.starts[row + 1])
            let expected = best(pairs[row] ?? [:], 51)
            #expect(Array(counts.successors[list]) == expected.map(\.row))
            #expect(Array(counts.counts[list]) == expected.map(\.count))
        }
        #expect((0..<Self.items).contains { counts.starts[$0 + 1] - counts.starts[$0] == 51 }, "no list was cut")
    }

    /// In training each target is predicted from all events but itself: exactly what counting without it would give.
    @Test func targetsAreLeftOut() {
        let model = model()
        for (s, sequence) in sequences.enumerated() where sequence.count > 1 {
            let batch = PackedBatch([sequence.dropLast()])
            let bias = model.headBias(batch, rows: nil, targets: sequence.dropFirst().map { Int32($0.row) })!
            for position in stride(from: 1, to: sequence.count, by: 61) {
                let pairs = pairs(of: sequences, without: (s, position))
                #expect(kinds(bias, position - 1) == kinds(pairs, sequence, before: position))
            }
        }
    }

    /// Some rows, chunks and pieces are what the whole is; asked without targets, all events count.
    @Test func partsAreTheWhole() throws {
        let (model, sequence) = (model(), sequences[0])
        let targets = sequence.dropFirst().map { Int32($0.row) }
        let batch = PackedBatch([sequence.dropLast()])
        let whole = model.headBias(batch, rows: nil, targets: targets)!
        let some = model.headBias(batch, rows: [0, 5, 398], targets: [targets[0], targets[5], targets[398]])!
        for (n, row) in [0, 5, 398].enumerated() { #expect(kinds(some, n) == kinds(whole, row)) }
        let chunk = model.headBias(
            ofOnlySequence: batch, rows: [100..<200, 300..<301], targets: targets[100..<200] + [targets[300]])!
        for row in 0..<100 { #expect(kinds(chunk, row) == kinds(whole, 100 + row)) }
        #expect(kinds(chunk, 100) == kinds(whole, 300))
        var piece = PackedBatch()
        #expect(model.configuration.repeatWindow == 3)
        piece.append(sequence[50..<60], after: sequence[48..<50])
        let cut = model.headBias(piece, rows: nil, targets: Array(targets[50..<60]))!
        for row in 0..<10 { #expect(kinds(cut, row) == kinds(whole, 50 + row)) }
        let asked = try model.headBias(after: [sequence, Array(sequence.prefix(1))])!
        #expect(kinds(asked, 0) == kinds(pairs(of: sequences), sequence, before: sequence.count))
        #expect(kinds(asked, 1) == kinds(pairs(of: sequences), sequence, before: 1))
    }

    /// An item of the history has the class of the repeat-aware head, all others that of the transition head.
    @Test func anItemHasOneClass() throws {
        let (both, alone) = (model(repeatAware: true), model())
        let history = Array(sequences[1].prefix(20))
        let (entries, transitions) = (
            kinds(try both.headBias(after: [history])!, 0), kinds(try alone.headBias(after: [history])!, 0)
        )
        let seen = Set(history.map { Int32($0.row) })
        let first = try #require(entries.values.filter { $0 >= 40 }.min()) / 16 * 16
        #expect(Set(entries.keys) == seen.union(transitions.keys))
        for (row, kind) in entries {
            #expect(seen.contains(row) ? kind < 40 : kind == first + transitions[row]!)
        }
        #expect(Set(transitions.keys).intersection(seen).isEmpty == false)
    }

    /// Terms of an explanation: they add up with both heads, and each head speaks for its own items.
    @Test func termsAddUp() throws {
        let model = model(repeatAware: true)
        model.backend.upload(
            (0..<model.weights.flat.count).map { 0.01 * Float($0 % 17) - 0.05 }, to: model.weights.flat)
        let history = Array(sequences[1].prefix(5))
        let all = (0..<Self.items).map { ItemID(row: $0) }
        let followers = kinds(try self.model().headBias(after: [history])!, 0)
        for terms in try model.attributions(of: all, after: history) {
            let sum = terms.events.reduce(terms.constant, +) + terms.repeats + terms.transitions
            #expect(abs(sum - terms.score) < 1e-9 * max(1, abs(terms.score)))
            #expect(terms.repeats == 0 || history.contains(terms.item))
            #expect(terms.transitions == 0 || followers[Int32(terms.item.row)] != nil)
        }
    }

    @Test func onlyCountsAsTheyAreMadeAreRead() {
        let counts = TransitionCounts(itemCount: Self.items, sequences)
        func read(_ change: (inout [Int64], inout [Int64], inout [Int64]) -> Void) -> TransitionCounts? {
            var (starts, successors, values) = (
                counts.starts, counts.successors.map(Int64.init), counts.counts.map(Int64.init)
            )
            change(&starts, &successors, &values)
            return TransitionCounts(itemCount: Self.items, starts: starts, successors: successors, counts: values)
        }
        #expect(read { _, _, _ in } == counts)
        #expect(read { starts, _, _ in starts.removeLast() } == nil)
        #expect(read { starts, _, _ in starts[0] = 1 } == nil)
        #expect(read { starts, _, _ in starts[3] = -1 } == nil)
        #expect(read { starts, _, _ in starts[3] = .max } == nil)
        #expect(read { starts, _, _ in starts[starts.count - 1] -= 1 } == nil)
        #expect(read { _, successors, _ in successors[5] = -1 } == nil)
        #expect(read { _, successors, _ in successors[5] = Int64(Self.items) } == nil)
        #expect(read { _, successors, _ in successors[5] = successors[4] } == nil)
        #expect(read { _, successors, _ in successors.swapAt(0, 1) } == nil || counts.counts[0] != counts.counts[1])
        #expect(read { _, _, values in values[5] = 0 } == nil)
        #expect(read { _, _, values in values[0] = 1 << 40 } == nil)
        #expect(read { _, _, values in values[1] = values[0] + 1 } == nil)
        #expect(read { _, _, values in values.removeLast() } == nil)
    }
}
