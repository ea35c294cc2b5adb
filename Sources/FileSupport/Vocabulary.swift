import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Raw identifiers and their numbers, with an optional title each: one line a number in a tab-separated file with the
/// header `id<TAB>title`, fields escaped as ``TableText`` says.
///
/// Identifiers are bytes: é is not e + ́ , though a `String` takes them for the same. They lie packed, so that millions of
/// users need little more memory than their file is long.
public struct Vocabulary: Sendable, Equatable {
    private var table = Interner()
    /// Titles in order of the numbers; empty where there are none at all, an empty string where one has none.
    public private(set) var titles: [String] = []

    /// The vocabulary of these identifiers; nil if one occurs twice (byte for byte) or the titles are not as many.
    public init?(ids: [String], titles: [String] = []) {
        guard titles.isEmpty || titles.count == ids.count else { return nil }
        self.titles = titles
        for var id in ids {
            guard id.withUTF8({ table.intern(UnsafeRawBufferPointer($0)).isNew }) else { return nil }
        }
    }

    private init() {}

    /// Number of identifiers.
    public var count: Int { table.count }
    /// Identifiers in order of their numbers.
    public var ids: Identifiers { Identifiers(table: table) }
    /// Position of an identifier, from 0; where there is none of these bytes, that of its composed form (NFC), in which
    /// logs are kept. O(1).
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

    /// Writes the file, whole or not at all.
    public func write(to url: URL) throws(FileError) {
        try Self.write(0..<Int32(count), of: table, titles: titles, to: url)
    }

    /// Writes the file of the strings with these numbers in this order, whole or not at all. The strings must be UTF-8,
    /// the titles none or as many as the numbers.
    public static func write(
        _ numbers: some Collection<Int32>, of table: Interner, titles: [String] = [], to url: URL
    ) throws(FileError) {
        var writer = try FileWriter(url)
        try writer.append("id\ttitle\n")
        for (position, number) in numbers.enumerated() {
            try table.withBytes(number) { (id) throws(FileError) in
                if TableText.isItsOwnEscape(id) {
                    try writer.append(id)
                } else {
                    try writer.append(TableText.escaped(String(decoding: id, as: UTF8.self)))
                }
            }
            try writer.append("\t")
            if !titles.isEmpty { try writer.append(TableText.escaped(titles[position])) }
            try writer.append("\n")
        }
        try writer.commit()
    }

    /// Reads what ``write(to:)`` wrote, or somebody else in the same form, gzipped or not. The error names file and line.
    public static func read(_ url: URL) throws(FileError) -> Vocabulary {
        var reader = try LineReader(url)
        var vocabulary = Vocabulary()
        while let line = try reader.next() { try vocabulary.add(line, number: reader.lineNumber, path: url.path) }
        try vocabulary.finish(lines: reader.lineNumber, path: url.path)
        return vocabulary
    }

    /// Reads the bytes of a file that ``write(to:)`` wrote. The error names the path and the line.
    public static func read(_ file: MappedFile, path: String) throws(FileError) -> Vocabulary {
        var vocabulary = Vocabulary()
        var (start, number) = (0, 0)
        defer { withExtendedLifetime(file) {} }
        let bytes = file.bytes
        while start < bytes.count {
            let end = memchr(bytes.baseAddress! + start, 0x0A, bytes.count - start).map {
                UnsafeRawPointer($0) - bytes.baseAddress!
            }
            number += 1
            try vocabulary.add(
                UnsafeRawBufferPointer(rebasing: bytes[start..<(end ?? bytes.count)]), number: number, path: path)
            start = (end ?? bytes.count) + 1
        }
        try vocabulary.finish(lines: number, path: path)
        return vocabulary
    }

    private mutating func finish(lines: Int, path: String) throws(FileError) {
        if lines == 0 { throw Self.noHeader(path) }
        if !titles.isEmpty { fillTitles() }
    }

    private static func noHeader(_ path: String) -> FileError { malformed(path, 1, "expected the header id<TAB>title") }

    private static func malformed(_ path: String, _ line: Int, _ reason: String) -> FileError {
        FileError(path: path, operation: "read line \(line)", reason: reason)
    }

    private mutating func add(_ line: UnsafeRawBufferPointer, number: Int, path: String) throws(FileError) {
        if number == 1 {
            guard String(decoding: line, as: UTF8.self) == "id\ttitle" else { throw Self.noHeader(path) }
            return
        }
        guard isUTF8(line) else { throw Self.malformed(path, number, "not UTF-8") }
        guard let isNew = add(line) else { throw Self.malformed(path, number, "expected an id, a tab and a title") }
        guard isNew else { throw Self.malformed(path, number, "an id that an earlier line has") }
    }

    /// Adds what one line of a file says. false: the id was there before; nil: the line is not an id, a tab and a title.
    private mutating func add(_ line: UnsafeRawBufferPointer) -> Bool? {
        guard let tab = line.firstIndex(of: 0x09), !line[(tab + 1)...].contains(0x09),
            let title = TableText.unescaped(Substring(decoding: line[(tab + 1)...], as: UTF8.self))
        else { return nil }
        if !title.isEmpty {
            fillTitles()
            titles.append(title)
        }
        let id = UnsafeRawBufferPointer(rebasing: line[..<tab])
        if TableText.isItsOwnEscape(id) { return table.intern(id).isNew }
        guard var text = TableText.unescaped(Substring(decoding: id, as: UTF8.self)) else { return nil }
        return text.withUTF8 { table.intern(UnsafeRawBufferPointer($0)).isNew }
    }

    /// Gives an empty title to all that have none.
    private mutating func fillTitles() { titles += repeatElement("", count: count - titles.count) }
}

extension Vocabulary {
    /// Identifiers by position from 0; each becomes a string when it is asked for.
    public struct Identifiers: RandomAccessCollection, Equatable, Sendable {
        fileprivate let table: Interner

        /// 0.
        public var startIndex: Int { 0 }
        /// Their number.
        public var endIndex: Int { table.count }
        /// O(length).
        public subscript(position: Int) -> String { table.string(Int32(position)) }
    }
}
