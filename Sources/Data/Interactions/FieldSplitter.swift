import FileSupport

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

typealias Bytes = UnsafeRawBufferPointer

/// A problem with one record, before file and line number are known.
struct LineProblem: Error {
    /// The lines that a problem makes unusable.
    enum Scope {
        /// The record only.
        case record
        /// The record continues in the next line: a quoted field is open.
        case openQuote
        /// Everything that follows: it may be inside quotes.
        case rest
    }

    let reason: String
    var remedies: [LogRemedy] = []
    var scope = Scope.record

    func error(_ path: String, line: Int) -> DatasetError {
        .line(path: path, number: line, reason: reason, remedies: remedies)
    }
}

/// Splits records into fields, reusing its memory. Fields are valid until the next record.
struct FieldSplitter {
    private(set) var fields: [Bytes] = []
    private let delimiter: Delimiter
    private let isQuoted: Bool
    private let scratch = Scratch()
    /// Whether the last record had quotes. If so, its unquoted fields are already trimmed, and its quoted fields must not be.
    private var hadQuotes = false

    init(_ dialect: TableDialect) {
        delimiter = dialect.delimiter
        isQuoted = dialect.isQuoted && dialect.delimiter != .blanks
    }

    /// A field without surrounding blanks; quoted fields are not trimmed.
    func field(_ position: Int) -> Bytes { hadQuotes ? fields[position] : trimmed(fields[position]) }

    /// Splits a complete record; throws ``LineProblem/Scope/openQuote`` where a quoted field is not closed.
    mutating func split(_ record: Bytes) throws(LineProblem) {
        fields.removeAll(keepingCapacity: true)
        hadQuotes = isQuoted && !record.isEmpty && memchr(record.baseAddress!, 0x22, record.count) != nil
        if hadQuotes { return try splitQuoted(record) }
        switch delimiter {
        case .blanks: splitBlanks(record)
        case .text(let bytes) where bytes.count == 1: split(record, at: bytes[0])
        case .text(let bytes): split(record, at: bytes)
        }
    }

    private mutating func split(_ record: Bytes, at separator: UInt8) {
        var start = 0
        while true {
            let rest = record.count - start
            guard rest > 0, let found = memchr(record.baseAddress! + start, Int32(separator), rest) else { break }
            let end = UnsafeRawPointer(found) - record.baseAddress!
            fields.append(Bytes(rebasing: record[start..<end]))
            start = end + 1
        }
        fields.append(Bytes(rebasing: record[start..<record.count]))
    }

    private mutating func split(_ record: Bytes, at separator: [UInt8]) {
        var start = 0
        while true {
            let end = nextDelimiter(record, start, separator)
            fields.append(Bytes(rebasing: record[start..<end]))
            guard end < record.count else { return }
            start = end + separator.count
        }
    }

    private mutating func splitBlanks(_ record: Bytes) {
        var start = 0
        for i in 0...record.count where i == record.count || isBlank(record[i]) {
            if i > start { fields.append(Bytes(rebasing: record[start..<i])) }
            start = i + 1
        }
    }

    private mutating func splitQuoted(_ record: Bytes) throws(LineProblem) {
        guard case .text(let separator) = delimiter else { return }
        scratch.reserve(record.count)
        var start = 0
        repeat {
            let first = afterBlanks(record, start, separator)
            if first < record.count, record[first] == 0x22 {
                start = try takeQuoted(record, from: first + 1, separator)
            } else {
                let end = nextDelimiter(record, start, separator)
                fields.append(trimmed(Bytes(rebasing: record[start..<end])))
                start = end + separator.count
            }
        } while start <= record.count
    }

    /// Parses the field whose opening quote is before `start`; returns the start of the next field.
    private mutating func takeQuoted(_ record: Bytes, from start: Int, _ separator: [UInt8]) throws(LineProblem) -> Int
    {
        let first = scratch.used
        var (copied, i) = (start, start)
        while i < record.count, let found = memchr(record.baseAddress! + i, 0x22, record.count - i) {
            let quote = UnsafeRawPointer(found) - record.baseAddress!
            if quote + 1 < record.count, record[quote + 1] == 0x22 {
                scratch.append(Bytes(rebasing: record[copied...quote]))
                (copied, i) = (quote + 2, quote + 2)
                continue
            }
            guard let end = fieldEnd(record, quote + 1, separator) else {
                throw strayQuote(record, quote + 1, separator)
            }
            let rest = Bytes(rebasing: record[copied..<quote])
            if copied > start { scratch.append(rest) }
            fields.append(copied > start ? scratch.bytes(from: first) : rest)
            return end + separator.count
        }
        throw LineProblem(reason: "a quote is not closed", scope: .openQuote)
    }

    /// The end of a field that has only blanks from `start` on; nil if it has more.
    private func fieldEnd(_ record: Bytes, _ start: Int, _ separator: [UInt8]) -> Int? {
        let end = afterBlanks(record, start, separator)
        return end == record.count || startsDelimiter(record, end, separator) ? end : nil
    }

    /// The problem of a quote inside a quoted field that is not doubled. If all fields end within the line when only quotes before a
    /// delimiter count as closing ones, only this record is unusable.
    private func strayQuote(_ record: Bytes, _ start: Int, _ separator: [UInt8]) -> LineProblem {
        var isOpen = true
        var i = start
        while i < record.count {
            if isOpen {
                if record[i] == 0x22, fieldEnd(record, i + 1, separator) != nil { isOpen = false }
                i += 1
            } else if startsDelimiter(record, i, separator) {
                i = afterBlanks(record, i + separator.count, separator)
                if i < record.count, record[i] == 0x22 { (isOpen, i) = (true, i + 1) }
            } else {
                i += 1
            }
        }
        let isOneLine = memchr(record.baseAddress!, 0x0A, record.count) == nil
        return LineProblem(
            reason: "a closing quote must be followed by a delimiter (\(delimiter)) or the end of the line",
            scope: isOpen || !isOneLine ? .rest : .record)
    }

    private func afterBlanks(_ record: Bytes, _ start: Int, _ separator: [UInt8]) -> Int {
        var i = start
        while i < record.count, isBlank(record[i]), !startsDelimiter(record, i, separator) { i += 1 }
        return i
    }
}

private func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

private func startsDelimiter(_ record: Bytes, _ i: Int, _ delimiter: [UInt8]) -> Bool {
    guard i < record.count, record[i] == delimiter[0], i + delimiter.count <= record.count else { return false }
    if delimiter.count == 1 { return true }
    for k in 1..<delimiter.count where record[i + k] != delimiter[k] { return false }
    return true
}

/// The position of the next delimiter, or the end of the record.
private func nextDelimiter(_ record: Bytes, _ start: Int, _ delimiter: [UInt8]) -> Int {
    var i = start
    while i < record.count, let found = memchr(record.baseAddress! + i, Int32(delimiter[0]), record.count - i) {
        i = UnsafeRawPointer(found) - record.baseAddress!
        if startsDelimiter(record, i, delimiter) { return i }
        i += 1
    }
    return record.count
}

/// Finds the end of a record with quoted fields of several lines; reads each byte once.
struct QuoteScanner {
    private enum State { case fieldStart, unquoted, quoted, maybeClosed, closed }

    private let delimiter: [UInt8]
    private var position = 0
    private var state = State.fieldStart

    init(_ delimiter: [UInt8]) { self.delimiter = delimiter }

    /// Whether the record, which has one more line than in the last call, ends outside of quotes or is malformed.
    mutating func isComplete(_ record: Bytes) -> Bool {
        while position < record.count {
            let byte = record[position]
            if state != .quoted, startsDelimiter(record, position, delimiter) {
                state = .fieldStart
                position += delimiter.count
                continue
            }
            if state == .quoted {
                guard let found = memchr(record.baseAddress! + position, 0x22, record.count - position) else {
                    position = record.count
                    return false
                }
                position = UnsafeRawPointer(found) - record.baseAddress! + 1
                state = .maybeClosed
                continue
            }
            switch state {
            case .fieldStart: state = byte == 0x22 ? .quoted : isBlank(byte) ? .fieldStart : .unquoted
            case .unquoted, .quoted: break
            case .maybeClosed where byte == 0x22: state = .quoted
            case .maybeClosed, .closed:
                guard isBlank(byte) else { return true }
                state = .closed
            }
            position += 1
        }
        return state != .quoted
    }
}

/// Bytes without surrounding blanks: spaces, tabs, other white space of ASCII, no-break spaces, byte-order marks.
@inline(__always) func trimmed(_ bytes: Bytes) -> Bytes {
    guard let first = bytes.first, let last = bytes.last else { return bytes }
    // The usual case: printable ASCII at both ends.
    if first > 0x20, first < 0x7F, last > 0x20, last < 0x7F { return bytes }
    return thoroughlyTrimmed(bytes)
}

private func thoroughlyTrimmed(_ bytes: Bytes) -> Bytes {
    var (start, end) = (0, bytes.count)
    while let length = blankLength(bytes, start, end) { start += length }
    while let length = blankLength(endingAt: end, bytes, start) { end -= length }
    return Bytes(rebasing: bytes[start..<end])
}

/// White space of ASCII, U+00A0, U+3000 and U+FEFF in UTF-8.
private let longBlanks: [[UInt8]] = [[0xC2, 0xA0], [0xE3, 0x80, 0x80], [0xEF, 0xBB, 0xBF], [0xE2, 0x80, 0x8B]]

private func blankLength(_ bytes: Bytes, _ start: Int, _ end: Int) -> Int? {
    guard start < end else { return nil }
    if isSpace(bytes[start]) { return 1 }
    return longBlanks.first { start + $0.count <= end && bytes[start..<start + $0.count].elementsEqual($0) }?.count
}

private func blankLength(endingAt end: Int, _ bytes: Bytes, _ start: Int) -> Int? {
    guard start < end else { return nil }
    if isSpace(bytes[end - 1]) { return 1 }
    return longBlanks.first { end - $0.count >= start && bytes[end - $0.count..<end].elementsEqual($0) }?.count
}

private func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
