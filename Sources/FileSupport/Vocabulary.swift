import Foundation

/// Raw identifiers and their numbers, with an optional title each: one line a number in a tab-separated file with the
/// header `id<TAB>title`, fields escaped as ``TableText`` says.
public struct Vocabulary: Sendable, Equatable {
    /// Identifiers in order of their numbers.
    public private(set) var ids: [String]
    /// Titles in the same order; empty where there are none at all, an empty string where one has none.
    public private(set) var titles: [String]
    private var positions: [ExactText: Int]

    /// The vocabulary of these identifiers; nil if one occurs twice (byte for byte) or the titles are not as many.
    public init?(ids: [String], titles: [String] = []) {
        guard titles.isEmpty || titles.count == ids.count else { return nil }
        self.ids = ids
        self.titles = titles
        positions = Dictionary(
            zip(ids.lazy.map(ExactText.init), ids.indices), uniquingKeysWith: { first, _ in first })
        guard positions.count == ids.count else { return nil }
    }

    /// Number of identifiers.
    public var count: Int { ids.count }
    /// Position of an identifier, from 0. O(1).
    public func position(of id: String) -> Int? { positions[ExactText(text: id)] }
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
        var writer = try FileWriter(url)
        try writer.append("id\ttitle\n")
        for position in ids.indices {
            try writer.append(TableText.escaped(ids[position]))
            try writer.append("\t")
            if !titles.isEmpty { try writer.append(TableText.escaped(titles[position])) }
            try writer.append("\n")
        }
        try writer.commit()
    }

    /// Reads what ``write(to:)`` wrote. The error names file and line.
    public static func read(_ url: URL) throws(FileError) -> Vocabulary {
        var reader = try LineReader(url)
        func malformed(_ line: Int, _ reason: String) -> FileError {
            FileError(path: url.path, operation: "read line \(line)", reason: reason)
        }
        guard let header = try reader.next(), String(decoding: header, as: UTF8.self) == "id\ttitle" else {
            throw malformed(1, "expected the header id<TAB>title")
        }
        var (ids, titles): ([String], [String]) = ([], [])
        while let line = try reader.next() {
            guard let text = String(validating: line, as: UTF8.self) else {
                throw malformed(reader.lineNumber, "not UTF-8")
            }
            let fields = text.split(separator: "\t", omittingEmptySubsequences: false)
            guard fields.count == 2, let id = TableText.unescaped(fields[0]), let title = TableText.unescaped(fields[1])
            else { throw malformed(reader.lineNumber, "expected an id, a tab and a title") }
            ids.append(id)
            titles.append(title)
        }
        if titles.allSatisfy(\.isEmpty) { titles = [] }
        guard let vocabulary = Vocabulary(ids: ids, titles: titles) else {
            throw FileError(path: url.path, operation: "read", reason: "an id occurs twice")
        }
        return vocabulary
    }
}

/// Text that equals another only if their UTF-8 does: `String` takes é and e + ́ for the same, a log's ids need not.
private struct ExactText: Hashable {
    let text: String

    static func == (a: ExactText, b: ExactText) -> Bool { a.text.utf8.elementsEqual(b.text.utf8) }

    func hash(into hasher: inout Hasher) {
        if text.utf8.withContiguousStorageIfAvailable({ hasher.combine(bytes: UnsafeRawBufferPointer($0)) }) == nil {
            for byte in text.utf8 { hasher.combine(byte) }
        }
    }
}
