import Identifiers

/// Sequences of items end to end, without padding.
package struct PackedBatch: Sendable, Equatable {
    /// All events.
    package private(set) var items: [ItemID] = []
    /// S + 1 row numbers: sequence s is `items[starts[s] ..< starts[s + 1]]`.
    package private(set) var starts: [Int32] = [0]
    /// Events that came before the sequences, end to end: the layers begin anew, the repeat-aware head looks back at them.
    package private(set) var earlier: [ItemID] = []
    /// S + 1 positions: `earlier[earlierStarts[s] ..< earlierStarts[s + 1]]` came before sequence s.
    package private(set) var earlierStarts: [Int32] = [0]
    /// Events at the end that are nobody's (``pad(tokens:sequences:itemCount:)``).
    package private(set) var paddingCount = 0

    /// An empty batch.
    package init() {}

    /// The sequences in order.
    package init(_ sequences: some Sequence<some Collection<ItemID>>) {
        for sequence in sequences { append(sequence) }
    }

    /// Adds one sequence at the end, and what of its history came before it.
    package mutating func append(
        _ sequence: some Collection<ItemID>, after events: some Collection<ItemID> = EmptyCollection()
    ) {
        items.append(contentsOf: sequence)
        starts.append(Int32(items.count))
        earlier.append(contentsOf: events)
        earlierStarts.append(Int32(earlier.count))
    }

    /// Makes it as large as `tokens` events and `sequences` sequences, for devices that want shapes to stay the same: one
    /// sequence of items that nobody met, different ones so that none is met often, and empty sequences. At least one
    /// sequence must be left to add; nothing may be appended afterwards.
    package mutating func pad(tokens: Int, sequences: Int, itemCount: Int) {
        precondition(tokens >= tokenCount && sequences > sequenceCount && paddingCount == 0, "padding only adds")
        paddingCount = tokens - tokenCount
        append((0..<paddingCount).map { ItemID(row: $0 % itemCount) })
        let empty = sequences - sequenceCount
        starts += [Int32](repeating: Int32(tokens), count: empty)
        earlierStarts += [Int32](repeating: Int32(earlier.count), count: empty)
    }

    /// N: number of events.
    package var tokenCount: Int { items.count }
    /// S: number of sequences.
    package var sequenceCount: Int { starts.count - 1 }

    /// The history of sequence s: what came before it, then its own events.
    func history(_ s: Int) -> [ItemID] {
        Array(earlier[Int(earlierStarts[s])..<Int(earlierStarts[s + 1])] + items[Int(starts[s])..<Int(starts[s + 1])])
    }
}
