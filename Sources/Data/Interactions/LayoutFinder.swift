import FileSupport
import Foundation

/// Infers the layout of a file from its name, its first lines and the caller's options.
struct LayoutFinder {
    /// The purpose of the records.
    enum Purpose: Equatable {
        case events
        /// Titles of items; the column of titles, if the caller named one.
        case titles(column: String?)
    }

    let path: String
    let options: ReadOptions
    var purpose = Purpose.events
    /// The layout of the previous file of the same log.
    var previous: LogLayout?

    static let headSize = 1 << 20

    /// The file's records; nil where it is empty.
    func open(_ source: LogSource) throws(DatasetError) -> RecordReader? {
        var lines = try source.open()
        guard let layout = try layout(&lines) else { return nil }
        do { return try RecordReader(lines, layout) } catch { throw .file(error) }
    }

    private func layout(_ reader: inout LineReader) throws(DatasetError) -> LogLayout? {
        let bytes: Bytes
        do { bytes = try reader.peek(Self.headSize) } catch { throw .file(error) }
        if let container = Container(bytes, path: path) {
            throw container.error(path: path)
        }
        let head = Head(bytes, isWhole: bytes.count < Self.headSize)
        guard let first = head.lines.first(where: { !trimmed($0).isEmpty }).map({ text(trimmed($0)) }) else {
            return nil
        }
        if options.delimiter == .text([]) { throw .unusable("the delimiter is empty") }
        switch try format(head, first) {
        case .jsonl: return try jsonLayout(head, first)
        case .sequences: return try sequenceLayout(head)
        case .movielens: return try tableLayout(.movielens, head, [.doubleColon])
        case .recbole: return try tableLayout(.recbole, head, [.tab])
        case .tsv: return try tableLayout(.tsv, head, [.tab, .comma, .semicolon, .bar, .blanks])
        case .csv: return try tableLayout(.csv, head, [.comma, .semicolon, .tab, .bar])
        }
    }

    // MARK: Format

    private func format(_ head: Head, _ first: String) throws(DatasetError) -> InputFormat {
        if let format = options.format { return format }
        if first.hasPrefix("{") { return .jsonl }
        if first.firstMatch(of: /^\[\s*(\{|$)/) != nil {
            throw .malformed(
                path: path, reason: "it is one JSON array, not an object a line",
                remedies: [.convert(shell: "jq -c '.[]' \(shellWord(path))", to: .jsonl)])
        }
        let named = InputFormat(fileName: (path as NSString).lastPathComponent)
        switch named {
        case .csv, .tsv, .recbole, .jsonl: return named!
        case .movielens where first.contains("::"): return .movielens
        case .movielens, .sequences, nil: break
        }
        if options.namesColumns || purpose != .events { return tableFormat(head) ?? .csv }
        let table = tableFormat(head)
        if named == .sequences { return isTable(table, head) ? table ?? .tsv : .sequences }
        if let table { return table }
        throw .malformed(
            path: path, reason: "the format follows neither from its name nor from its first lines",
            remedies: [.nameFormat])
    }

    private static let delimiters: [(Delimiter, InputFormat)] = [
        (.tab, .tsv), (.comma, .csv), (.semicolon, .csv), (.bar, .csv), (.blanks, .tsv),
    ]

    /// The format of table that the first lines may have: one with a known header, or with equally many fields on each line.
    private func tableFormat(_ head: Head) -> InputFormat? {
        if let delimiter = options.delimiter { return delimiter == .tab || delimiter == .blanks ? .tsv : .csv }
        let samples = Self.delimiters.map { delimiter, format in
            (format, Sample(head, TableDialect(delimiter: delimiter, isQuoted: format == .csv, hasHeader: true)))
        }
        if let known = samples.first(where: { knownRoles($0.1.records.first ?? []) > 1 }) {
            let types = known.1.records[0].contains { $0.contains(":token") }
            return types ? .recbole : known.0
        }
        let colons = Sample(head, TableDialect(delimiter: .doubleColon, isQuoted: false, hasHeader: false))
        if let width = colons.width, width > 2 { return .movielens }
        return samples.first { ($0.1.width ?? 0) > 1 }?.0
    }

    /// Whether a file whose name does not say so is a table rather than sequences of ids.
    private func isTable(_ format: InputFormat?, _ head: Head) -> Bool {
        if format == .movielens || format == .recbole || format == .csv { return true }
        for delimiter in [Delimiter.tab, .blanks] {
            let sample = Sample(head, TableDialect(delimiter: delimiter, isQuoted: false, hasHeader: true))
            guard let first = sample.records.first, first.count > 1 else { continue }
            if knownRoles([first[0]]) > 0 || first.count < 100 && knownRoles(first) > 1 { return true }
            if sample.records.joined().contains(where: { Look.isCalendarTime($0) && !Look.isNumber($0) }) {
                return true
            }
            guard let width = sample.width, width > 2 else { continue }
            let columns = (1..<width).map(sample.values)
            if columns.contains(where: { $0.allSatisfy(Look.isNumber) && $0.contains(where: Look.isDecimal) }) {
                return true
            }
            let times = columns.filter { $0.allSatisfy(Look.isUnixTime) }
            if times.count == 1 { return true }
            guard sample.records.count > 2 else { continue }
            if delimiter == .tab || Set(sample.values(0)).count < sample.records.count { return true }
        }
        return false
    }

    /// How many of the roles user, item, time, rating and title have a name in a line.
    func knownRoles(_ fields: [String]) -> Int {
        let finder = ColumnFinder(names: fields.map { Self.withoutType($0) }, width: fields.count)
        let given = [
            (ColumnRole.user, options.columns.user), (.item, options.columns.item), (.time, options.columns.timestamp),
            (.rating, options.columns.rating),
        ]
        let keys = Set((finder.names ?? []).map(UsualNames.key))
        var count = given.count { role, name in
            // A number may be a column's, and stands in data.
            name.map { Int($0) == nil && finder.has($0) } == true || UsualNames.of(role).contains(where: keys.contains)
        }
        if case .titles(let column) = purpose {
            if finder.has(column) || UsualNames.title.contains(where: keys.contains) { count += 1 }
        }
        return count
    }

    static func withoutType(_ name: String) -> String {
        String(name.prefix { $0 != ":" }).trimmingCharacters(in: .whitespaces)
    }

    // MARK: Sequences

    private func sequenceLayout(_ head: Head) throws(DatasetError) -> LogLayout {
        if options.minimumRating != nil { throw .unusable("sequence files have no ratings to compare") }
        if options.namesColumns || purpose != .events {
            throw .unusable("\(path): sequences have no columns, header or delimiter to choose")
        }
        var layout = LogLayout(path: path, format: .sequences)
        let sample = Sample(head, TableDialect(delimiter: .blanks, isQuoted: false, hasHeader: false))
        layout.first = sample.records.first ?? []
        let items = sample.records.compactMap { $0.dropFirst().first }
        if let mark = [",", ";", "|"].first(where: { mark in items.allAndSome { $0.contains(mark) } }) {
            throw .malformed(
                path: path,
                reason: "its items (\(quoted(items[0]))) have '\(mark)' between them; sequences have blanks",
                remedies: [.convert(shell: "tr '\(mark)' ' ' < \(shellWord(path))", to: .sequences)])
        }
        return layout
    }

    // MARK: JSON

    private func jsonLayout(_ head: Head, _ first: String) throws(DatasetError) -> LogLayout {
        var (keys, objects, problem): ([String], [[String: String]], (line: Int, LineProblem)?) = ([], [], nil)
        for (index, line) in head.lines.prefix(100).enumerated() where !trimmed(line).isEmpty {
            do {
                let members = try JSONObjectScanner.members(of: line)
                for (key, _) in members where !keys.contains(key) { keys.append(key) }
                objects.append(Dictionary(members) { $1 })
            } catch  where problem == nil { problem = (index + 1, error) } catch {}
        }
        if let problem, objects.isEmpty || !options.skipsBadLines {
            let isPretty =
                objects.isEmpty && problem.1.reason.contains("byte") && first.hasPrefix("{") && head.lines.count > 1
            guard isPretty else { throw problem.1.error(path, line: problem.line) }
            throw .line(
                path: path, number: problem.line,
                reason: problem.1.reason + "; every object must stand in a line of its own",
                remedies: [.convert(shell: "jq -c . \(shellWord(path))", to: .jsonl)])
        }
        var layout = LogLayout(path: path, format: .jsonl)
        do {
            let finder = ColumnFinder(names: keys, width: 0, more: moreNames)
            layout.columns = try columns(finder, &layout.notes) { column in
                objects.compactMap { $0[keys[column]] }
            }
        } catch { throw error.error(path, line: 1) }
        layout.first = firstEvent(objects.map { object in layout.columns.map { object[$0.name ?? ""] ?? "" } }, layout)
        return layout
    }

    /// The first of some records that meets the conditions, if one does, otherwise the first.
    func firstEvent(_ records: [[String]], _ layout: LogLayout) -> [String] {
        let tested = layout.columns.indices.filter { layout.columns[$0].role == .condition }
        return records.first { record in
            zip(tested, options.conditions).allSatisfy { $1.values.contains(record[$0]) }
        } ?? records.first ?? []
    }

    var moreNames: [ColumnRole: [String]] { purpose == .events ? [:] : [.item: ["id", "key", "code", "movie"]] }

    // MARK: Columns

    /// The columns that are read of every record.
    func columns(
        _ finder: ColumnFinder, _ notes: inout [String], values: (Int) -> [String]
    ) throws(LineProblem) -> [LogLayout.Column] {
        if case .titles(let title) = purpose { return try titleColumns(finder, title, &notes) }
        let given = options.columns
        func find(_ role: ColumnRole, _ name: String?) throws(LineProblem) -> LogLayout.Column? {
            if let name { try finder.given(name, role) } else { try finder.usual(role) }
        }
        var columns: [LogLayout.Column] = []
        for (role, name) in [(ColumnRole.user, given.user), (.item, given.item)] {
            guard let column = try find(role, name) else { throw finder.missing(role) }
            columns.append(column)
        }
        if !options.usesFileOrder {
            guard let column = try find(.time, given.timestamp) else {
                let looks = (finder.names ?? []).indices.filter { values($0).allAndSome(Look.isTime) }
                throw finder.missingTime(looks.map { finder.names![$0] })
            }
            try finder.checkIsWhole(column, values)
            columns.append(column)
        }
        if options.minimumRating != nil {
            guard let column = try find(.rating, given.rating) else { throw finder.missing(.rating) }
            columns.append(column)
        }
        for (role, name) in given.kept { columns.append(try finder.given(name, role)) }
        for condition in options.conditions { columns.append(try finder.given(condition.column, .condition)) }
        noteNumbers(columns, finder, &notes)
        return columns
    }

    private func titleColumns(
        _ finder: ColumnFinder, _ title: String?, _ notes: inout [String]
    ) throws(LineProblem) -> [LogLayout.Column] {
        let named = options.columns.item.flatMap { finder.has($0) ? $0 : nil }
        let item = if let named { try finder.given(named, .item) } else { try finder.usual(.item) }
        let titles = if let title { try finder.given(title, .title) } else { try finder.usual(.title) }
        guard let item else { throw finder.missing(.item) }
        guard let titles else { throw finder.missing(.title) }
        if let asked = options.columns.item, named == nil {
            notes.append("there is no \(printable(asked)) in it: \(item.name ?? "") is taken for the items")
        }
        return [item, titles]
    }

    /// Adds a note where a name that is a number was preferred to the column with that number.
    private func noteNumbers(_ columns: [LogLayout.Column], _ finder: ColumnFinder, _ notes: inout [String]) {
        for column in columns where column.isGiven {
            guard let name = column.name, let number = Int(name), let position = column.position else { continue }
            if number != position + 1 {
                notes.append(
                    "the \(column.role.rawValue) is the column with the name \(name), not column number \(number)")
            }
        }
    }
}

extension ColumnFinder {
    func missing(_ role: ColumnRole) -> LineProblem {
        LineProblem(
            reason: "there is no \(kindText) of \(role.rawValue)s; \(found)", remedies: [.nameColumn(role)])
    }

    func missingTime(_ looks: [String]) -> LineProblem {
        let hint = looks.isEmpty ? "" : " (\(looks.map(printable).joined(separator: ", ")) looks like times)"
        return LineProblem(
            reason: "there is no \(kindText) of times\(hint); \(found)", remedies: [.nameColumn(.time), .fileOrder])
    }

    private var kindText: String { width > 0 ? "column" : "key" }
}
