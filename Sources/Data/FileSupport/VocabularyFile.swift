public import Foundation
public import Identifiers

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The file of a vocabulary: one line for each identifier, in order, tab-separated with the header `id<TAB>title`, fields escaped as
/// ``TableText`` says.
extension Vocabulary {
    /// Writes the file, completely or not at all.
    public func write(to url: URL) throws(FileError) {
        try Self.write(0..<Int32(count), of: table, titles: titles, to: url)
    }

    /// Writes the file of the strings with these numbers in this order, completely or not at all. The strings must be
    /// UTF-8; there must be no titles or as many as numbers.
    package static func write(
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

    /// Reads a file of the form that ``write(to:)`` writes, gzipped or not. The error names file and line.
    public static func read(_ url: URL) throws(FileError) -> Vocabulary {
        var reader = try LineReader(url)
        var vocabulary = Vocabulary()
        while let line = try reader.next() { try vocabulary.add(line, number: reader.lineNumber, path: url.path) }
        if reader.lineNumber == 0 { throw Self.noHeader(url.path) }
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
        if number == 0 { throw Self.noHeader(path) }
        return vocabulary
    }

    private static func noHeader(_ path: String) -> FileError { malformed(path, 1, "expected the header id<TAB>title") }

    private static func malformed(_ path: String, _ line: Int, _ reason: String) -> FileError {
        FileError(path: path, operation: .readLine(line), reason: reason)
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

    /// Adds the id and the title of one line. False if the id is a duplicate; nil if the line is not an id, a tab and a title.
    private mutating func add(_ line: UnsafeRawBufferPointer) -> Bool? {
        guard let tab = line.firstIndex(of: 0x09), !line[(tab + 1)...].contains(0x09),
            let title = TableText.unescaped(Substring(decoding: line[(tab + 1)...], as: UTF8.self))
        else { return nil }
        let id = UnsafeRawBufferPointer(rebasing: line[..<tab])
        if TableText.isItsOwnEscape(id) { return append(id, title: title) }
        guard var text = TableText.unescaped(Substring(decoding: id, as: UTF8.self)) else { return nil }
        return text.withUTF8 { append(UnsafeRawBufferPointer($0), title: title) }
    }
}
