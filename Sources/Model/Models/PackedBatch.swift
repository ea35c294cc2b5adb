package import Identifiers

/// Sequences of items end to end, without padding.
package struct PackedBatch: Sendable, Equatable {
    /// All events.
    package private(set) var items: [ItemID] = []
    /// S + 1 row numbers: sequence s is `items[starts[s] ..< starts[s + 1]]`.
    package private(set) var starts: [Int32] = [0]
    /// Events that came before the sequences, end to end: only the repeat-aware head uses them; the layers start at the sequences.
    package private(set) var earlier: [ItemID] = []
    /// S + 1 positions: `earlier[earlierStarts[s] ..< earlierStarts[s + 1]]` came before sequence s.
    package private(set) var earlierStarts: [Int32] = [0]
    /// When each event happened; empty where that does not matter.
    package private(set) var times: [EventTime] = []
    /// Number of events at the end that are padding (``pad(tokens:sequences:itemCount:)``).
    package private(set) var paddingCount = 0

    /// An empty batch.
    package init() {}

    /// The sequences in order.
    package init(_ sequences: some Sequence<some Collection<ItemID>>) {
        for sequence in sequences { append(sequence) }
    }

    /// Appends one sequence and the `events` of its history that came before it. `times` has one element for each event of the sequence, or is empty
    /// for all sequences.
    package mutating func append(
        _ sequence: some Collection<ItemID>, after events: some Collection<ItemID> = EmptyCollection(),
        times: some Collection<EventTime> = EmptyCollection()
    ) {
        precondition(times.isEmpty || times.count == sequence.count, "there must be as many times as items")
        self.times.append(contentsOf: times)
        items.append(contentsOf: sequence)
        starts.append(Int32(items.count))
        earlier.append(contentsOf: events)
        earlierStarts.append(Int32(earlier.count))
    }

    /// Pads the batch to `tokens` events and `sequences` sequences, for devices that are faster with constant shapes: one sequence of
    /// padding events (of different items, so that gradients do not pile up on one row) and empty sequences. There must be fewer
    /// sequences than `sequences` before; nothing may be appended afterwards.
    package mutating func pad(tokens: Int, sequences: Int, itemCount: Int) {
        precondition(tokens >= tokenCount && sequences > sequenceCount && paddingCount == 0, "padding only adds")
        paddingCount = tokens - tokenCount
        append(
            (0..<paddingCount).map { ItemID(row: $0 % itemCount) },
            times: times.isEmpty ? [] : [EventTime](repeating: EventTime(0, before: nil), count: paddingCount))
        let empty = sequences - sequenceCount
        starts += [Int32](repeating: Int32(tokens), count: empty)
        earlierStarts += [Int32](repeating: Int32(earlier.count), count: empty)
    }

    /// Says when the event before each sequence happened, where the states know it that go on with them. Only where there are times.
    mutating func go(onAfter lastTimes: [Int64?]) {
        for (start, time) in zip(starts, lastTimes) {
            if let time { times[Int(start)].before = time }
        }
    }

    /// N: number of events.
    package var tokenCount: Int { items.count }
    /// S: number of sequences.
    package var sequenceCount: Int { starts.count - 1 }

    /// The history of sequence s: the events before it, then its own.
    func history(_ s: Int) -> [ItemID] {
        Array(earlier[Int(earlierStarts[s])..<Int(earlierStarts[s + 1])] + items[Int(starts[s])..<Int(starts[s + 1])])
    }
}
