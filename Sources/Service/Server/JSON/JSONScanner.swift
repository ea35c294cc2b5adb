import HTTPTypes

/// The words, strings and numbers of a JSON document, from front to back.
struct JSONScanner {
    /// The longest number, in bytes.
    static let maximumDigits = 256

    private let bytes: [UInt8]
    private var position = 0

    /// Starts at the first byte.
    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The place of the next byte that is not white space.
    var place: Int {
        mutating get {
            _ = next()
            return position
        }
    }

    /// What was read from a place on.
    func text(from start: Int) -> String { String(decoding: bytes[start..<position], as: UTF8.self) }

    /// What is wrong where something else was expected.
    func expected(_ what: String) -> Problem {
        Problem(.badRequest, "the body is not JSON: expected \(what) at byte \(position + 1)")
    }

    /// Skips one byte.
    mutating func skip() { position += 1 }

    /// The next byte that is not white space; nil at the end.
    mutating func next() -> UInt8? {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x0A, 0x0D, 0x09: position += 1
            case let byte: return byte
            }
        }
        return nil
    }

    /// Skips a character, if it comes next; returns whether it did.
    mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard next() == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    /// Skips a word, if it comes next; returns whether it did.
    mutating func pass(_ word: StaticString) -> Bool {
        let count = word.utf8CodeUnitCount
        guard position + count <= bytes.count, (0..<count).allSatisfy({ bytes[position + $0] == word.utf8Start[$0] })
        else { return false }
        position += count
        return true
    }

    /// A number, as it is written.
    mutating func number() throws(Problem) -> String {
        let start = position
        while position < bytes.count, Self.isPartOfNumber(bytes[position]) { position += 1 }
        let digits = bytes[start..<position]
        guard digits.count <= Self.maximumDigits, Self.isNumber(digits) else {
            position = start
            throw expected("a number")
        }
        return String(decoding: digits, as: UTF8.self)
    }

    /// A string from its opening quote.
    mutating func string() throws(Problem) -> String {
        position += 1
        let start = position
        while position < bytes.count, bytes[position] >= 0x20 {
            switch bytes[position] {
            case UInt8(ascii: "\""):
                position += 1
                return try valid(bytes[start..<position - 1])
            case UInt8(ascii: "\\"): return try escapedText(from: start)
            default: position += 1
            }
        }
        throw expected("a closing quote")
    }

    private mutating func escapedText(from start: Int) throws(Problem) -> String {
        var text = Array(bytes[start..<position])
        while position < bytes.count, bytes[position] >= 0x20 {
            let byte = bytes[position]
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return try valid(text[...])
            case UInt8(ascii: "\\"): text.append(contentsOf: String(try escape()).utf8)
            default: text.append(byte)
            }
        }
        throw expected("a closing quote")
    }

    private func valid(_ utf8: ArraySlice<UInt8>) throws(Problem) -> String {
        guard let text = String(validating: utf8, as: UTF8.self) else { throw expected("text in UTF-8") }
        return text
    }

    /// The character of an escape sequence after its backslash.
    private mutating func escape() throws(Problem) -> Unicode.Scalar {
        guard position < bytes.count else { throw expected("an escape") }
        position += 1
        switch bytes[position - 1] {
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

    private mutating func unicodeEscape() throws(Problem) -> Unicode.Scalar {
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

    private mutating func fourHexDigits() throws(Problem) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard position < bytes.count, let digit = hexDigit(bytes[position]) else {
                throw expected("four hexadecimal digits")
            }
            value = value << 4 + UInt32(digit)
            position += 1
        }
        return value
    }
}

extension JSONScanner {
    private static func isPartOfNumber(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"):
            true
        default: false
        }
    }

    /// Whether it is a number of JSON's grammar: `-? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?`
    static func isNumber(_ text: ArraySlice<UInt8>) -> Bool {
        var rest = text
        func take(_ wanted: UInt8...) -> Bool {
            guard let first = rest.first, wanted.contains(first) else { return false }
            rest.removeFirst()
            return true
        }
        func takeDigits() -> Bool {
            let before = rest.count
            rest = rest.drop { (0x30...0x39).contains($0) }
            return rest.count < before
        }
        _ = take(UInt8(ascii: "-"))
        guard take(UInt8(ascii: "0")) || takeDigits() else { return false }
        if take(UInt8(ascii: ".")), !takeDigits() { return false }
        if take(UInt8(ascii: "e"), UInt8(ascii: "E")) {
            _ = take(UInt8(ascii: "+"), UInt8(ascii: "-"))
            guard takeDigits() else { return false }
        }
        return rest.isEmpty
    }
}
