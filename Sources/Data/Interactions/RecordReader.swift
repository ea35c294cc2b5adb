import FileSupport

/// Why a record could not be read.
enum RecordProblem: Error {
    case file(FileError)
    case line(LineProblem)
}

/// Reads the records of one file: of each the fields of the layout's columns.
struct RecordReader: ~Copyable {
    /// A quoted field with more bytes than this is taken for one that is never closed.
    private static let longestRecord = 1 << 24

    private var lines: LineReader
    let layout: LogLayout
    private var splitter: FieldSplitter
    private let keys: [[UInt8]]
    private let positions: [Int]
    /// The names of the first two columns that are read; none without a header.
    private let names: [[UInt8]]
    private let scratch = Scratch()
    /// The header's bytes, empty where there is none.
    private var header: [UInt8] = []
    /// All names in the header.
    private var headerNames: [[UInt8]] = []
    /// A bit set of the lengths, below 64, of the names in the header.
    private var nameLengths: UInt64 = 0
    /// The fields of the last record, in the order of the layout's columns; all fields of a sequence. Valid until the next record.
    private(set) var fields: [Bytes] = []
    /// Line number of the last record.
    private(set) var lineNumber = 0
    /// How often the header was repeated among the records.
    private(set) var repeatedHeaders = 0

    init(_ lines: consuming LineReader, _ layout: LogLayout) throws(FileError) {
        self.lines = lines
        self.layout = layout
        let blanks = TableDialect(delimiter: .blanks, isQuoted: false, hasHeader: false)
        splitter = FieldSplitter(layout.table ?? blanks)
        positions = layout.columns.map { $0.position ?? 0 }
        names = layout.table == nil ? [] : layout.columns.prefix(2).compactMap { $0.name.map { Array($0.utf8) } }
        keys = layout.columns.map { Array(($0.name ?? "").utf8) }
        for _ in 0..<layout.linesBefore { _ = try self.lines.next() }
        guard layout.table?.hasHeader == true else { return }
        while let line = try self.lines.next() {
            if line.isEmpty { continue }
            header = [UInt8](line)
            do { try completeSplit(line) } catch { break }
            headerNames = splitter.fields.indices.map { Array(splitter.field($0)) }
            for name in headerNames where name.count < 64 { nameLengths |= 1 << UInt64(name.count) }
            break
        }
    }

    /// How much of the file was read, 0 ... 1.
    var fractionRead: Double { lines.fractionRead }

    /// Reads the next record; false where there is none.
    mutating func next() throws(RecordProblem) -> Bool {
        while true {
            let line: Bytes
            do {
                guard let next = try lines.next() else { return false }
                line = withoutMark(next)
            } catch { throw .file(error) }
            if line.isEmpty { continue }
            if isHeader(line) {
                repeatedHeaders += 1
                continue
            }
            lineNumber = lines.lineNumber
            switch layout.format {
            case .jsonl: do { try readObject(line) } catch { throw .line(error) }
            case .sequences: try readSequence(line)
            case .csv, .tsv, .recbole, .movielens, nil: try readRow(line)
            }
            if namesItsColumns {
                repeatedHeaders += 1
                continue
            }
            if namesOtherColumns { throw .line(otherHeader) }
            return true
        }
    }

    private func isHeader(_ line: Bytes) -> Bool {
        guard !header.isEmpty, line.count == header.count else { return false }
        return line.elementsEqual(header)
    }

    // MARK: Tables

    private mutating func readRow(_ line: Bytes) throws(RecordProblem) {
        try completeSplit(line)
        guard splitter.fields.count == layout.width else {
            throw .line(LineProblem(reason: "expected \(layout.width) fields, found \(splitter.fields.count)"))
        }
        guard fields.count == positions.count else {
            fields = positions.map(splitter.field)
            return
        }
        for (i, column) in positions.enumerated() { fields[i] = splitter.field(column) }
    }

    /// Whether the record repeats the header, possibly with other quotes or in other letter case.
    private var namesItsColumns: Bool {
        guard names.count > 1, fields.count > 1 else { return false }
        return isAlike(fields[0], names[0]) && isAlike(fields[1], names[1])
    }

    /// Whether the record is the header of another file, with its columns in another order.
    private var namesOtherColumns: Bool {
        guard nameLengths != 0, fields.count > 1 else { return false }
        return fields.prefix(2).allSatisfy { field in
            field.count < 64 && nameLengths & 1 << UInt64(field.count) != 0
                && headerNames.contains { isAlike(field, $0) }
        }
    }

    private var otherHeader: LineProblem {
        LineProblem(
            reason:
                "the names of columns stand here in another order than in the header: what follows is another file's; "
                + "give the files one by one instead of joined",
            scope: .rest)
    }

    private func isAlike(_ a: Bytes, _ b: [UInt8]) -> Bool {
        guard a.count == b.count else { return false }
        return zip(a, b).allSatisfy { $0 | 0x20 == $1 | 0x20 }
    }

    /// Splits a record, including the following lines where a quoted field continues there.
    private mutating func completeSplit(_ line: Bytes) throws(RecordProblem) {
        do { return try splitter.split(line) } catch {
            guard error.scope == .openQuote, case .text(let delimiter)? = layout.table?.delimiter else {
                throw .line(explained(error))
            }
            var scanner = QuoteScanner(delimiter)
            var record = line
            while !scanner.isComplete(record) {
                guard record.count <= Self.longestRecord, let longer = try extended() else {
                    let problem = LineProblem(reason: "a quote opens here that is never closed", scope: .rest)
                    throw .line(explained(problem))
                }
                record = longer
            }
            do { try splitter.split(record) } catch { throw .line(explained(error)) }
        }
    }

    private mutating func extended() throws(RecordProblem) -> Bytes? {
        do { return try lines.extend().map(withoutMark) } catch { throw .file(error) }
    }

    private func explained(_ problem: LineProblem) -> LineProblem {
        guard problem.scope == .rest else { return problem }
        return LineProblem(
            reason: problem.reason
                + "; what follows cannot be distinguished from quoted text, so it is not read: the line must be mended",
            remedies: layout.table.map { [.withoutQuotes($0.delimiter)] } ?? [], scope: .rest)
    }

    // MARK: Sequences

    private mutating func readSequence(_ line: Bytes) throws(RecordProblem) {
        do { try splitter.split(line) } catch { throw .line(error) }
        fields = splitter.fields.indices.map(splitter.field)
        guard fields.count >= 2 else {
            throw .line(LineProblem(reason: "expected a user id and at least one item id"))
        }
    }

    // MARK: JSON

    private mutating func readObject(_ line: Bytes) throws(LineProblem) {
        fields.removeAll(keepingCapacity: true)
        for _ in keys { fields.append(Bytes(start: nil, count: 0)) }
        var found = 0
        var scanner = try JSONObjectScanner(line, scratch)
        while let key = try scanner.nextKey() {
            guard let first = keys.firstIndex(where: { $0.count == key.count && $0.elementsEqual(key) }) else {
                try scanner.passValue()
                continue
            }
            let value = try scanner.value()
            for i in first..<keys.count where i == first || keys[i] == keys[first] {
                guard found & 1 << i == 0 else {
                    throw LineProblem(reason: "the key \(quoted(key)) occurs more than once")
                }
                found |= 1 << i
                fields[i] = try bytes(value, layout.columns[i])
            }
        }
        for i in keys.indices where found & 1 << i == 0 && ![.condition, .eventID].contains(layout.columns[i].role) {
            throw missing(layout.columns[i], line)
        }
    }

    private func bytes(_ value: JSONObjectScanner.Value, _ column: LogLayout.Column) throws(LineProblem) -> Bytes {
        switch value {
        case .text(let bytes), .number(let bytes): return bytes
        case .word(let bytes):
            // null is rejected later, with the other markers of missing values.
            if column.role == .condition || bytes.first == UInt8(ascii: "n") || bytes.first == UInt8(ascii: "N") {
                return bytes
            }
        case .nested: if column.role == .condition { return Bytes(start: nil, count: 0) }
        }
        throw LineProblem(reason: "expected the \(column.role.rawValue) (\(column.name ?? "")) as text or a number")
    }

    private func missing(_ column: LogLayout.Column, _ line: Bytes) -> LineProblem {
        let keys = (try? JSONObjectScanner.members(of: line).map(\.key)) ?? []
        return LineProblem(
            reason: "there is no key \(printable(column.name ?? "")) of the \(column.role.rawValue); "
                + "found \(shortened(keys.map(printable).joined(separator: ", ")))",
            remedies: [.nameColumn(column.role)])
    }
}
