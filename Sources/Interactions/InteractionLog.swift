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

/// A log in memory as columns, in file order: 16 bytes an event.
public struct InteractionLog: Sendable {
    /// User numbers by first appearance.
    private(set) var users: [Int32] = []
    /// Item numbers by first appearance.
    private(set) var items: [Int32] = []
    /// Times in the file's unit; integers up to 2⁵³ exactly. Empty where the file has none.
    private(set) var timestamps: [Double] = []
    private(set) var userIDs = Interner()
    private(set) var itemIDs = Interner()
    /// What reading met.
    public private(set) var report = ReadReport()

    /// Number of events.
    public var count: Int { users.count }

    /// Reads a file. O(size) time; memory grows with events and different ids, not with the length of lines.
    public static func read(_ url: URL, _ options: ReadOptions = ReadOptions()) throws(DatasetError) -> InteractionLog {
        guard let format = options.format ?? InputFormat(fileName: url.lastPathComponent) else {
            throw .unusable(
                "\(url.path): its name does not tell the format; give one of "
                    + InputFormat.allCases.map(\.rawValue).joined(separator: ", "))
        }
        var log = InteractionLog()
        var reader = try withFileErrors { () throws(FileError) in try LineReader(url) }
        var parser = try LineParser(format, options, &reader, path: url.path)
        while let line = try withFileErrors({ () throws(FileError) in try reader.next() }) {
            if line.isEmpty { continue }
            log.report.lines += 1
            do {
                try parser.parse(line, into: &log)
            } catch {
                guard options.skipsBadLines else {
                    throw .line(path: url.path, number: reader.lineNumber, reason: error.reason)
                }
                log.report.skippedLines += 1
            }
        }
        guard log.count > 0 else {
            let why =
                log.report.lines == 0
                ? "no events" : "none of its \(log.report.lines) lines is an event that passes"
            throw .malformed(path: url.path, reason: why)
        }
        return log
    }

    /// Adds one event. Nothing is added where it throws.
    mutating func append(user: Bytes, item: Bytes, timestamp: Double?) throws(LineProblem) {
        try Self.check(user, "user")
        try Self.check(item, "item")
        users.append(userIDs.intern(user).index)
        items.append(itemIDs.intern(item).index)
        if let timestamp { timestamps.append(timestamp) }
    }

    mutating func dropByRating() { report.droppedByRating += 1 }

    private static func check(_ id: Bytes, _ what: String) throws(LineProblem) {
        guard !id.isEmpty else { throw LineProblem(reason: "the \(what) is empty") }
        var ascii = true
        for byte in id where byte >= 0x80 {
            ascii = false
            break
        }
        guard ascii || String(validating: id, as: UTF8.self) != nil else {
            throw LineProblem(reason: "the \(what) is not UTF-8")
        }
    }
}
