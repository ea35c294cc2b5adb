import CZlib
import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Streams the lines of a plain or gzipped file (told by content, not by name) in bounded memory.
///
/// A byte-order mark at the start is dropped, a line ends at LF or CRLF, the last one needs no end.
public struct LineReader: ~Copyable {
    /// Lines longer than this are refused.
    public static let longestLine = 64 << 20
    private static let chunk = 1 << 20

    private let path: String
    private let file: gzFile
    private let size: Int
    private var buffer: UnsafeMutableRawBufferPointer
    private var start = 0
    private var end = 0
    private var atEnd = false
    /// Number of the line that ``next()`` gave last, from 1.
    public private(set) var lineNumber = 0

    /// Opens a file.
    public init(_ url: URL) throws(FileError) {
        file = try Self.open(url)
        path = url.path
        var information = stat()
        size = stat(path, &information) == 0 ? Int(information.st_size) : 0
        buffer = .allocate(byteCount: Self.chunk, alignment: 16)
    }

    private static func open(_ url: URL) throws(FileError) -> gzFile {
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder), isFolder.boolValue {
            throw FileError(path: url.path, operation: "open", reason: "it is a folder")
        }
        guard let file = gzopen(url.path, "rb") else { throw .system(url.path, "open") }
        gzbuffer(file, UInt32(chunk))
        return file
    }

    deinit {
        gzclose_r(file)
        buffer.deallocate()
    }

    /// The next line without its end, nil after the last. The bytes are valid until the next call.
    ///
    /// Throws where reading fails, gzip data is damaged or cut short, or a line is longer than ``longestLine``.
    public mutating func next() throws(FileError) -> UnsafeRawBufferPointer? {
        if lineNumber == 0 { try skipByteOrderMark() }
        var searched = start
        while true {
            if searched < end, let found = memchr(buffer.baseAddress! + searched, 0x0A, end - searched) {
                let line = try take(UnsafeRawPointer(found) - UnsafeRawPointer(buffer.baseAddress!))
                start += 1
                return line
            }
            let pending = end - start
            if atEnd { return pending == 0 ? nil : try take(end) }
            try checkLength(pending - 1)
            try fill()
            searched = start + pending
        }
    }

    /// How much of the file was read so far, packed bytes where it is packed: 0 ... 1. A pipe has no size: 0.
    public var fractionRead: Double { size > 0 ? min(1, Double(gzoffset(file)) / Double(size)) : 0 }

    private mutating func skipByteOrderMark() throws(FileError) {
        while end < 3 && !atEnd { try fill() }
        if end >= 3, buffer[0] == 0xEF, buffer[1] == 0xBB, buffer[2] == 0xBF { start = 3 }
    }

    /// The bytes up to `limit`, less a CR before it.
    private mutating func take(_ limit: Int) throws(FileError) -> UnsafeRawBufferPointer {
        var last = limit
        if last > start, buffer[last - 1] == 0x0D { last -= 1 }
        try checkLength(last - start)
        let line = UnsafeRawBufferPointer(rebasing: buffer[start..<last])
        start = limit
        lineNumber += 1
        return line
    }

    private func checkLength(_ count: Int) throws(FileError) {
        guard count <= Self.longestLine else {
            throw FileError(
                path: path, operation: "read line \(lineNumber + 1)",
                reason: "it is longer than \(Self.longestLine >> 20) MB")
        }
    }

    /// Moves what is pending to the front and reads more behind it.
    private mutating func fill() throws(FileError) {
        if start > 0 {
            memmove(buffer.baseAddress!, buffer.baseAddress! + start, end - start)
            end -= start
            start = 0
        }
        if end == buffer.count {
            let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: 2 * buffer.count, alignment: 16)
            larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[0..<end]))
            buffer.deallocate()
            buffer = larger
        }
        let count = gzread(file, buffer.baseAddress! + end, UInt32(buffer.count - end))
        guard count >= 0 else { throw FileError(path: path, operation: "read", reason: zlibMessage()) }
        end += Int(count)
        if count == 0 {
            atEnd = true
            var code: Int32 = 0
            _ = gzerror(file, &code)
            guard code == Z_OK else { throw FileError(path: path, operation: "read", reason: zlibMessage()) }
        }
    }

    private func zlibMessage() -> String {
        var code: Int32 = 0
        let text = gzerror(file, &code).map { String(cString: $0) } ?? ""
        return code == Z_ERRNO ? String(cString: strerror(errno)) : "damaged gzip data (\(text))"
    }
}
