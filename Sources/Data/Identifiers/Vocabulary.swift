import Foundation

/// Raw identifiers and their numbers, with an optional title each.
///
/// Identifiers are compared byte by byte: é differs from e + ́ , which are equal as `String`s. They are stored in one block, so that millions of
/// users need little more memory than their file.
public struct Vocabulary: Sendable, Equatable {
    package private(set) var table = Interner()
    /// Titles by position, an empty string where there is none; an empty array where there are no titles at all.
    public private(set) var titles: [String] = []

    /// The vocabulary of these identifiers; nil if one occurs twice (byte for byte) or the titles are not as many.
    public init?(ids: [String], titles: [String] = []) {
        guard titles.isEmpty || titles.count == ids.count else { return nil }
        self.titles = titles
        for var id in ids {
            guard id.withUTF8({ table.intern(UnsafeRawBufferPointer($0)).isNew }) else { return nil }
        }
    }

    /// No identifiers.
    package init() {}

    /// Number of identifiers.
    public var count: Int { table.count }
    /// Identifiers in order of their numbers.
    public var ids: Identifiers { Identifiers(table: table) }
    /// Position of an identifier, from 0; where there is none of these bytes, that of its composed form (NFC), in which
    /// ids of logs are stored. O(1).
    public func position(of id: String) -> Int? {
        var id = id
        let index = id.withUTF8 { table.index(of: UnsafeRawBufferPointer($0)) }
        return (index ?? composed(id).flatMap { $0.withUnsafeBytes(table.index) }).map(Int.init)
    }
    /// Position of an identifier that is given as bytes. O(length).
    public func position(of id: UnsafeRawBufferPointer) -> Int? { table.index(of: id).map(Int.init) }
    /// Title at a position, nil where it has none.
    public func title(at position: Int) -> String? {
        titles.isEmpty || titles[position].isEmpty ? nil : titles[position]
    }
    /// Positions whose title is `title`, upper and lower case alike. O(count).
    public func positions(ofTitle title: String) -> [Int] {
        titles.indices.filter { titles[$0].caseInsensitiveCompare(title) == .orderedSame }
    }

    /// Adds an identifier, given as bytes, and its title; false where the identifier was there before. O(length).
    package mutating func append(_ id: UnsafeRawBufferPointer, title: String) -> Bool {
        if !title.isEmpty || !titles.isEmpty {
            titles += repeatElement("", count: count - titles.count)
            titles.append(title)
        }
        return table.intern(id).isNew
    }
}

extension Vocabulary {
    /// Identifiers by position, from 0; strings are created on access.
    public struct Identifiers: RandomAccessCollection, Equatable, Sendable {
        fileprivate let table: Interner

        /// Position of the first identifier: 0.
        public var startIndex: Int { 0 }
        /// Number of identifiers.
        public var endIndex: Int { table.count }
        /// The identifier at a position, repaired where it is not UTF-8. O(its length).
        public subscript(position: Int) -> String { table.string(Int32(position)) }
    }
}
