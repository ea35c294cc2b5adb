import Identifiers
import Layers

/// What one replica learns from in one pass: events, what is to be predicted of them, and what that is compared with. Made once, by whoever
/// deals out the batches of an epoch; nothing on the way to the losses repeats or translates it.
package struct TrainingBatch: Sendable {
    /// A target that is none: the row is padding. The one mark of its kind.
    package static let noTarget: Int32 = -1

    /// What goes through the layers.
    package var sequences: PackedBatch
    /// Rows of the batch from which something is predicted, ascending; nil: all of them.
    package var targetRows: [Int32]?
    /// What is predicted from each of those: rows of the item table (``ItemID/row``), or ``noTarget``.
    package var targets: [Int32]
    /// What the targets are compared with.
    package var negatives = Negatives.all
    /// Number of each event within the whole batch of all replicas, on which its dropout depends.
    package var tokenNumbers: [Int32]

    /// Events are numbered as they come.
    package init(_ sequences: PackedBatch, targetRows: [Int32]? = nil, targets: [ItemID], _ negatives: Negatives = .all)
    {
        (self.sequences, self.targetRows, self.negatives) = (sequences, targetRows, negatives)
        self.targets = targets.map { Int32($0.row) }
        tokenNumbers = Array(0..<Int32(sequences.tokenCount))
    }

    /// Targets that are not padding.
    package var targetCount: Int { targets.count(where: { $0 != Self.noTarget }) }
    /// Events that are not padding.
    package var tokenCount: Int { sequences.tokenCount - sequences.paddingCount }

    /// Adds events that nobody met and rows without a target up to these sizes; `targetRows` counts where not every row has one.
    package mutating func pad(tokens: Int, sequences count: Int, targetRows rows: Int, itemCount: Int) {
        let events = Int32(sequences.tokenCount)
        sequences.pad(tokens: tokens, sequences: count, itemCount: itemCount)
        tokenNumbers += events..<Int32(tokens)
        let missing = targetRows == nil ? sequences.paddingCount : rows - targets.count
        if targetRows != nil { targetRows! += events..<events + Int32(missing) }
        targets += [Int32](repeating: Self.noTarget, count: missing)
    }

    /// What a chunk of its only sequence is to teach; shared negatives begin with the first sample again.
    func chunk(_ events: Range<Int>) -> TrainingBatch {
        let positions = positions(in: events)
        var part = TrainingBatch(PackedBatch([sequences.items[events]]), targets: [])
        part.targetRows = targetRows.map { $0[positions].map { $0 - Int32(events.lowerBound) } }
        part.targets = Array(targets[positions])
        part.tokenNumbers = Array(tokenNumbers[events])
        part.negatives = negatives
        if case .paired(let rows) = negatives { part.negatives = .paired(Array(rows[positions])) }
        return part
    }

    /// Positions in `targets` of those at these rows. O(log targets).
    private func positions(in events: Range<Int>) -> Range<Int> {
        guard let targetRows else { return events }
        func firstPosition(from row: Int) -> Int {
            var (low, high) = (0, targetRows.count)
            while low < high {
                let middle = (low + high) / 2
                if targetRows[middle] < row { low = middle + 1 } else { high = middle }
            }
            return low
        }
        return firstPosition(from: events.lowerBound)..<firstPosition(from: events.upperBound)
    }
}
