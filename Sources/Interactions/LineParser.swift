import FileSupport
import Foundation

/// Turns the lines of one file into events; its header, if the format has one, is read first.
struct LineParser {
    private let format: InputFormat
    private let minimumRating: Double?
    /// Positions of the fields, for formats that have positions.
    private var positions = Positions(user: 0, item: 1, timestamp: 3, rating: 2, count: 4)
    private var splitter = FieldSplitter()
    private var json: JSONLines

    struct Positions {
        var user: Int
        var item: Int
        var timestamp: Int?
        var rating: Int?
        /// Fields a line must have.
        var count: Int
    }

    init(
        _ format: InputFormat, _ options: ReadOptions, _ reader: inout LineReader, path: String
    ) throws(DatasetError) {
        self.format = format
        minimumRating = options.minimumRating
        json = JSONLines(options)
        switch format {
        case .csv, .tsv, .recbole:
            guard let header = try Self.next(&reader) else {
                throw .malformed(path: path, reason: "it is empty; expected a header with column names")
            }
            do {
                try splitFields(header)
                positions = try Self.positions(splitter.fields, format, options)
            } catch { throw .line(path: path, number: reader.lineNumber, reason: error.reason) }
        case .sequences:
            if options.minimumRating != nil { throw .unusable("sequence files have no ratings to compare") }
        case .movielens, .jsonl: break
        }
    }

    private static func next(_ reader: inout LineReader) throws(DatasetError) -> Bytes? {
        do { return try reader.next() } catch { throw .file(error) }
    }

    mutating func parse(_ line: Bytes, into log: inout InteractionLog) throws(LineProblem) {
        switch format {
        case .csv, .tsv, .recbole, .movielens: try parseFields(line, into: &log)
        case .jsonl: try json.parse(line, into: &log)
        case .sequences: try parseSequence(line, into: &log)
        }
    }

    private mutating func splitFields(_ line: Bytes) throws(LineProblem) {
        switch format {
        case .csv: try splitter.splitCSV(line)
        case .movielens: splitter.splitDoubleColon(line)
        default: splitter.split(line, separator: 0x09)
        }
    }

    private mutating func parseFields(_ line: Bytes, into log: inout InteractionLog) throws(LineProblem) {
        try splitFields(line)
        let fields = splitter.fields
        guard fields.count == positions.count else {
            throw LineProblem(reason: "expected \(positions.count) fields, found \(fields.count)")
        }
        let time = try positions.timestamp.map { position throws(LineProblem) in try log.time(fields[position]) }
        if let minimumRating, let position = positions.rating {
            guard let rating = parseNumber(fields[position]) else {
                throw LineProblem(reason: "the rating \(quoted(fields[position])) is not a number")
            }
            if rating < minimumRating { return log.dropByRating() }
        }
        try log.append(user: fields[positions.user], item: fields[positions.item], timestamp: time)
    }

    private mutating func parseSequence(_ line: Bytes, into log: inout InteractionLog) throws(LineProblem) {
        guard isUTF8(line) else { throw LineProblem(reason: "not UTF-8") }
        splitter.splitWhitespace(line)
        let fields = splitter.fields
        guard fields.count >= 2 else { throw LineProblem(reason: "expected a user id and at least one item id") }
        for item in fields.dropFirst() { try log.append(user: fields[0], item: item, timestamp: nil) }
    }

    /// Finds the columns in a header.
    private static func positions(
        _ header: [Bytes], _ format: InputFormat, _ options: ReadOptions
    ) throws(LineProblem) -> Positions {
        var names: [String] = []
        for field in header {
            guard let text = String(validating: field, as: UTF8.self) else {
                throw LineProblem(reason: "the header is not UTF-8")
            }
            let name = format == .recbole ? String(text.prefix { $0 != ":" }) : text
            names.append(name.trimmingCharacters(in: .whitespaces))
        }
        let found = "found \(shortened(names.joined(separator: ", ")))"
        func position(_ name: String?, _ defaults: [String], _ what: String) throws(LineProblem) -> Int? {
            let candidates = name.map { [$0] } ?? defaults
            guard let match = candidates.first(where: names.contains) else {
                if let name { throw LineProblem(reason: "there is no column \(name); \(found)") }
                return nil
            }
            guard names.count(where: { $0 == match }) == 1 else {
                throw LineProblem(reason: "the column \(match) occurs more than once; \(found)")
            }
            return names.firstIndex(of: match)
        }
        let columns = options.columns
        guard let user = try position(columns.user, ColumnNames.userDefaults, "user") else {
            throw LineProblem(reason: "there is no column of users; name it with --user; \(found)")
        }
        guard let item = try position(columns.item, ColumnNames.itemDefaults, "item") else {
            throw LineProblem(reason: "there is no column of items; name it with --item; \(found)")
        }
        var rating: Int?
        if options.minimumRating != nil {
            rating = try position(columns.rating, ColumnNames.ratingDefaults, "rating")
            guard rating != nil else {
                throw LineProblem(reason: "there is no column of ratings; name it with --rating; \(found)")
            }
        }
        let time = try position(columns.timestamp, ColumnNames.timestampDefaults, "timestamp")
        return Positions(user: user, item: item, timestamp: time, rating: rating, count: names.count)
    }
}

/// The beginning of a field for a message.
func quoted(_ bytes: Bytes) -> String {
    "'" + String(decoding: bytes.prefix(40), as: UTF8.self) + (bytes.count > 40 ? "…'" : "'")
}

/// A text that may stand in a message.
func shortened(_ text: String) -> String { text.count > 200 ? text.prefix(200) + "…" : text }
