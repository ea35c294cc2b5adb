import Identifiers

/// Items in the order of scores that may change: the highest first, equal scores by the item's number.
///
/// A sorted list in blocks of at most 1,024 items. A change costs O(log V) comparisons, and moves one block.
struct Leaderboard: Sendable {
    /// The score of each item, by ``ItemID/row``.
    private(set) var scores: [UInt64]
    private var blocks: [[Entry]]

    private static let fullBlock = 1024

    private struct Entry: Comparable {
        let score: UInt64
        let row: Int32

        /// Whether a stands before b.
        static func < (a: Entry, b: Entry) -> Bool { a.score == b.score ? a.row < b.row : a.score > b.score }
    }

    /// O(V log V).
    init(_ scores: [UInt64]) {
        self.scores = scores
        let entries = scores.enumerated().map { Entry(score: $1, row: Int32($0)) }.sorted()
        blocks = stride(from: 0, to: entries.count, by: Self.fullBlock / 2).map {
            Array(entries[$0..<min($0 + Self.fullBlock / 2, entries.count)])
        }
    }

    /// Scores that are counts.
    init(_ counts: [Int]) { self.init(counts.map(UInt64.init)) }

    subscript(_ item: ItemID) -> UInt64 {
        get { scores[item.row] }
        set {
            guard newValue != scores[item.row] else { return }
            remove(Entry(score: scores[item.row], row: Int32(item.row)))
            insert(Entry(score: newValue, row: Int32(item.row)))
            scores[item.row] = newValue
        }
    }

    /// Number of items that score at least as much. O(log V + V / 1024).
    func count(atLeast score: UInt64) -> Int {
        // No entry of this score stands behind this one.
        let last = Entry(score: score, row: .max)
        let block = (0..<blocks.count).partitioningIndex { !(blocks[$0][0] < last) }
        guard block > 0 else { return 0 }
        let own = blocks[block - 1]
        return blocks[..<(block - 1)].reduce(0) { $0 + $1.count }
            + (0..<own.count).partitioningIndex { !(own[$0] < last) }
    }

    /// The ranks of a target, where the items `seen` are those of the history. O(seen + log V + V / 1024).
    func ranks(of target: ItemID, seen: Set<ItemID>) -> CaseRanks {
        let unmasked = count(atLeast: self[target])
        return CaseRanks(
            unmasked: unmasked, masked: unmasked - seen.count { $0 != target && self[$0] >= self[target] })
    }

    /// The first `count` items that are not left out.
    func best(_ count: Int, except isLeftOut: (ItemID) -> Bool) -> [ItemID] {
        var best: [ItemID] = []
        for entry in blocks.lazy.joined() {
            if best.count == count { break }
            let item = ItemID(row: Int(entry.row))
            if !isLeftOut(item) { best.append(item) }
        }
        return best
    }

    private mutating func remove(_ entry: Entry) {
        let block = self.block(of: entry)
        blocks[block].remove(at: (0..<blocks[block].count).partitioningIndex { !(blocks[block][$0] < entry) })
        if blocks[block].isEmpty { blocks.remove(at: block) }
    }

    private mutating func insert(_ entry: Entry) {
        guard !blocks.isEmpty else { return blocks.append([entry]) }
        let block = self.block(of: entry)
        let place = (0..<blocks[block].count).partitioningIndex { !(blocks[block][$0] < entry) }
        blocks[block].insert(entry, at: place)
        guard blocks[block].count > Self.fullBlock else { return }
        blocks.insert(Array(blocks[block].suffix(Self.fullBlock / 2)), at: block + 1)
        blocks[block].removeLast(Self.fullBlock / 2)
    }

    /// The last block that begins with this entry or before it, or the first.
    private func block(of entry: Entry) -> Int {
        max(0, (0..<blocks.count).partitioningIndex { entry < blocks[$0][0] } - 1)
    }
}
