package import Identifiers
import Layers
package import Tensors

extension SequenceModel {
    /// What the repeat-aware and the transition head add to the scores of ``itemTable`` after each of these histories; nil for a model
    /// without heads. O(histories · window). Throws where one is empty or an item unknown.
    package func headBias(
        after histories: [some RandomAccessCollection<ItemID>]
    ) throws(HistoryError) -> SparseBias? {
        guard configuration.hasHeads else { return nil }
        var entries = HeadEntries(self)
        for history in histories {
            guard !history.isEmpty else { throw .empty }
            try configuration.check(history.suffix(RepeatHead.window))
            entries.append(history.count - 1..<history.count, of: history)
        }
        return sparseBias(entries)
    }

    /// The same for ranges of rows of a batch of one sequence, and in training their targets.
    func headBias(
        ofOnlySequence batch: PackedBatch, rows: [Range<Int>], targets: [Int32]? = nil
    ) -> SparseBias? {
        guard configuration.hasHeads else { return nil }
        var entries = HeadEntries(self, longRows: rows.reduce(0) { $0 + $1.count })
        let (history, shift) = (batch.history(0), batch.earlier.count)
        var left = targets?[...]
        for range in rows {
            entries.append(range.lowerBound + shift..<range.upperBound + shift, of: history, targets: left)
            left?.removeFirst(range.count)
        }
        return sparseBias(entries)
    }

    /// The same for the given rows of a batch, or all where nil, and in training their targets. A queued device can list the repeats of all
    /// rows itself; it needs the starts of the sequences in its memory.
    func headBias(
        _ batch: PackedBatch, rows: [Int32]?, starts: Indices? = nil, targets: [Int32]? = nil
    ) -> SparseBias? {
        guard configuration.hasHeads else { return nil }
        if rows == nil, transitions == nil, backend.isQueued, let starts { return headBiasOnDevice(batch, starts) }
        var entries = HeadEntries(self)
        var (wanted, left) = (rows?[...], targets?[...])
        let events = batch.tokenCount - batch.paddingCount
        for sequence in 0..<batch.sequenceCount {
            let (start, end) = (Int(batch.starts[sequence]), Int(batch.starts[sequence + 1]))
            guard start < events else {  // padding, whose scores nobody needs
                entries.appendEmptyRows(wanted?.count ?? end - start)
                wanted?.removeAll()
                continue
            }
            let history = batch.history(sequence)
            /// Position in the history minus row of the batch.
            let shift = history.count - end
            guard wanted != nil else {
                if start < end { entries.append(start + shift..<history.count, of: history, targets: left) }
                left?.removeFirst(end - start)
                continue
            }
            while let row = wanted?.first, row < end {
                entries.append(Int(row) + shift..<Int(row) + shift + 1, of: history, targets: left)
                wanted!.removeFirst()
                left?.removeFirst()
            }
        }
        return sparseBias(entries, events: batch.tokenCount)
    }

    /// Lists of a batch of so many events. A queued device gets a power of two of entries, at least one for each event: sizes that repeat from
    /// step to step. Those behind the last row's belong to no row.
    private func sparseBias(_ entries: HeadEntries, events: Int = 0) -> SparseBias {
        let count = entries.columns.count
        let missing = backend.isQueued ? powerOfTwo(atLeast: max(count, events)) - count : 0
        let none = repeatElement(Int32(0), count: missing)
        return sparseBias(
            starts: backend.staged(entries.starts), columns: backend.staged(entries.columns + none),
            kinds: backend.staged(entries.kinds + none))
    }

    private func sparseBias(starts: Indices, columns: Indices, kinds: Indices) -> SparseBias {
        SparseBias(
            starts: starts, columns: columns, kinds: kinds, values: network.headValues(weights)!,
            scale: RepeatHead.scale)
    }

    /// For every event, computed on the device. Sizes are rounded up to powers of two, so that shapes repeat from step to step.
    private func headBiasOnDevice(_ batch: PackedBatch, _ starts: Indices) -> SparseBias {
        let biasStarts = repeatCapacities(batch)
        let entries = powerOfTwo(atLeast: Int(biasStarts.last!))
        let lists = backend.allocateIndices(2 * entries).indices
        let bias = sparseBias(
            starts: backend.staged(biasStarts), columns: lists.prefix(entries),
            kinds: lists.range(entries..<2 * entries))
        let items = batch.earlier.isEmpty ? batch.items : (0..<batch.sequenceCount).flatMap(batch.history)
        let padding = repeatElement(Int32(0), count: powerOfTwo(atLeast: items.count) - items.count)
        backend.listOccurrences(
            in: backend.staged(items.map { Int32($0.row) } + padding),
            historyStarts: backend.staged(zip(batch.starts, batch.earlierStarts).map(+)),
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
