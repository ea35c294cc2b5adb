public import Foundation

/// Options for reading a log.
public struct ReadOptions: Sendable {
    /// The format; nil to infer it from the file's name and first lines.
    public var format: InputFormat?
    /// The delimiter of a table; nil to infer it from the first lines.
    public var delimiter: Delimiter?
    /// Whether a table's first line is a header; nil to infer it from the first lines, which is an error where it is ambiguous.
    public var hasHeader: Bool?
    /// The columns of an event.
    public var columns = ColumnNames()
    /// Whether lines are in order of time; times are ignored then.
    public var usesFileOrder = false
    /// Conditions on events; events that do not meet all of them are dropped.
    public var conditions: [EventCondition] = []
    /// Events with a lower rating are dropped.
    public var minimumRating: Double?
    /// Whether malformed lines are counted and skipped instead of stopping.
    public var skipsBadLines = false
    /// The folder of the temporary file for events that do not fit in memory, 16 bytes each.
    public var temporaryFolder = FileManager.default.temporaryDirectory
    /// Limits of events in memory; smaller in tests.
    var memory = MemoryLimits()

    /// The defaults.
    public init() {}

    /// Whether there are options that apply to tables and JSON only.
    var namesColumns: Bool { delimiter != nil || hasHeader != nil || columns.areGiven || !conditions.isEmpty }
}

/// One column must hold one of some values: `type` is `purchase`.
public struct EventCondition: Sendable, Equatable {
    /// The column by name, number or key, as in ``ColumnNames``.
    public var column: String
    /// The accepted values, compared byte by byte.
    public var values: [String]

    /// The condition that `column` has one of `values`.
    public init(column: String, values: [String]) {
        self.column = column
        self.values = values
    }
}

/// Counts of what was read, dropped and skipped while reading a log.
public struct ReadReport: Sendable, Codable, Equatable {
    /// Records with events, including those that were skipped.
    public var lines = 0
    /// Malformed records that were skipped.
    public var skippedLines = 0
    /// Events below the rating threshold.
    public var droppedByRating = 0
    /// Events that do not meet the conditions.
    public var droppedByCondition: Int?
    /// Lines that repeat their file's header.
    public var repeatedHeaders: Int?
    /// Ids that were converted to Unicode's composed form (NFC).
    public var composedIDs: Int?
}
