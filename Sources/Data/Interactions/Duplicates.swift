/// Which duplicate events are dropped from a log.
public enum Deduplication: String, Sendable, Codable, CaseIterable {
    /// Events with the same user, item and time as an earlier event of the file.
    case exact
    /// These, and events with the same item as the user's previous event.
    case consecutive
}

/// A set of a log's events, by position: one bit for each event.
struct EventSet {
    private var words: [UInt64] = []
    private(set) var count = 0

    init() {}

    init(capacity: Int) { words = Array(repeating: 0, count: (capacity + 63) / 64) }

    func contains(_ position: Int) -> Bool {
        count > 0 && words[position >> 6] & (1 << UInt64(position & 63)) != 0
    }

    /// Inserts an event that is not in the set.
    mutating func insert(_ position: Int) {
        words[position >> 6] |= 1 << UInt64(position & 63)
        count += 1
    }
}

/// The duplicate events of an ``InteractionLog``.
struct Duplicates {
    private(set) var events = EventSet()
    /// Number of events dropped because of user, item and time.
    private(set) var exact = 0
    /// Number of events dropped because they follow the same item.
    private(set) var consecutive = 0

    /// Finds duplicates user by user. Memory: one bit for each event.
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
            let remaining = log.hasTimestamps ? dropExact(rows) : Array(rows)
            guard kind == .consecutive else { return }
            for (row, next) in zip(remaining, remaining.dropFirst()) where row.item == next.item {
                events.insert(Int(next.position))
                consecutive += 1
            }
        }
    }

    /// Returns the remaining rows of one user.
    private mutating func dropExact(_ rows: UnsafeMutableBufferPointer<EventRow>) -> [EventRow] {
        var remaining: [EventRow] = []
        forEachTie(rows) { tie in
            var seen = Set<Int32>()
            for row in tie {
                if tie.count == 1 || seen.insert(row.item).inserted {
                    remaining.append(row)
                } else {
                    events.insert(Int(row.position))
                    exact += 1
                }
            }
        }
        return remaining
    }
}

/// One event of a user.
struct EventRow: BitwiseCopyable {
    var time: Int64
    var item: Int32
    /// Position in the log, modulo 2³².
    var position: UInt32
}

/// Calls `body` with each run of rows with the same time.
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
