/// An item of a catalogue of V items, by its number, 1 … V, in datasets and models. Number 0 is no item: it is the padding row of the
/// embedding in model files.
///
/// The raw identifier of the item is in a ``Vocabulary``, at position ``row``.
@frozen public struct ItemID: RawRepresentable, Hashable, Comparable, Sendable, BitwiseCopyable, Codable {
    /// The number, from 1.
    public let rawValue: Int32

    /// The item with this number.
    @inlinable public init(rawValue: Int32) { self.rawValue = rawValue }

    /// The item at a position, from 0, in a vocabulary, a list of counts or the rows of scores.
    @inlinable public init(row: Int) { rawValue = Int32(row) + 1 }

    /// The item's position, from 0, among all items.
    @inlinable public var row: Int { Int(rawValue) - 1 }

    /// The item's row in the embedding, which begins with the padding row.
    @inlinable package var embeddingRow: Int { Int(rawValue) }

    /// By number.
    @inlinable public static func < (a: ItemID, b: ItemID) -> Bool { a.rawValue < b.rawValue }
}

extension ItemID: ExpressibleByIntegerLiteral {
    /// The item with this number.
    @inlinable public init(integerLiteral value: Int32) { rawValue = value }
}

extension ItemID: CustomStringConvertible {
    /// The number.
    public var description: String { "\(rawValue)" }
}
