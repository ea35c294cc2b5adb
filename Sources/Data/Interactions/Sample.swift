#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The first records of a file, as text, from which its layout is inferred.
struct Sample {
    /// The fields of each record.
    private(set) var records: [[String]] = []
    /// The first line that could not be split, and why.
    private(set) var problem: (line: Int, reason: String)?
    /// Line number of each record, from 1.
    private(set) var lineNumbers: [Int] = []

    private static let limit = 100

    /// - Parameter skipping: number of lines at the beginning to skip.
    init(_ head: Head, _ dialect: TableDialect, skipping: Int = 0) {
        var splitter = FieldSplitter(dialect)
        var lines = head.lines.dropFirst(skipping)
        while let line = lines.first, records.count < Self.limit {
            let number = lines.startIndex + 1
            lines = lines.dropFirst()
            guard !line.isEmpty else { continue }
            var record = line
            var problem = Self.split(&splitter, record)
            if problem?.scope == .openQuote, case .text(let delimiter) = dialect.delimiter {
                var scanner = QuoteScanner(delimiter)
                while !scanner.isComplete(record), let next = lines.popFirst() {
                    record = head.bytes(from: record, through: next)
                }
                problem = Self.split(&splitter, record)
            }
            if let problem {
                self.problem = self.problem ?? (number, problem.reason)
                continue
            }
            records.append(splitter.fields.indices.map { text(splitter.field($0)) })
            lineNumbers.append(number)
        }
    }

    private static func split(_ splitter: inout FieldSplitter, _ record: Bytes) -> LineProblem? {
        do { try splitter.split(record) } catch { return error }
        return nil
    }

    /// The number of fields that all records have; nil where they differ or there are none.
    var width: Int? {
        guard let first = records.first?.count, records.allSatisfy({ $0.count == first }) else { return nil }
        return first
    }

    /// The values of a column.
    func values(_ column: Int) -> [String] { records.compactMap { column < $0.count ? $0[column] : nil } }
}

/// The first lines of a file. Valid until the reader continues.
struct Head {
    let bytes: Bytes
    private(set) var lines: [Bytes] = []

    /// - Parameter isWhole: whether nothing follows; otherwise a last line without an end is left out, if it is not the only one.
    init(_ bytes: Bytes, isWhole: Bool) {
        self.bytes = bytes
        var start = 0
        while start < bytes.count, lines.count < 1000 {
            let found = memchr(bytes.baseAddress! + start, 0x0A, bytes.count - start)
            if found == nil, !isWhole, !lines.isEmpty { break }
            let end = found.map { UnsafeRawPointer($0) - bytes.baseAddress! } ?? bytes.count
            let last = end > start && bytes[end - 1] == 0x0D ? end - 1 : end
            lines.append(withoutMark(Bytes(rebasing: bytes[start..<last])))
            start = end + 1
        }
    }

    /// The bytes from the start of one line to the end of another.
    func bytes(from first: Bytes, through last: Bytes) -> Bytes {
        let start = first.baseAddress! - bytes.baseAddress!
        return Bytes(rebasing: bytes[start..<(last.baseAddress! - bytes.baseAddress! + last.count)])
    }
}

/// A line without a byte-order mark, which concatenated files have in the middle.
func withoutMark(_ line: Bytes) -> Bytes {
    guard line.first == 0xEF, line.starts(with: [0xEF, 0xBB, 0xBF]) else { return line }
    return Bytes(rebasing: line.dropFirst(3))
}

/// Bytes as text; bytes that are not UTF-8 are decoded as Latin-1.
func text(_ bytes: Bytes) -> String {
    String(validating: bytes, as: UTF8.self) ?? String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
}

/// What a field looks like, to infer a layout.
enum Look {
    /// A whole number, or one with a fraction.
    static func isNumber(_ text: String) -> Bool { withBytes(text) { parseNumber($0) != nil } }

    static func isDecimal(_ text: String) -> Bool { text.contains(".") && isNumber(text) }

    /// A date or a time in one of the usual notations.
    static func isCalendarTime(_ text: String) -> Bool {
        guard text.utf8.contains(where: { (0x2D...0x2F).contains($0) || $0 == 0x3A }) else { return false }
        return text.firstMatch(of: /^\d{1,4}[-\/.]\d{1,2}[-\/.]\d{1,4}/) != nil
            || text.firstMatch(of: /\d{1,2}:\d{2}(:\d{2})?/) != nil
    }

    /// Seconds, milliseconds, microseconds or nanoseconds between 1990 and 2080.
    static func isUnixTime(_ text: String) -> Bool {
        guard var value = withBytes(text, parseNumber) else { return false }
        while value > 1e11 { value /= 1000 }
        return value > 6.3e8 && value < 3.5e9
    }

    /// A number that is a count since 1970 or a date without separators, by its size.
    static func isClearTime(_ text: String) -> Bool {
        guard let digits = Int64(text) else { return isUnixTime(text) }
        return NumberKind(digits).isClear
    }

    static func isTime(_ text: String) -> Bool { isCalendarTime(text) && !isNumber(text) || isUnixTime(text) }

}

/// Calls `body` with a text's bytes.
func withBytes<Value, Failure: Error>(
    _ text: String, _ body: (Bytes) throws(Failure) -> Value
) throws(Failure) -> Value {
    var text = text
    return try text.withUTF8 { bytes in Result { () throws(Failure) in try body(Bytes(bytes)) } }.get()
}

extension Sequence {
    /// Whether there are elements and all satisfy.
    func allAndSome(_ predicate: (Element) -> Bool) -> Bool {
        var some = false
        for element in self {
            guard predicate(element) else { return false }
            some = true
        }
        return some
    }
}
