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
    private var source: UnpackedBytes
    private let size: Int
    private var buffer: UnsafeMutableRawBufferPointer
    /// Where the line that was given last begins.
    private var kept = 0
    /// Where the next line begins.
    private var start = 0
    private var end = 0
    private var atEnd = false
    private var isAtBeginning = true
    /// Number of the line that ``next()`` or ``extend()`` reached last, from 1.
    public private(set) var lineNumber = 0

    /// Opens a file.
    public init(_ url: URL) throws(FileError) {
        var information = stat()
        let isThere = stat(url.path, &information) == 0
        if isThere, information.st_mode & S_IFMT == S_IFDIR {
            throw FileError(path: url.path, operation: "open", reason: "it is a folder")
        }
        source = try UnpackedBytes(url)
        path = url.path
        size = isThere ? Int(information.st_size) : 0
        buffer = .allocate(byteCount: Self.chunk, alignment: 16)
    }

    /// Reads what is left of standard input.
    public init(standardInput: Void) {
        source = UnpackedBytes(standardInput: ())
        path = "standard input"
        size = 0
        buffer = .allocate(byteCount: Self.chunk, alignment: 16)
    }

    deinit { buffer.deallocate() }

    /// The next line without its end, nil after the last. The bytes are valid until the next call.
    ///
    /// Throws where reading fails, gzip data is damaged, cut short or followed by something else, or a line is longer
    /// than ``longestLine``.
    public mutating func next() throws(FileError) -> UnsafeRawBufferPointer? {
        try skipByteOrderMark()
        kept = start
        return try takeLine()
    }

    /// What was given last, its line end and the line behind it; nil where there is no further line. Valid until the
    /// next call, all together no longer than ``longestLine``.
    public mutating func extend() throws(FileError) -> UnsafeRawBufferPointer? { try takeLine() }

    /// The bytes that come next, at least `count` where there are as many. They are read again as lines; valid until the
    /// next call.
    public mutating func peek(_ count: Int) throws(FileError) -> UnsafeRawBufferPointer {
        try skipByteOrderMark()
        kept = start
        while end - start < count, !atEnd { try fill() }
        return UnsafeRawBufferPointer(rebasing: buffer[start..<end])
    }

    /// How much of the file was read so far, packed bytes where it is packed: 0 ... 1. A pipe has no size: 0.
    public var fractionRead: Double { size > 0 ? min(1, Double(source.used) / Double(size)) : 0 }

    private mutating func skipByteOrderMark() throws(FileError) {
        guard isAtBeginning else { return }
        isAtBeginning = false
        while end < 3 && !atEnd { try fill() }
        if end >= 3, buffer[0] == 0xEF, buffer[1] == 0xBB, buffer[2] == 0xBF { start = 3 }
    }

    private mutating func takeLine() throws(FileError) -> UnsafeRawBufferPointer? {
        var searched = 0
        while true {
            let pending = end - start - searched
            if pending > 0, let found = memchr(buffer.baseAddress! + start + searched, 0x0A, pending) {
                let line = try take(UnsafeRawPointer(found) - UnsafeRawPointer(buffer.baseAddress!))
                start += 1
                return line
            }
            if atEnd { return end == start ? nil : try take(end) }
            searched = end - start
            try checkLength(end - kept - 1)
            try fill()
        }
    }

    /// The bytes from `kept` up to `limit`, less a CR before it.
    private mutating func take(_ limit: Int) throws(FileError) -> UnsafeRawBufferPointer {
        var last = limit
        if last > start, buffer[last - 1] == 0x0D { last -= 1 }
        try checkLength(last - kept)
        start = limit
        lineNumber += 1
        return UnsafeRawBufferPointer(rebasing: buffer[kept..<last])
    }

    private func checkLength(_ count: Int) throws(FileError) {
        guard count <= Self.longestLine else {
            throw FileError(
                path: path, operation: "read line \(lineNumber + 1)",
                reason: "it is longer than \(Self.longestLine >> 20) MB")
        }
    }

    /// Moves what is still needed to the front and reads more behind it.
    private mutating func fill() throws(FileError) {
        if kept > 0 {
            memmove(buffer.baseAddress!, buffer.baseAddress! + kept, end - kept)
            (kept, start, end) = (0, start - kept, end - kept)
        }
        if end == buffer.count {
            let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: 2 * buffer.count, alignment: 16)
            larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[0..<end]))
            buffer.deallocate()
            buffer = larger
        }
        let count = try source.next(into: UnsafeMutableRawBufferPointer(rebasing: buffer[end...]))
        end += count
        if count == 0 { atEnd = true }
    }
}
