import FileSupport
import Foundation

/// How a log is read.
public struct ReadOptions: Sendable {
    /// nil: what the file's name suggests.
    public var format: InputFormat?
    /// Where the parts of an event are found.
    public var columns = ColumnNames()
    /// Events with a lower rating are dropped.
    public var minimumRating: Double?
    /// Whether malformed lines are counted and skipped instead of stopping.
    public var skipsBadLines = false
    /// Where a log that is too long for memory keeps its events, 16 bytes each, in a file without a name.
    public var temporaryFolder = FileManager.default.temporaryDirectory
    /// Smaller in tests.
    var memory = MemoryLimits()

    /// The defaults.
    public init() {}
}

/// What reading a log met.
public struct ReadReport: Sendable, Codable, Equatable {
    /// Lines with events, the skipped included.
    public var lines = 0
    /// Malformed lines passed over.
    public var skippedLines = 0
    /// Events below the rating threshold.
    public var droppedByRating = 0
}

/// A log that was read: its events in file order and the ids that occur.
public struct InteractionLog: ~Copyable, Sendable {
    /// Users and items as numbers by first appearance; times as nanoseconds since 1970.
    private(set) var events: EventSpool
    private(set) var hasTimestamps = false
    private(set) var userIDs = Interner()
    private(set) var itemIDs = Interner()
    /// What reading met.
    public private(set) var report = ReadReport()
    let memory: MemoryLimits
    /// Events whose ids have no numbers yet: they get them together, which is quicker.
    private var waiting = (users: PackedTexts(), items: PackedTexts(), times: [Int64]())
    private var times = TimeColumn()
    /// What the times were taken for; nil where there are none.
    public private(set) var meaningOfTimes: TimeMeaning?

    private init(_ options: ReadOptions) {
        events = EventSpool(in: options.temporaryFolder, limit: options.memory.reading)
        memory = options.memory
    }

    /// Number of events.
    public var count: Int { events.count + waiting.times.count }

    /// Reads a file. O(size) time; memory grows with the different ids and the longest line, not with the events.
    /// - Parameter progress: called every 2¹⁶ lines with their number so far and the fraction of the file that is read.
    public static func read(
        _ url: URL, _ options: ReadOptions = ReadOptions(),
        progress: (_ lines: Int, _ fraction: Double) -> Void = { _, _ in }
    ) throws(DatasetError) -> InteractionLog {
        guard let format = options.format ?? InputFormat(fileName: url.lastPathComponent) else {
            throw .unusable(
                "\(url.path): its name does not tell the format; give one of "
                    + InputFormat.allCases.map(\.rawValue).joined(separator: ", "))
        }
        var log = InteractionLog(options)
        var reader = try withFileErrors { () throws(FileError) in try LineReader(url) }
        var parser = try LineParser(format, options, &reader, path: url.path)
        log.times.place.path = url.path
        while let line = try withFileErrors({ () throws(FileError) in try reader.next() }) {
            if line.isEmpty { continue }
            log.report.lines += 1
            log.times.place.line = reader.lineNumber
            do {
                try parser.parse(line, into: &log)
            } catch {
                guard options.skipsBadLines else {
                    throw .line(path: url.path, number: reader.lineNumber, reason: error.reason)
                }
                log.report.skippedLines += 1
            }
            try log.events.spill()
            if log.report.lines % (1 << 16) == 0 { progress(log.report.lines, reader.fractionRead) }
        }
        try log.finishTimes()
        guard log.count > 0 else {
            let why =
                log.report.lines == 0
                ? "no events" : "none of its \(log.report.lines) lines is an event that passes"
            throw .malformed(path: url.path, reason: why)
        }
        return log
    }

    /// Reads the time of an event that has one. Numbers and spellings that contradict earlier lines throw.
    mutating func time(_ text: Bytes) throws(LineProblem) -> Int64 {
        let time = try times.read(text)
        if let change = times.change {
            times.change = nil
            changeTimes(change)
        }
        return time
    }

    private mutating func changeTimes(_ change: TimeChange) {
        numberWaiting()
        events.changeTimes(change)
    }

    private mutating func finishTimes() throws(DatasetError) {
        numberWaiting()
        guard hasTimestamps else { return }
        let (change, meaning) = try times.finish()
        if let change { changeTimes(change) }
        meaningOfTimes = meaning
    }

    /// Adds one event. Nothing is added where it throws.
    mutating func append(user: Bytes, item: Bytes, timestamp: Int64?) throws(LineProblem) {
        try Self.check(user, "user")
        try Self.check(item, "item")
        waiting.users.append(user)
        waiting.items.append(item)
        waiting.times.append(timestamp ?? 0)
        hasTimestamps = timestamp != nil
        if waiting.users.isFull || waiting.items.isFull { numberWaiting() }
    }

    private mutating func numberWaiting() {
        let (users, items) = (userIDs.intern(waiting.users), itemIDs.intern(waiting.items))
        for (i, time) in waiting.times.enumerated() { events.append(Event(user: users[i], item: items[i], time: time)) }
        waiting.users.removeAll()
        waiting.items.removeAll()
        waiting.times.removeAll(keepingCapacity: true)
    }

    mutating func dropByRating() { report.droppedByRating += 1 }

    private static func check(_ id: Bytes, _ what: String) throws(LineProblem) {
        guard !id.isEmpty else { throw LineProblem(reason: "the \(what) is empty") }
        guard isUTF8(id) else { throw LineProblem(reason: "the \(what) is not UTF-8") }
    }
}
