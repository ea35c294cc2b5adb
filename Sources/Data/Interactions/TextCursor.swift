/// A cursor for parsing a short text.
struct TextCursor {
    private let bytes: Bytes
    private var position = 0

    init(_ bytes: Bytes) { self.bytes = bytes }

    var isAtEnd: Bool { position == bytes.count }
    /// The next byte, nil at the end.
    var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    /// Skips the next byte if it is this one; returns whether it was.
    mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard let next, UInt32(next) == character.value else { return false }
        position += 1
        return true
    }

    /// Skips the next byte, which must exist.
    mutating func skip() { position += 1 }

    /// Skips blanks, including the two no-break spaces (browsers write one before AM and PM); returns whether there were any.
    mutating func takeBlanks() -> Bool {
        let start = position
        while let next {
            switch next {
            case 0x20, 0x09: position += 1
            case 0xC2 where bytes[position...].starts(with: [0xC2, 0xA0]): position += 2
            case 0xE2 where bytes[position...].starts(with: [0xE2, 0x80, 0xAF]): position += 3
            default: return position > start
            }
        }
        return position > start
    }

    /// Parses the digits that follow, at most `limit`; nil where there are none.
    mutating func takeDigits(_ limit: Int) -> (value: Int, count: Int)? {
        let start = position
        var value = 0
        while position < bytes.count, position - start < limit {
            let digit = Int(bytes[position]) - 0x30
            guard digit >= 0, digit <= 9 else { break }
            value = 10 * value + digit
            position += 1
        }
        return position > start ? (value, position - start) : nil
    }

    /// Parses a number of exactly `digits` digits.
    mutating func takeNumber(_ digits: Int) -> Int? {
        guard let (value, count) = takeDigits(digits), count == digits else { return nil }
        return value
    }

    /// Parses the ASCII letters that follow, in lower case.
    mutating func takeWord() -> String {
        var word = ""
        while let next, next | 0x20 >= 0x61, next | 0x20 <= 0x7A {
            word.unicodeScalars.append(Unicode.Scalar(next | 0x20))
            position += 1
        }
        return word
    }
}
