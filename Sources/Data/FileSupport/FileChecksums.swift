import CZlib
public import Foundation

/// Lengths and checksums of the files of a folder when they were written, by name: `files` in the folder's JSON.
public typealias FileChecksums = [String: FileChecksum]

/// Length and checksum of a file when it was written.
public struct FileChecksum: Sendable, Codable, Equatable {
    /// Length in bytes.
    public var bytes: Int
    /// CRC-32 of the bytes, eight hexadecimal digits.
    public var crc32: String
}

extension FileChecksums {
    /// The checksums of all files in a folder. O(bytes).
    public init(ofFilesIn folder: URL) throws(FileError) {
        self.init()
        for name in try entries(ofFolder: folder.path) {
            let file = try MappedFile(folder.appendingPathComponent(name))
            self[name] = withExtendedLifetime(file) { FileChecksum(file.bytes) }
        }
    }

    /// Throws unless a file has its length and checksum. O(bytes).
    public
        func check(_ file: MappedFile, _ name: String, path: String) throws(FileError)
    {
        func damaged(_ reason: String) -> FileError { FileError(path: path, operation: .use, reason: reason) }
        guard let expected = self[name] else {
            throw damaged("it was not there when the folder was written; it belongs to another one")
        }
        guard file.bytes.count == expected.bytes else {
            throw damaged(
                "\(counted(file.bytes.count, "byte")), but \(expected.bytes) were written: it is damaged or from another folder"
            )
        }
        let found = FileChecksum(file.bytes)
        guard found == expected else {
            throw damaged(
                "its checksum is \(found.crc32), but \(expected.crc32) was written: it is damaged or from another folder"
            )
        }
    }
}

extension FolderReader {
    /// Throws unless every file exists and has its checksum. O(bytes).
    public func check(_ checksums: FileChecksums) throws(FileError) {
        for name in checksums.keys.sorted() {
            _ = try file(name, checksums)
        }
    }
}

extension FileChecksum {
    /// The checksum of these bytes.
    init(_ content: UnsafeRawBufferPointer) { self.init(bytes: content.count, crc32: checksum(of: content)) }
}

/// The CRC-32 of bytes that are added in pieces.
public struct Checksum {
    private var value: UInt = 0

    /// The checksum of no bytes.
    public init() {}

    /// Adds bytes. O(count), some gigabytes per second.
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
    /// The value that the key `checksum` must have when an object is encoded; there may be a blank before the colon.
    public static let placeholder = "00000000"

    /// The text of the object with its checksum filled in.
    public static func seal(_ text: some Sequence<UInt8>) -> [UInt8] {
        var bytes = Array(text)
        guard let place = place(in: bytes) else { return bytes }
        bytes.replaceSubrange(place, with: placeholder.utf8)
        bytes.replaceSubrange(place, with: checksum(bytes).utf8)
        return bytes
    }

    /// Whether bytes are unchanged since ``seal(_:)``.
    public static func isIntact(_ text: [UInt8]) -> Bool {
        guard let place = place(in: text) else { return false }
        var bytes = text
        bytes.replaceSubrange(place, with: placeholder.utf8)
        return text[place].elementsEqual(checksum(bytes).utf8)
    }

    private static func checksum(_ bytes: [UInt8]) -> String { bytes.withUnsafeBytes { FileSupport.checksum(of: $0) } }

    /// The range of the eight digits.
    public static func place(in text: [UInt8]) -> Range<Int>? {
        let key = Array("\"checksum\"".utf8)
        guard let start = text.firstRange(of: key)?.upperBound else { return nil }
        let digits = text[start...].drop { $0 == 0x20 || $0 == 0x3A || $0 == 0x22 }.startIndex
        return digits + 8 < text.count && text[digits + 8] == 0x22 ? digits..<digits + 8 : nil
    }
}
