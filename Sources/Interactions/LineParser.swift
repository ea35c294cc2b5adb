import FileSupport
import Foundation

/// Turns the lines of one file into events; its header, if the format has one, is read first.
struct LineParser {
    private let format: InputFormat
    private let minimumRating: Double?
    private let keys: ColumnNames
    /// Positions of the fields, for formats that have positions.
    private var positions = Positions(user: 0, item: 1, timestamp: 3, rating: 2, count: 4)
    private var splitter = FieldSplitter()

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
        keys = options.columns
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
        case .jsonl: try parseJSON(line, into: &log)
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
        var time: Double?
        if let position = positions.timestamp {
            guard let value = parseTimestamp(fields[position]) else {
                throw LineProblem(reason: "the timestamp \(quoted(fields[position])) is neither a number nor ISO 8601")
            }
            time = value
        }
        if let minimumRating, let position = positions.rating {
            guard let rating = parseNumber(fields[position]) else {
                throw LineProblem(reason: "the rating \(quoted(fields[position])) is not a number")
            }
            if rating < minimumRating { return log.dropByRating() }
        }
        try log.append(user: fields[positions.user], item: fields[positions.item], timestamp: time)
    }

    private func parseJSON(_ line: Bytes, into log: inout InteractionLog) throws(LineProblem) {
        guard let object = try? JSONSerialization.jsonObject(with: Data(line)) as? [String: Any] else {
            throw LineProblem(reason: "expected a JSON object")
        }
        func value(_ name: String?, _ defaults: [String]) -> Any? {
            name.map { object[$0] } ?? defaults.lazy.compactMap { object[$0] }.first
        }
        func text(_ value: Any?, _ what: String) throws(LineProblem) -> String {
            switch value {
            case let text as String: return text
            case let number as NSNumber: return number.stringValue
            default: throw LineProblem(reason: "expected \(what) as text or a number")
            }
        }
        let user = try text(value(keys.user, ColumnNames.userDefaults), "a user")
        let item = try text(value(keys.item, ColumnNames.itemDefaults), "an item")
        let timeText = try text(value(keys.timestamp, ColumnNames.timestampDefaults), "a timestamp")
        var timeCopy = timeText
        guard let time = timeCopy.withUTF8({ parseTimestamp(Bytes($0)) }) else {
            throw LineProblem(reason: "the timestamp '\(timeText)' is neither a number nor ISO 8601")
        }
        if let minimumRating {
            guard let rating = value(keys.rating, ColumnNames.ratingDefaults) as? NSNumber else {
                throw LineProblem(reason: "expected a rating as a number")
            }
            if rating.doubleValue < minimumRating { return log.dropByRating() }
        }
        let (userBytes, itemBytes) = (Array(user.utf8), Array(item.utf8))
        try userBytes.withUnsafeBufferPointer { (user) throws(LineProblem) in
            try itemBytes.withUnsafeBufferPointer { (item) throws(LineProblem) in
                try log.append(user: Bytes(user), item: Bytes(item), timestamp: time)
            }
        }
    }

    private mutating func parseSequence(_ line: Bytes, into log: inout InteractionLog) throws(LineProblem) {
        guard String(validating: line, as: UTF8.self) != nil else { throw LineProblem(reason: "not UTF-8") }
        splitter.split(line, separator: line.contains(0x09) ? 0x09 : 0x20)
        let fields = splitter.fields.filter { !$0.isEmpty }
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
        let found = "found \(names.joined(separator: ", "))"
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
        let rating = try position(columns.rating, ColumnNames.ratingDefaults, "rating")
        if options.minimumRating != nil, rating == nil {
            throw LineProblem(reason: "there is no column of ratings; name it with --rating; \(found)")
        }
        let time = try position(columns.timestamp, ColumnNames.timestampDefaults, "timestamp")
        return Positions(user: user, item: item, timestamp: time, rating: rating, count: names.count)
    }
}

private func quoted(_ bytes: Bytes) -> String {
    "'" + String(decoding: bytes.prefix(40), as: UTF8.self) + (bytes.count > 40 ? "…'" : "'")
}
