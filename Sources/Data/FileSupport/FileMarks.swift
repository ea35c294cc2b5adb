import CZlib
import Foundation

/// What the files of a folder were when they were written, by name: `files` of the folder's JSON.
public typealias FileMarks = [String: FileMark]

/// What one file was when it was written.
public struct FileMark: Sendable, Codable, Equatable {
    /// Its length.
    public var bytes: Int
    /// CRC-32 of its bytes, eight hexadecimal digits.
    public var crc32: String
}

extension FileMarks {
    /// The marks of all files that are in a folder now. O(bytes).
    public init(ofFilesIn folder: URL) throws(FileError) {
        self.init()
        for name in try entries(ofFolder: folder.path) {
            let file = try MappedFile(folder.appendingPathComponent(name))
            self[name] = withExtendedLifetime(file) { FileMark(file.bytes) }
        }
    }

    /// Throws unless a file is what it was. O(bytes).
    public
        func check(_ file: MappedFile, _ name: String, path: String) throws(FileError)
    {
        func damaged(_ reason: String) -> FileError { FileError(path: path, operation: "use", reason: reason) }
        guard let mark = self[name] else {
            throw damaged("it was not there when the folder was written; it belongs to another one")
        }
        guard file.bytes.count == mark.bytes else {
            throw damaged(
                "\(counted(file.bytes.count, "byte")), but \(mark.bytes) were written: it is damaged or from another folder"
            )
        }
        let found = FileMark(file.bytes)
        guard found == mark else {
            throw damaged(
                "its checksum is \(found.crc32), but \(mark.crc32) was written: it is damaged or from another folder"
            )
        }
    }
}

extension FolderReader {
    /// Throws unless every file with a mark is there and what it was. O(bytes).
    public func check(_ marks: FileMarks) throws(FileError) {
        for name in marks.keys.sorted() {
            _ = try file(name, marks)
        }
    }
}

extension FileMark {
    /// The mark of these bytes.
    init(_ content: UnsafeRawBufferPointer) { self.init(bytes: content.count, crc32: checksum(of: content)) }
}

/// CRC-32 of bytes that come piece by piece.
public struct Checksum {
    private var value: UInt = 0

    /// Of no bytes.
    public init() {}

    /// Goes on with more bytes. O(count), some gigabytes a second.
    public mutating func add(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress else { return }
        value = crc32_z(value, start.assumingMemoryBound(to: UInt8.self), bytes.count)
    }

    /// Eight hexadecimal digits.
    public var text: String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }
}

private func checksum(of bytes: UnsafeRawBufferPointer) -> String {
    var checksum = Checksum()
    checksum.add(bytes)
    return checksum.text
}

/// A JSON object that carries a checksum of its own bytes: the value of the key `checksum`, computed over the bytes with
/// eight zeros in its place.
public enum SealedJSON {
    /// What the key `checksum` must hold when an object is encoded, with or without a blank before the colon.
    public static let placeholder = "00000000"

    /// The object's text with its checksum.
    public static func seal(_ text: some Sequence<UInt8>) -> [UInt8] {
        var bytes = Array(text)
        guard let place = place(in: bytes) else { return bytes }
        bytes.replaceSubrange(place, with: placeholder.utf8)
        bytes.replaceSubrange(place, with: checksum(bytes).utf8)
        return bytes
    }

    /// Whether bytes are as ``seal(_:)`` gave them.
    public static func isIntact(_ text: [UInt8]) -> Bool {
        guard let place = place(in: text) else { return false }
        var bytes = text
        bytes.replaceSubrange(place, with: placeholder.utf8)
        return text[place].elementsEqual(checksum(bytes).utf8)
    }

    private static func checksum(_ bytes: [UInt8]) -> String { bytes.withUnsafeBytes { FileSupport.checksum(of: $0) } }

    /// Where the eight digits are.
    public static func place(in text: [UInt8]) -> Range<Int>? {
        let key = Array("\"checksum\"".utf8)
        guard let start = text.firstRange(of: key)?.upperBound else { return nil }
        let digits = text[start...].drop { $0 == 0x20 || $0 == 0x3A || $0 == 0x22 }.startIndex
        return digits + 8 < text.count && text[digits + 8] == 0x22 ? digits..<digits + 8 : nil
    }
}
