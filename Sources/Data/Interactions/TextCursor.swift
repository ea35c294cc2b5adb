/// Reads a short text from the front, a few bytes at a time.
struct TextCursor {
    private let bytes: Bytes
    private var position = 0

    init(_ bytes: Bytes) { self.bytes = bytes }

    var isAtEnd: Bool { position == bytes.count }
    /// The byte that comes next, nil at the end.
    var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    /// Goes behind the next byte if it is this one.
    mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard let next, UInt32(next) == character.value else { return false }
        position += 1
        return true
    }

    /// Goes behind the next byte, whatever it is; there must be one.
    mutating func skip() { position += 1 }

    /// Goes behind blanks, the two that do not break lines among them (browsers write one before AM and PM); returns whether
    /// there were any.
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

    /// Takes all digits that come next, at most `limit`; nil where there are none.
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

    /// Takes a number of exactly so many digits.
    mutating func takeNumber(_ digits: Int) -> Int? {
        guard let (value, count) = takeDigits(digits), count == digits else { return nil }
        return value
    }

    /// Takes the ASCII letters that come next, in lower case.
    mutating func takeWord() -> String {
        var word = ""
        while let next, next | 0x20 >= 0x61, next | 0x20 <= 0x7A {
            word.unicodeScalars.append(Unicode.Scalar(next | 0x20))
            position += 1
        }
        return word
    }
}
