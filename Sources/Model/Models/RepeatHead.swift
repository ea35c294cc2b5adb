package import Identifiers
import Layers
package import Tensors

/// The repeat-aware head: a learned number is added to the logit of each item that the history already holds, chosen by
/// how long ago the item last occurred and by how often it did, among the last ``window`` events.
///
/// Not part of the paper. Films are rarely watched twice, songs are often repeated. The recurrence hardly learns this in a few
/// epochs, because it would have to encode every item of the history in one vector; the head needs 40 numbers.
enum RepeatHead {
    /// Events since the last occurrence, in powers of two: 1, 2–3, 4–7, ..., 512 and more.
    static let recencies = 10
    /// Occurrences: 1, 2, 3, 4 and more.
    static let counts = 4
    /// How many of the last events of a history count, which bounds the cost of a row.
    static let window = 1024
    /// What a weight of 1 adds to a logit. Adam changes weights by about the learning rate in a step; with this scale a thousand
    /// steps are enough to make e^logit vanish.
    static let scale: Float = 10

    /// The classes of items of a history.
    static let classes = OccurrenceClasses(window: window, recencies: recencies, counts: counts)
}

/// For some rows of a batch, the items of each row's history and their classes: the content of a ``SparseBias``.
struct RepeatEntries {
    private(set) var starts: [Int32] = [0]
    /// Rows of the item table.
    private(set) var columns: [Int32] = []
    private(set) var kinds: [Int32] = []

    /// No rows, with capacity for `longRows` rows of long histories.
    init(longRows: Int = 0) {
        columns.reserveCapacity(longRows * RepeatHead.window)
        kinds.reserveCapacity(longRows * RepeatHead.window)
    }

    /// Appends one row for each position in `rows`, whose history is the events up to and including it. O(rows · window) time.
    mutating func append(_ rows: Range<Int>, of history: some RandomAccessCollection<ItemID>) {
        let first = max(0, rows.lowerBound - RepeatHead.window + 1)
        let events = history.dropFirst(first).prefix(rows.upperBound - first).map { Int32($0.row) }
        var recent = RecentEvents(events, before: rows.lowerBound - first)
        for _ in rows {
            recent.advance()
            columns.append(contentsOf: recent.items())
            kinds.append(contentsOf: recent.kinds())
            starts.append(Int32(columns.count))
        }
    }
}

/// The distinct items in a sliding window: the last ``RepeatHead/window`` events before `end`.
private struct RecentEvents {
    private let events: [Int32]
    /// For each event the last three of the same item before it, nearest first; −1 where there is none.
    private let earlier: [SIMD4<Int32>]
    /// Positions of the last occurrence of each item, ascending.
    private var positions: [Int32]
    private var oldest = 0
    private var end: Int

    /// The window before `end`, which must be at most the window's length.
    init(_ events: [Int32], before end: Int) {
        var (earlier, last): ([SIMD4<Int32>], [Int32: Int]) = ([], [:])
        var isLast = [Bool](repeating: true, count: end)
        earlier.reserveCapacity(events.count)
        for (position, item) in events.enumerated() {
            let before = last.updateValue(position, forKey: item)
            let chain = before.map { earlier[$0] }
            earlier.append(SIMD4(Int32(before ?? -1), chain?[0] ?? -1, chain?[1] ?? -1, -1))
            if let before, position < end { isLast[before] = false }
        }
        positions = (0..<Int32(end)).filter { isLast[Int($0)] }
        self.events = events
        self.earlier = earlier
        self.end = end
    }

    /// Moves the window on by one event.
    mutating func advance() {
        let before = earlier[end][0]
        if before >= oldest { positions.remove(at: positions.firstIndex(of: before)!) }
        positions.append(Int32(end))
        end += 1
        oldest = max(0, end - RepeatHead.window)
        if positions[0] < oldest { positions.removeFirst() }
    }

    /// The items, the one longest ago first.
    func items() -> [Int32] { positions.map { events[Int($0)] } }

    /// The class of each item of ``items()``.
    func kinds() -> [Int32] {
        let oldest = Int32(oldest)
        return positions.map { position in
            let chain = earlier[Int(position)]
            let more = (chain[0] >= oldest ? 1 : 0) + (chain[1] >= oldest ? 1 : 0) + (chain[2] >= oldest ? 1 : 0)
            return RepeatHead.classes.number(recency: end - Int(position), count: 1 + more)
        }
    }
}

extension SequenceModel {
    /// What the repeat-aware head adds to the scores of ``itemTable`` after each of these histories; nil for a model
    /// without such a head. O(histories · window). Throws where one is empty or an item unknown.
    package func repeatBias(
        after histories: [some RandomAccessCollection<ItemID>]
    ) throws(HistoryError) -> SparseBias? {
        guard network.repeatBias != nil else { return nil }
        var entries = RepeatEntries()
        for history in histories {
            guard !history.isEmpty else { throw .empty }
            try configuration.check(history.suffix(RepeatHead.window))
            entries.append(history.count - 1..<history.count, of: history)
        }
        return sparseBias(entries)
    }

    /// The same for ranges of rows of a batch of one sequence.
    func repeatBias(ofOnlySequence batch: PackedBatch, rows: [Range<Int>]) -> SparseBias? {
        guard network.repeatBias != nil else { return nil }
        var entries = RepeatEntries(longRows: rows.reduce(0) { $0 + $1.count })
        let (history, shift) = (batch.history(0), batch.earlier.count)
        for range in rows { entries.append(range.lowerBound + shift..<range.upperBound + shift, of: history) }
        return sparseBias(entries)
    }

    /// The same for the given rows of a batch, or all where nil. A queued device can list those of all rows itself; it needs the starts of
    /// the sequences in its memory.
    func repeatBias(_ batch: PackedBatch, rows: [Int32]?, starts: Indices? = nil) -> SparseBias? {
        guard network.repeatBias != nil else { return nil }
        if rows == nil, backend.isQueued, let starts { return repeatBiasOnDevice(batch, starts) }
        var entries = RepeatEntries()
        var wanted = rows?[...]
        for sequence in 0..<batch.sequenceCount {
            let (start, end) = (Int(batch.starts[sequence]), Int(batch.starts[sequence + 1]))
            let history = batch.history(sequence)
            /// Position in the history minus row of the batch.
            let shift = history.count - end
            guard wanted != nil else {
                if start < end { entries.append(start + shift..<history.count, of: history) }
                continue
            }
            while let row = wanted?.first, row < end {
                entries.append(Int(row) + shift..<Int(row) + shift + 1, of: history)
                wanted!.removeFirst()
            }
        }
        return sparseBias(entries)
    }

    private func sparseBias(_ entries: RepeatEntries) -> SparseBias {
        sparseBias(
            starts: backend.indices(entries.starts), columns: backend.indices(entries.columns),
            kinds: backend.indices(entries.kinds))
    }

    private func sparseBias(starts: Indices, columns: Indices, kinds: Indices) -> SparseBias {
        let values = weights[network.repeatBias!]
        return SparseBias(
            starts: starts, columns: columns, kinds: kinds, values: values.reshaped(1, values.count),
            scale: RepeatHead.scale)
    }

    /// For every event, computed on the device. Sizes are rounded up to powers of two, so that shapes repeat from step to step.
    private func repeatBiasOnDevice(_ batch: PackedBatch, _ starts: Indices) -> SparseBias {
        func capacity(_ count: Int) -> Int { 1 << (Int.bitWidth - count.leadingZeroBitCount) }
        let biasStarts = repeatCapacities(batch)
        let entries = capacity(Int(biasStarts.last!))
        let bias = sparseBias(
            starts: backend.indices(biasStarts), columns: backend.allocateIndices(entries).indices,
            kinds: backend.allocateIndices(entries).indices)
        let items = batch.earlier.isEmpty ? batch.items : (0..<batch.sequenceCount).flatMap(batch.history)
        let histories = backend.allocateIndices(capacity(batch.tokenCount + batch.earlier.count)).indices
        backend.upload(items.map { Int32($0.row) }, to: histories)
        backend.listOccurrences(
            in: histories, historyStarts: backend.indices(zip(batch.starts, batch.earlierStarts).map(+)),
            starts: starts, classes: RepeatHead.classes, into: bias)
        return bias
    }

    /// The start of each event's entries with capacity for as many distinct items as its window has events; padding has none.
    private func repeatCapacities(_ batch: PackedBatch) -> [Int32] {
        var starts: [Int32] = [0]
        let end = batch.tokenCount - batch.paddingCount
        for s in 0..<batch.sequenceCount {
            let (start, earlier) = (batch.starts[s], batch.earlierStarts[s + 1] - batch.earlierStarts[s])
            for row in start..<batch.starts[s + 1] {
                let events = min(earlier + row - start + 1, Int32(RepeatHead.window))
                starts.append(starts.last! + (row < end ? events : 0))
            }
        }
        return starts
    }
}
