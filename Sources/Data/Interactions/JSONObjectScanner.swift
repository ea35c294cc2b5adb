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

    private let line: Bytes
    private let scratch: Scratch
    private var position = 0
    private var isFirst = true

    /// Starts at the object's opening brace.
    init(_ line: Bytes, _ scratch: Scratch) throws(LineProblem) {
        self.line = line
        self.scratch = scratch
        scratch.reserve(line.count)
        guard take("{") else { throw expected("a JSON object") }
    }

    /// The next member's key; nil after the last, when nothing but white space may follow. Its value must be read or
    /// skipped before the next call.
    mutating func nextKey() throws(LineProblem) -> Bytes? {
        if take("}") {
            guard peek() == nil else { throw expected("the end of the line") }
            return nil
        }
        if !isFirst {
            guard take(",") else { throw expected("a comma or the end of the object") }
        }
        isFirst = false
        guard take("\"") else {
            let rest = line[position...].drop { $0 == 0x20 }
            if rest.first == 0x27 || rest.starts(with: [0x75, 0x27]) { throw Self.isPython }
            throw expected("a key")
        }
        let key = try string()
        guard take(":") else { throw expected("a colon") }
        return key
    }

    /// The value behind a key.
    mutating func value() throws(LineProblem) -> Value {
        guard let first = peek() else { throw expected("a value") }
        switch first {
        case UInt8(ascii: "\""):
            position += 1
            return .text(try string())
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            try passNested()
            return .nested
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try number())
        default:
            let start = position
            guard pass("true") || pass("false") || pass("null") || pass("NaN") else { throw expected("a value") }
            return .word(Bytes(rebasing: line[start..<position]))
        }
    }

    /// Skips the value of a key; returns its bytes, undecoded.
    @discardableResult mutating func passValue() throws(LineProblem) -> Bytes {
        guard let first = peek() else { throw expected("a value") }
        let start = position
        switch first {
        case UInt8(ascii: "\""): try passString()
        case UInt8(ascii: "{"), UInt8(ascii: "["): try passNested()
        default:
            while position < line.count, !Self.endsWord(line[position]) { position += 1 }
            guard position > start else { throw expected("a value") }
        }
        return Bytes(rebasing: line[start..<position])
    }

    /// Keys and values of an object; strings are decoded, other values are their bytes.
    static func members(of line: Bytes) throws(LineProblem) -> [(key: String, value: String)] {
        let keys = Scratch()
        var scanner = try JSONObjectScanner(line, keys)
        var members: [(String, String)] = []
        while let key = try scanner.nextKey().map({ text($0) }) {
            let raw = try scanner.passValue()
            var value = text(raw)
            if raw.first == UInt8(ascii: "\"") {
                var inner = JSONObjectScanner(unchecked: raw, Scratch())
                if case .text(let bytes)? = try? inner.value() { value = text(bytes) }
            }
            members.append((key, value))
        }
        return members
    }

    private init(unchecked line: Bytes, _ scratch: Scratch) {
        self.line = line
        self.scratch = scratch
        scratch.reserve(line.count)
    }

    private static func endsWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: ","), UInt8(ascii: "}"), UInt8(ascii: "]"), UInt8(ascii: "{"), UInt8(ascii: "["),
            UInt8(ascii: "\""), UInt8(ascii: ":"), 0...0x20:
            true
        default: false
        }
    }

    private mutating func number() throws(LineProblem) -> Bytes {
        let start = position
        loop: while position < line.count {
            switch line[position] {
            case 0x30...0x39, 0x2B, 0x2D, 0x2E, 0x45, 0x65: position += 1
            default: break loop
            }
        }
        let bytes = Bytes(rebasing: line[start..<position])
        guard parseNumber(bytes) != nil else {
            position = start
            throw expected("a number")
        }
        return bytes
    }

    /// Skips a nested array or object.
    private mutating func passNested() throws(LineProblem) {
        var depth = 0
        repeat {
            guard position < line.count else { throw expected("a closing bracket") }
            switch line[position] {
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            case UInt8(ascii: "\""):
                try passString()
                continue
            default: break
            }
            position += 1
        } while depth > 0
    }

    /// Skips a string.
    private mutating func passString() throws(LineProblem) {
        position += 1
        while position < line.count {
            switch line[position] {
            case UInt8(ascii: "\""):
                position += 1
                return
            case UInt8(ascii: "\\"): position += 2
            default: position += 1
            }
        }
        position = line.count
        throw expected("a closing quote")
    }

    /// A string up to its closing quote, with escapes decoded.
    private mutating func string() throws(LineProblem) -> Bytes {
        let start = position
        while position < line.count, line[position] >= 0x20 {
            switch line[position] {
            case UInt8(ascii: "\""):
                position += 1
                return Bytes(rebasing: line[start..<position - 1])
            case UInt8(ascii: "\\"): return try escapedString(from: start)
            default: position += 1
            }
        }
        throw expected("a closing quote")
    }

    private mutating func escapedString(from start: Int) throws(LineProblem) -> Bytes {
        let first = scratch.used
        for i in start..<position { scratch.append(line[i]) }
        while position < line.count, line[position] >= 0x20 {
            let byte = line[position]
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return scratch.bytes(from: first)
            case UInt8(ascii: "\\"):
                for unit in Unicode.UTF8.encode(try escape()) ?? Unicode.UTF8.encodedReplacementCharacter {
                    scratch.append(unit)
                }
            default: scratch.append(byte)
            }
        }
        throw expected("a closing quote")
    }

    /// The character of an escape sequence after its backslash.
    private mutating func escape() throws(LineProblem) -> Unicode.Scalar {
        guard position < line.count else { throw expected("an escape") }
        position += 1
        switch line[position - 1] {
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "\""): return "\""
        case UInt8(ascii: "\\"): return "\\"
        case UInt8(ascii: "/"): return "/"
        case UInt8(ascii: "u"): return try unicodeEscape()
        default:
            position -= 1
            throw expected("an escape")
        }
    }

    private mutating func unicodeEscape() throws(LineProblem) -> Unicode.Scalar {
        let high = try fourHexDigits()
        if let scalar = Unicode.Scalar(high) { return scalar }
        guard UTF16.isLeadSurrogate(UInt16(high)), pass("\\u") else {
            throw expected("the other half of a surrogate pair")
        }
        let low = try fourHexDigits()
        guard UTF16.isTrailSurrogate(UInt16(low)),
            let scalar = Unicode.Scalar(0x10000 + (high - 0xD800) << 10 + (low - 0xDC00))
        else { throw expected("the other half of a surrogate pair") }
        return scalar
    }

    private mutating func fourHexDigits() throws(LineProblem) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard position < line.count, let digit = Character(Unicode.Scalar(line[position])).hexDigitValue else {
                throw expected("four hexadecimal digits")
            }
            value = value << 4 + UInt32(digit)
            position += 1
        }
        return value
    }

    /// The next byte that is not white space, nil at the end.
    private mutating func peek() -> UInt8? {
        while position < line.count, line[position] == 0x20 || line[position] == 0x09 { position += 1 }
        return position < line.count ? line[position] : nil
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard let next = peek(), UInt32(next) == character.value else { return false }
        position += 1
        return true
    }

    private mutating func pass(_ word: StaticString) -> Bool {
        let count = word.utf8CodeUnitCount
        guard position + count <= line.count, (0..<count).allSatisfy({ line[position + $0] == word.utf8Start[$0] })
        else {
            return false
        }
        position += count
        return true
    }

    private func expected(_ what: String) -> LineProblem {
        LineProblem(reason: "expected \(what) at byte \(position + 1)")
    }
}
