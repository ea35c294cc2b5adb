/// What somebody throws where a text is not JSON.
package protocol JSONFailure: Error {
    /// `expected`: what should stand at a byte, counted from 1.
    init(expected: String, atByte byte: Int)
}

/// Reads the parts of one JSON text (RFC 8259) from front to back: the only reader of strings and their escapes. What it returns lies in the text
/// or, where a string has escapes, in the scratch memory: it is valid as long as neither is reused. O(bytes), without recursion.
package struct JSONScanner<Failure: JSONFailure> {
    /// The text.
    package let bytes: UnsafeRawBufferPointer
    /// How many of its bytes have been read.
    package var position = 0
    private let scratch: Scratch

    /// Starts at the first byte.
    package init(_ bytes: UnsafeRawBufferPointer, _ scratch: Scratch = Scratch()) {
        (self.bytes, self.scratch) = (bytes, scratch)
        scratch.reserve(bytes.count)  // a string has no more bytes than it takes to write it
    }

    /// The next byte that is not white space; nil at the end.
    @inlinable package mutating func next() -> UInt8? {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x0A, 0x0D, 0x09: position += 1
            case let byte: return byte
            }
        }
        return nil
    }

    /// Skips a character, if it comes next; returns whether it did.
    @inlinable package mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard next() == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    /// Skips some characters, if they stand here; returns whether they did.
    package mutating func pass(_ word: StaticString) -> Bool {
        guard bytes[position...].starts(with: UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount))
        else { return false }
        position += word.utf8CodeUnitCount
        return true
    }

    /// What was read from a position on, as it is written.
    package func written(from start: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: bytes[start..<position])
    }

    /// What is wrong where something else was expected.
    package func expected(_ what: String) -> Failure { Failure(expected: what, atByte: position + 1) }

    /// The key of an object's next member, whose value must be read before the next call; nil after the last. The object's opening brace has been
    /// taken.
    package mutating func nextKey(isFirst: Bool) throws(Failure) -> UnsafeRawBufferPointer? {
        if take("}") { return nil }
        guard isFirst || take(",") else { throw expected("a comma or the end of the object") }
        guard take("\"") else { throw expected("a key") }
        let key = try string()
        guard take(":") else { throw expected("a colon") }
        return key
    }

    /// A number or a word, as it is written, of which `isNumber` says whether it is a number.
    package mutating func number(_ isNumber: (UnsafeRawBufferPointer) -> Bool) throws(Failure) -> UnsafeRawBufferPointer
    {
        let start = position
        passWord()
        let word = written(from: start)
        guard isNumber(word) else {
            position = start
            throw expected("a number")
        }
        return word
    }

    /// A string behind its opening quote; whether it is UTF-8 is not looked at.
    package mutating func string() throws(Failure) -> UnsafeRawBufferPointer {
        let first = scratch.used
        var start = position
        while position < bytes.count, bytes[position] >= 0x20 {
            switch bytes[position] {
            case UInt8(ascii: "\""):
                let rest = written(from: start)
                position += 1
                guard scratch.used > first else { return rest }
                scratch.append(rest)
                return scratch.bytes(from: first)
            case UInt8(ascii: "\\"):
                scratch.append(written(from: start))
                position += 1
                scratch.append(try escape())
                start = position
            default: position += 1
            }
        }
        throw expected("a closing quote")
    }

    /// The text of a string that was read just now. Throws where it is not UTF-8.
    package func text(_ string: UnsafeRawBufferPointer) throws(Failure) -> String {
        guard let text = String(validating: string, as: UTF8.self) else { throw expected("text in UTF-8") }
        return text
    }

    /// The character of an escape sequence after its backslash.
    private mutating func escape() throws(Failure) -> Unicode.Scalar {
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

    private mutating func unicodeEscape() throws(Failure) -> Unicode.Scalar {
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

    private mutating func fourHexDigits() throws(Failure) -> UInt32 {
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

    // MARK: What nobody needs

    /// Skips a value, of which only the end is looked for; returns it as it is written.
    @discardableResult package mutating func passValue() throws(Failure) -> UnsafeRawBufferPointer {
        guard let first = next() else { throw expected("a value") }
        let start = position
        switch first {
        case UInt8(ascii: "\""): try passString()
        case UInt8(ascii: "{"), UInt8(ascii: "["): try passNested()
        default: passWord()
        }
        guard position > start else { throw expected("a value") }
        return written(from: start)
    }

    private mutating func passNested() throws(Failure) {
        var depth = 0
        repeat {
            guard position < bytes.count else { throw expected("a closing bracket") }
            switch bytes[position] {
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

    private mutating func passString() throws(Failure) {
        position += 1
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\""):
                position += 1
                return
            case UInt8(ascii: "\\"): position += 2
            default: position += 1
            }
        }
        position = bytes.count
        throw expected("a closing quote")
    }

    private mutating func passWord() {
        while position < bytes.count {
            switch bytes[position] {
            case 0...0x20, UInt8(ascii: ","), UInt8(ascii: ":"), UInt8(ascii: "\""), UInt8(ascii: "{"),
                UInt8(ascii: "}"), UInt8(ascii: "["), UInt8(ascii: "]"):
                return
            default: position += 1
            }
        }
    }
}

/// Whether it is a number of JSON's grammar: `-? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?`
package func isJSONNumber(_ text: some Collection<UInt8>) -> Bool {
    var rest = text[...]
    func take(_ wanted: UInt8...) -> Bool {
        guard let first = rest.first, wanted.contains(first) else { return false }
        rest.removeFirst()
        return true
    }
    func takeDigits() -> Bool {
        let before = rest.startIndex
        rest = rest.drop { (0x30...0x39).contains($0) }
        return rest.startIndex > before
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

/// The value of a hexadecimal digit; nil where it is none.
package func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
}
