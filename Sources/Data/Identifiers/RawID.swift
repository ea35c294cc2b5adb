/// An identifier as other programs know it: of a user, an item, an event. Compared byte by byte, unlike a `String`, for which é equals e + ́ .
public struct RawID: Sendable {
    /// The identifier.
    public let text: String

    /// The identifier `text`.
    public init(_ text: String) {
        var text = text
        text.makeContiguousUTF8()
        self.text = text
    }

    /// Calls `body` with the bytes. O(1).
    public func withBytes<Value>(_ body: (UnsafeRawBufferPointer) throws -> Value) rethrows -> Value {
        var text = text
        return try text.withUTF8 { try body(UnsafeRawBufferPointer($0)) }
    }
}

extension RawID: Hashable {
    /// Whether the bytes are the same.
    public static func == (a: RawID, b: RawID) -> Bool { a.text.utf8.elementsEqual(b.text.utf8) }
    /// Hashes the bytes.
    public func hash(into hasher: inout Hasher) { withBytes { hasher.combine(bytes: $0) } }
}

extension RawID: Comparable {
    /// By bytes.
    public static func < (a: RawID, b: RawID) -> Bool { a.text.utf8.lexicographicallyPrecedes(b.text.utf8) }
}

extension RawID: ExpressibleByStringInterpolation, CustomStringConvertible, Codable {
    /// The identifier written in a program.
    public init(stringLiteral value: String) { self.init(value) }
    /// The identifier.
    public var description: String { text }
    /// From a string.
    public init(from decoder: any Decoder) throws { self.init(try decoder.singleValueContainer().decode(String.self)) }
    /// As a string.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}
