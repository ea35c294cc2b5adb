import FileSupport

/// Iterates over the members of one JSON object. Values that are not needed are skipped without validation, as long as their end
/// is clear.
struct JSONObjectScanner {
    /// A member's value. Bytes are valid as long as the line and the scratch memory are not reused.
    enum Value {
        /// A string with its escapes decoded.
        case text(Bytes)
        /// A number as it is written.
        case number(Bytes)
        /// true, false or null.
        case word(Bytes)
        /// An array or an object.
        case nested
    }

    private static let isPython = LineProblem(
        reason: "its keys stand in single quotes, as Python prints them, which is not JSON",
        remedies: [
            .convert(
                shell:
                    "python3 -c \"import sys, ast, json; [print(json.dumps(ast.literal_eval(line))) for line in sys.stdin]\" "
                    + "< FILE", to: .jsonl)
        ])

    private var json: JSONScanner<LineProblem>
    private var isFirst = true

    /// Starts at the object's opening brace.
    init(_ line: Bytes, _ scratch: Scratch) throws(LineProblem) {
        json = JSONScanner(line, scratch)
        guard json.take("{") else { throw json.expected("a JSON object") }
    }

    /// The next member's key; nil after the last, when nothing but white space may follow. Its value must be read or
    /// skipped before the next call.
    mutating func nextKey() throws(LineProblem) -> Bytes? {
        let key: Bytes?
        do throws(LineProblem) { key = try json.nextKey(isFirst: isFirst) } catch {
            throw json.pass("'") || json.pass("u'") ? Self.isPython : error
        }
        isFirst = false
        guard key != nil || json.next() == nil else { throw json.expected("the end of the line") }
        return key
    }

    /// The value behind a key.
    mutating func value() throws(LineProblem) -> Value {
        guard let first = json.next() else { throw json.expected("a value") }
        switch first {
        case UInt8(ascii: "\""):
            json.position += 1
            return .text(try json.string())
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            try json.passValue()
            return .nested
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            return .number(try json.number { parseNumber($0) != nil })
        default:
            let start = json.position
            guard json.pass("true") || json.pass("false") || json.pass("null") || json.pass("NaN") else {
                throw json.expected("a value")
            }
            return .word(json.written(from: start))
        }
    }

    /// Skips the value of a key.
    mutating func passValue() throws(LineProblem) { try json.passValue() }

    /// Keys and values of an object; strings are decoded, other values are their bytes.
    static func members(of line: Bytes) throws(LineProblem) -> [(key: String, value: String)] {
        var scanner = try JSONObjectScanner(line, Scratch())
        var members: [(String, String)] = []
        while let key = try scanner.nextKey() {
            let written = try scanner.json.passValue()
            var string = JSONScanner<LineProblem>(written)
            let decoded = string.take("\"") ? try? string.string() : nil
            members.append((text(key), text(decoded ?? written)))
        }
        return members
    }
}

extension LineProblem: JSONFailure {
    init(expected: String, atByte byte: Int) { self.init(reason: "expected \(expected) at byte \(byte)") }
}
