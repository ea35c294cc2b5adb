import FileSupport
import Hummingbird
import Identifiers

/// Decodes `%41` to `A`, and `+` to a space where that is what it means. Nil where two hexadecimal digits are missing or the result is not UTF-8.
func percentDecoded(_ text: Substring, plusIsSpace: Bool = false) -> String? {
    // What was not UTF-8 on the wire has become U+FFFD on its way here.
    guard !text.unicodeScalars.contains("\u{FFFD}") else { return nil }
    guard text.utf8.contains(where: { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "+") }) else { return String(text) }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.utf8.count)
    var rest = text.utf8.makeIterator()
    while let byte = rest.next() {
        switch byte {
        case UInt8(ascii: "%"):
            guard let high = rest.next().flatMap(hexDigit), let low = rest.next().flatMap(hexDigit) else { return nil }
            bytes.append(high << 4 | low)
        case UInt8(ascii: "+") where plusIsSpace: bytes.append(0x20)
        default: bytes.append(byte)
        }
    }
    return String(validating: bytes, as: UTF8.self)
}

/// What identifiers are: 1 to 256 bytes without control characters.
enum IDRules {
    static let maximumBytes = 256

    /// Why it cannot be an identifier; nil where it can.
    static func refusal(_ text: String) -> String? {
        if text.isEmpty { return "must not be empty" }
        if text.utf8.count > maximumBytes { return "has more than \(maximumBytes) bytes" }
        if text.unicodeScalars.contains(where: isControl) { return "has control characters" }
        return nil
    }

    static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
    }
}

extension ServerContext {
    /// The identifier in the path. Decoded here, after the path was split, so that it may contain slashes.
    func id(_ name: String) throws(Problem) -> RawID {
        guard let text = percentDecoded(parameters[name[...]] ?? "") else {
            throw Problem(field: name, "is not percent-encoded UTF-8")
        }
        if let refusal = IDRules.refusal(text) { throw Problem(field: name, refusal) }
        return RawID(text)
    }
}
