public import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Reads the lines of a file, plain or compressed by gzip, bzip2 or Zstandard (recognised by its content), one by one in bounded memory.
///
/// A byte-order mark at the start is dropped, a line ends at LF or CRLF, the last line needs no end.
public struct LineReader: ~Copyable {
    /// Lines longer than this are refused.
    public static let longestLine = 64 << 20
    private static let chunk = 1 << 20

    private let path: String
    private var source: UnpackedBytes
    private let size: Int
    private var buffer: UnsafeMutableRawBufferPointer
    /// Start of the current line, or of several lines after ``extend()``.
    private var lineStart = 0
    /// Start of the next line.
    private var start = 0
    private var end = 0
    private var atEnd = false
    private var isAtBeginning = true
    /// Number of the current line, from 1.
    public private(set) var lineNumber = 0

    /// Opens a file.
    public init(_ url: URL) throws(FileError) {
        var information = stat()
        let isThere = stat(url.path, &information) == 0
        if isThere, information.st_mode & S_IFMT == S_IFDIR {
            throw FileError(path: url.path, operation: .open, reason: "it is a folder")
        }
        source = try UnpackedBytes(url)
        path = url.path
        size = isThere ? Int(information.st_size) : 0
        buffer = .allocate(byteCount: Self.chunk, alignment: 16)
    }

    /// Reads the rest of standard input.
    public init(standardInput: Void) {
        source = UnpackedBytes(standardInput: ())
        path = "standard input"
        size = 0
        buffer = .allocate(byteCount: Self.chunk, alignment: 16)
    }

    deinit { buffer.deallocate() }

    /// The next line without its end, nil after the last. The bytes are valid until the next call.
    ///
    /// Throws where reading fails, compressed data is damaged, truncated or followed by something else, or a line is longer
    /// than ``longestLine``.
    public mutating func next() throws(FileError) -> UnsafeRawBufferPointer? {
        try skipByteOrderMark()
        lineStart = start
        return try takeLine()
    }

    /// The previous result extended by its line end and the next line; nil where there is no further line. Valid until the next
    /// call, and no longer than ``longestLine``.
    public mutating func extend() throws(FileError) -> UnsafeRawBufferPointer? { try takeLine() }

    /// The next bytes without consuming them, at least `count` where there are as many. Valid until the next call.
    public mutating func peek(_ count: Int) throws(FileError) -> UnsafeRawBufferPointer {
        try skipByteOrderMark()
        lineStart = start
        while end - start < count, !atEnd { try fill() }
        return UnsafeRawBufferPointer(rebasing: buffer[start..<end])
    }

    /// The fraction of the file that was read, in compressed bytes where it is compressed; 0 for a pipe, which has no size.
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
            try checkLength(end - lineStart - 1)
            try fill()
        }
    }

    /// The bytes from `lineStart` up to `limit`, without a CR before it.
    private mutating func take(_ limit: Int) throws(FileError) -> UnsafeRawBufferPointer {
        var last = limit
        if last > start, buffer[last - 1] == 0x0D { last -= 1 }
        try checkLength(last - lineStart)
        start = limit
        lineNumber += 1
        return UnsafeRawBufferPointer(rebasing: buffer[lineStart..<last])
    }

    private func checkLength(_ count: Int) throws(FileError) {
        guard count <= Self.longestLine else {
            throw FileError(
                path: path, operation: .readLine(lineNumber + 1),
                reason: "it is longer than \(Self.longestLine >> 20) MB")
        }
    }

    /// Moves the bytes that are still needed to the front of the buffer and reads more behind them.
    private mutating func fill() throws(FileError) {
        if lineStart > 0 {
            memmove(buffer.baseAddress!, buffer.baseAddress! + lineStart, end - lineStart)
            (lineStart, start, end) = (0, start - lineStart, end - lineStart)
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
