import Identifiers
import NIOCore

/// Writes JSON into a buffer, without spaces. The caller sees to it that brackets match and that members of objects have keys.
struct JSONWriter {
    /// What has been written.
    private(set) var buffer: ByteBuffer
    private var needsComma = false

    /// Begins with room for so many bytes.
    init(capacity: Int = 1024) { buffer = ByteBufferAllocator().buffer(capacity: capacity) }

    /// An object with the members that `body` writes.
    mutating func object(_ body: (inout JSONWriter) -> Void) { nested("{", "}", body) }
    /// An array of the values that `body` writes.
    mutating func array(_ body: (inout JSONWriter) -> Void) { nested("[", "]", body) }

    /// The key of the next value. It must need no escapes.
    mutating func key(_ key: StaticString) {
        separate()
        buffer.writeInteger(UInt8(ascii: "\""))
        buffer.writeStaticString(key)
        buffer.writeStaticString("\":")
        needsComma = false
    }

    /// The key of the next value, of any characters.
    mutating func key(text: String) {
        string(text)
        buffer.writeInteger(UInt8(ascii: ":"))
        needsComma = false
    }

    /// A string.
    mutating func string(_ text: String) {
        separate()
        buffer.writeInteger(UInt8(ascii: "\""))
        if text.utf8.contains(where: Self.needsEscape) { escaped(text) } else { buffer.writeString(text) }
        buffer.writeInteger(UInt8(ascii: "\""))
    }
    /// An identifier.
    mutating func string(_ id: RawID) { string(id.text) }

    /// An integer.
    mutating func number(_ value: some FixedWidthInteger) { literal("\(value)") }
    /// The shortest number that reads back as this one; null where it is not finite, which JSON cannot say.
    mutating func number(_ value: some BinaryFloatingPoint & LosslessStringConvertible) {
        literal(value.isFinite ? value.description : "null")
    }
    /// true or false.
    mutating func boolean(_ value: Bool) { literal(value ? "true" : "false") }
    /// null.
    mutating func null() { literal("null") }
    /// A value that is JSON already.
    mutating func literal(_ json: String) {
        separate()
        buffer.writeString(json)
    }

    private mutating func nested(_ open: Unicode.Scalar, _ close: Unicode.Scalar, _ body: (inout JSONWriter) -> Void) {
        separate()
        buffer.writeInteger(UInt8(ascii: open))
        needsComma = false
        body(&self)
        buffer.writeInteger(UInt8(ascii: close))
        needsComma = true
    }

    private mutating func separate() {
        if needsComma { buffer.writeInteger(UInt8(ascii: ",")) }
        needsComma = true
    }

    private static func needsEscape(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    private mutating func escaped(_ text: String) {
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""): buffer.writeStaticString("\\\"")
            case UInt8(ascii: "\\"): buffer.writeStaticString("\\\\")
            case UInt8(ascii: "\n"): buffer.writeStaticString("\\n")
            case UInt8(ascii: "\r"): buffer.writeStaticString("\\r")
            case UInt8(ascii: "\t"): buffer.writeStaticString("\\t")
            case 0..<0x20:
                buffer.writeStaticString(byte < 0x10 ? "\\u000" : "\\u00")
                buffer.writeString(String(byte, radix: 16))
            default: buffer.writeInteger(byte)
            }
        }
    }
}
