/// Sequences of items end to end, without padding.
public struct PackedBatch: Sendable, Equatable {
    /// All events: item numbers 1 ... V.
    public private(set) var items: [Int32] = []
    /// S + 1 row numbers: sequence s is `items[starts[s] ..< starts[s + 1]]`.
    public private(set) var starts: [Int32] = [0]

    /// An empty batch.
    public init() {}

    /// The sequences in order.
    public init(_ sequences: some Sequence<some Collection<Int32>>) {
        for sequence in sequences { append(sequence) }
    }

    /// Adds one sequence at the end.
    public mutating func append(_ sequence: some Collection<Int32>) {
        items.append(contentsOf: sequence)
        starts.append(Int32(items.count))
    }

    /// N: number of events.
    public var tokenCount: Int { items.count }
    /// S: number of sequences.
    public var sequenceCount: Int { starts.count - 1 }
}
