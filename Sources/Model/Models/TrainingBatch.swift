package import Identifiers
package import Layers

/// The input of one training pass of one replica: sequences of events, targets, and negatives. Built once by `BatchAssembler`; everything up to the
/// losses uses it as it is.
package struct TrainingBatch: Sendable {
    /// The target of a padding row, which has neither loss nor gradient.
    package static let noTarget: Int32 = -1

    /// The input of the layers.
    package var sequences: PackedBatch
    /// The rows of the batch that have targets, ascending; nil where all do.
    package var targetRows: [Int32]?
    /// The target of each of those rows: a row of the item table (``ItemID/row``), or ``noTarget``.
    package var targets: [Int32]
    /// The items that the targets are compared with.
    package var negatives = Negatives.all
    /// The number of each event within the whole batch of all replicas, on which its dropout masks depend.
    package var tokenNumbers: [Int32]

    /// A batch whose events are numbered in order.
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

    /// Pads the batch to these numbers of events, sequences and, where `targetRows` is not nil, rows with targets.
    package mutating func pad(tokens: Int, sequences count: Int, targetRows rows: Int, itemCount: Int) {
        let events = Int32(sequences.tokenCount)
        sequences.pad(tokens: tokens, sequences: count, itemCount: itemCount)
        tokenNumbers += events..<Int32(tokens)
        let missing = targetRows == nil ? sequences.paddingCount : rows - targets.count
        if targetRows != nil { targetRows! += events..<events + Int32(missing) }
        targets += [Int32](repeating: Self.noTarget, count: missing)
    }

    /// A chunk of the only sequence, with its targets; shared negatives start with the first sample again.
    func chunk(_ events: Range<Int>) -> TrainingBatch {
        let positions = positions(in: events)
        var piece = PackedBatch()
        piece.append(sequences.items[events], times: sequences.times.isEmpty ? [] : sequences.times[events])
        var part = TrainingBatch(piece, targets: [])
        part.targetRows = targetRows.map { $0[positions].map { $0 - Int32(events.lowerBound) } }
        part.targets = Array(targets[positions])
        part.tokenNumbers = Array(tokenNumbers[events])
        part.negatives = negatives
        if case .paired(let rows) = negatives { part.negatives = .paired(Array(rows[positions])) }
        return part
    }

    /// Positions in `targets` of the targets at these rows. O(log targets).
    private func positions(in events: Range<Int>) -> Range<Int> {
        guard let targetRows else { return events }
        func firstPosition(from row: Int) -> Int { targetRows.partitioningIndex { Int($0) >= row } }
        return firstPosition(from: events.lowerBound)..<firstPosition(from: events.upperBound)
    }
}
