/// Which events that say nothing new are dropped from a log.
public enum Deduplication: String, Sendable, Codable, CaseIterable {
    /// Events whose user, item and time an earlier event of the file has.
    case exact
    /// These, and events of the item that the user's event before was of.
    case consecutive
}

/// Some of a log's events, by position: a bit an event.
struct EventSet {
    private var words: [UInt64] = []
    private(set) var count = 0

    init() {}

    init(capacity: Int) { words = Array(repeating: 0, count: (capacity + 63) / 64) }

    func contains(_ position: Int) -> Bool {
        count > 0 && words[position >> 6] & (1 << UInt64(position & 63)) != 0
    }

    /// Adds an event that is not there.
    mutating func insert(_ position: Int) {
        words[position >> 6] |= 1 << UInt64(position & 63)
        count += 1
    }
}

/// What ``InteractionLog`` found to be dropped.
struct Duplicates {
    private(set) var events = EventSet()
    /// Dropped for their user, item and time.
    private(set) var exact = 0
    /// Dropped for following the same item.
    private(set) var consecutive = 0

    /// Finds them user by user, as memory allows. A bit an event.
    init(_ log: borrowing InteractionLog, _ kind: Deduplication?) throws(DatasetError) {
        guard let kind else { return }
        guard log.hasTimestamps || kind == .consecutive else {
            throw .unusable("exact duplicates have the same time, and this log has no times")
        }
        guard log.count <= Int(UInt32.max) else {
            throw .unusable("duplicates are found among at most \(UInt32.max) events; this log has \(log.count)")
        }
        events = EventSet(capacity: log.count)
        let all = try KCore(log, Filters())
        try log.forEachUser(try Numbering(log, all), all) { rows in
            let kept = log.hasTimestamps ? dropExact(rows) : Array(rows)
            guard kind == .consecutive else { return }
            for (row, next) in zip(kept, kept.dropFirst()) where row.item == next.item {
                events.insert(Int(next.position))
                consecutive += 1
            }
        }
    }

    /// Returns what is left of one user's rows.
    private mutating func dropExact(_ rows: UnsafeMutableBufferPointer<EventRow>) -> [EventRow] {
        var kept: [EventRow] = []
        forEachTie(rows) { tie in
            var seen = Set<Int32>()
            for row in tie {
                if tie.count == 1 || seen.insert(row.item).inserted {
                    kept.append(row)
                } else {
                    events.insert(Int(row.position))
                    exact += 1
                }
            }
        }
        return kept
    }
}

/// One event of a user.
struct EventRow: BitwiseCopyable {
    var time: Int64
    var item: Int32
    /// Position in the log; of no use in a log of more than 2³² events.
    var position: UInt32
}

/// Calls `body` with each run of rows of the same time.
func forEachTie(
    _ rows: UnsafeMutableBufferPointer<EventRow>, _ body: (Slice<UnsafeMutableBufferPointer<EventRow>>) -> Void
) {
    var start = 0
    while start < rows.count {
        var end = start + 1
        while end < rows.count, rows[end].time == rows[start].time { end += 1 }
        body(rows[start..<end])
        start = end
    }
}
