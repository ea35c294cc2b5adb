/// What became of the requests of a load.
struct LoadOutcome: Sendable {
    /// Parts of equal length, so that what grows or slows down is seen.
    static let windows = 10

    private let begin: UInt64
    private let end: UInt64
    private(set) var latencies = Array(repeating: Latencies(), count: windows)
    /// The server's memory at the end of each window, in bytes.
    private(set) var resident = Array(repeating: 0, count: windows)
    /// Replies by status; 0: the connection broke.
    private(set) var statuses: [Int: Int] = [:]
    /// Requests that were due and found no free connection before the end.
    var unsent = 0
    /// Requests without a reply ten seconds after the end.
    var unanswered = 0
    /// Of the server.
    var processorSeconds = 0.0

    init(begin: UInt64, end: UInt64) { (self.begin, self.end) = (begin, end) }

    /// Counts a reply. Replies to what was due before the beginning, or came after the end, count only where they are errors.
    mutating func note(status: Int, scheduled: UInt64, now: UInt64) {
        guard status / 100 != 2 || now >= begin && now <= end else { return }
        statuses[status, default: 0] += 1
        if status / 100 == 2 { latencies[window(now)].record(nanoseconds: now - scheduled) }
    }

    mutating func noteMemory(_ bytes: Int, at now: UInt64) { resident[window(now)] = bytes }

    private func window(_ now: UInt64) -> Int {
        min(Self.windows - 1, Int((now - begin) * UInt64(Self.windows) / (end - begin)))
    }

    var all: Latencies { latencies.reduce(into: Latencies()) { $0.add($1) } }
    var seconds: Double { Double(end - begin) / 1e9 }
    var perSecond: Double { Double(all.count) / seconds }
    /// Replies that are not 2xx, broken connections, and requests without a reply.
    var failures: Int { statuses.filter { $0.key / 100 != 2 }.values.reduce(0, +) + unanswered }
}
