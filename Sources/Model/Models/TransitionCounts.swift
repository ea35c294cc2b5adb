package import Identifiers

/// How often items follow each other: for each item its most frequent successors.
///
/// count(i → j) is the number of pairs of events of one user, at most ``reach`` apart, the first with item i and the second with j.
package struct TransitionCounts: Sendable, Equatable {
    /// How many events after an item count as its successors.
    package static let reach = 3
    /// How many successors of an item say something about what comes next.
    package static let limit = 50
    /// How many are stored: where the target's own event is taken out of its count, the next one may take its place.
    package static let capacity = limit + 1

    /// V + 1 positions: the successors of row r are at `starts[r] ..< starts[r + 1]`, the most frequent first, ties by row.
    package let starts: [Int64]
    /// Rows of the item table.
    package let successors: [Int32]
    /// Their counts, 1 or more.
    package let counts: [Int32]

    /// No transitions between `itemCount` items.
    package init(itemCount: Int) {
        (starts, successors, counts) = ([Int64](repeating: 0, count: itemCount + 1), [], [])
    }

    /// Counts the transitions of these sequences. O(events · log events) time, 12 bytes an event.
    package init(itemCount: Int, _ sequences: some Collection<[ItemID]>) {
        var ends = [Int](repeating: 0, count: itemCount + 1)
        for sequence in sequences { Self.forEachPair(of: sequence) { first, _ in ends[first + 1] += 1 } }
        for row in 0..<itemCount { ends[row + 1] += ends[row] }
        var (followers, next) = ([Int32](repeating: 0, count: ends[itemCount]), ends)
        for sequence in sequences {
            Self.forEachPair(of: sequence) { first, second in
                followers[next[first]] = Int32(second)
                next[first] += 1
            }
        }
        var (starts, successors, counts): ([Int64], [Int32], [Int32]) = ([0], [], [])
        for row in 0..<itemCount {
            for (successor, count) in Self.mostFrequent(followers[ends[row]..<ends[row + 1]]) {
                successors.append(successor)
                counts.append(count)
            }
            starts.append(Int64(successors.count))
        }
        (self.starts, self.successors, self.counts) = (starts, successors, counts)
    }

    /// Counts that were read from a file; nil unless they are as this type makes them.
    package init?(itemCount: Int, starts: [Int64], successors: [Int64], counts: [Int64]) {
        guard starts.count == itemCount + 1, starts.first == 0, starts.last == Int64(successors.count),
            counts.count == successors.count, successors.allSatisfy({ (0..<Int64(itemCount)).contains($0) }),
            counts.allSatisfy({ (1...Int64(Int32.max)).contains($0) })
        else { return nil }
        for (start, end) in zip(starts, starts.dropFirst()) {
            guard start <= end, end <= successors.count, end - start <= Self.capacity else { return nil }
            let list = Int(start)..<Int(end)
            let isSorted = list.dropFirst().allSatisfy {
                (counts[$0], successors[$0 - 1]) < (counts[$0 - 1], successors[$0])
            }
            guard isSorted, Set(successors[list]).count == list.count else { return nil }
        }
        self.starts = starts
        self.successors = successors.map(Int32.init)
        self.counts = counts.map(Int32.init)
    }

    private static func forEachPair(of sequence: [ItemID], _ body: (_ first: Int, _ second: Int) -> Void) {
        for (position, item) in sequence.enumerated() {
            for earlier in max(0, position - reach)..<position { body(sequence[earlier].row, item.row) }
        }
    }

    /// The distinct rows of a list that occur most often, and how often.
    private static func mostFrequent(_ followers: ArraySlice<Int32>) -> ArraySlice<(Int32, Int32)> {
        var found: [(row: Int32, count: Int32)] = []
        for row in followers.sorted() {
            if found.last?.row == row { found[found.count - 1].count += 1 } else { found.append((row, 1)) }
        }
        return found.sorted { ($1.count, $0.row) < ($0.count, $1.row) }.prefix(capacity).map { ($0.row, $0.count) }[...]
    }

    /// Calls `body` with the ``limit`` most frequent successors of a row, the most frequent first, as if `target` had followed it
    /// `times` times less. O(limit).
    func forEachSuccessor(
        of row: Int32, without target: Int32?, times: Int32, _ body: (_ row: Int32, _ count: Int32) -> Void
    ) {
        let list = Int(starts[Int(row)])..<Int(starts[Int(row) + 1])
        var late: (row: Int32, count: Int32)?
        if let target, let place = list.first(where: { successors[$0] == target }), counts[place] > times {
            late = (target, counts[place] - times)
        }
        var left = Self.limit
        for place in list where successors[place] != target {
            let (row, count) = (successors[place], counts[place])
            if let moved = late, left > 0, (count, moved.row) < (moved.count, row) {
                body(moved.row, moved.count)
                (late, left) = (nil, left - 1)
            }
            guard left > 0 else { return }
            body(row, count)
            left -= 1
        }
        if let late, left > 0 { body(late.row, late.count) }
    }
}
