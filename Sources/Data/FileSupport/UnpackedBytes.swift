import CZlib
import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The bytes of a file or of standard input, decompressed where they are gzip data, which is recognised by its content. Several gzip
/// members may follow each other; zeros may follow the last one, anything else is an error.
struct UnpackedBytes: ~Copyable {
    private enum Form { case unknown, plain, gzip, betweenMembers }

    private static let packedSize = 1 << 18

    private let path: String
    private let descriptor: Int32
    private let closes: Bool
    /// Bytes of the file that are read but not yet used: `first ..< last`.
    private let packed: UnsafeMutableRawBufferPointer
    private var first = 0
    private var last = 0
    private var form = Form.unknown
    private let stream: UnsafeMutablePointer<z_stream>
    /// Number of bytes of the file that were used.
    private(set) var used = 0

    init(_ url: URL) throws(FileError) {
        let descriptor = open(url.path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system(url.path, .open) }
        self.init(descriptor, path: url.path, closes: true)
    }

    init(standardInput: Void) { self.init(0, path: "standard input", closes: false) }

    private init(_ descriptor: Int32, path: String, closes: Bool) {
        self.descriptor = descriptor
        self.path = path
        self.closes = closes
        packed = .allocate(byteCount: Self.packedSize, alignment: 16)
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
        packed.deallocate()
        if closes { close(descriptor) }
    }

    /// Reads the next bytes into `buffer`, which must not be empty; returns their number, 0 at the end.
    mutating func next(into buffer: UnsafeMutableRawBufferPointer) throws(FileError) -> Int {
        if form == .unknown { try recognise() }
        guard form != .plain else { return try nextPlain(into: buffer) }
        while true {
            if form == .betweenMembers, try !findNextMember() { return 0 }
            if first == last, try fetch() == 0 { throw damaged("unexpected end of file") }
            let produced = try inflate(into: buffer)
            if produced > 0 { return produced }
        }
    }

    private mutating func recognise() throws(FileError) {
        while last < 2, try fetch() > 0 {}
        form = isMember ? .gzip : .plain
        guard form == .gzip else { return }
        let status = inflateInit2_(stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        guard status == Z_OK else { throw FileError(path: path, operation: .read, reason: "no memory for zlib") }
    }

    private mutating func nextPlain(into buffer: UnsafeMutableRawBufferPointer) throws(FileError) -> Int {
        var count = min(last - first, buffer.count)
        if count > 0 {
            buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: packed[first..<first + count]))
            first += count
        } else {
            count = try system(buffer)
        }
        used += count
        return count
    }

    private var isMember: Bool { last - first >= 2 && packed[first] == 0x1F && packed[first + 1] == 0x8B }

    /// Whether another member follows; false where the file ends.
    private mutating func findNextMember() throws(FileError) -> Bool {
        while last - first < 2, try fetch() > 0 {}
        if isMember {
            guard inflateReset(stream) == Z_OK else { throw damaged("it cannot go on") }
            form = .gzip
            return true
        }
        repeat {
            guard packed[first..<last].allSatisfy({ $0 == 0 }) else {
                throw FileError(
                    path: path, operation: .read,
                    reason: "behind the end of its gzip data, at byte \(used), there is something else")
            }
            used += last - first
            first = last
        } while try fetch() > 0
        return false
    }

    private mutating func inflate(into buffer: UnsafeMutableRawBufferPointer) throws(FileError) -> Int {
        let buffer = UnsafeMutableRawBufferPointer(rebasing: buffer[0..<min(buffer.count, 1 << 30)])
        stream.pointee.next_in = (packed.baseAddress! + first).assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_in = UInt32(last - first)
        stream.pointee.next_out = buffer.baseAddress!.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_out = UInt32(buffer.count)
        let status = CZlib.inflate(stream, Z_NO_FLUSH)
        used += last - first - Int(stream.pointee.avail_in)
        first = last - Int(stream.pointee.avail_in)
        switch status {
        case Z_OK, Z_BUF_ERROR: break
        case Z_STREAM_END: form = .betweenMembers
        default: throw damaged(stream.pointee.msg.map { String(cString: $0) } ?? "code \(status)")
        }
        return buffer.count - Int(stream.pointee.avail_out)
    }

    /// Reads more bytes of the file; returns their number, 0 at its end.
    private mutating func fetch() throws(FileError) -> Int {
        if first == last { (first, last) = (0, 0) }
        if first > 0 {
            memmove(packed.baseAddress!, packed.baseAddress! + first, last - first)
            (first, last) = (0, last - first)
        }
        let count = try system(UnsafeMutableRawBufferPointer(rebasing: packed[last...]))
        last += count
        return count
    }

    private func system(_ buffer: UnsafeMutableRawBufferPointer) throws(FileError) -> Int {
        while true {
            let count = read(descriptor, buffer.baseAddress, buffer.count)
            if count >= 0 { return count }
            guard errno == EINTR else { throw .system(path, .read) }
        }
    }

    private func damaged(_ what: String) -> FileError {
        FileError(path: path, operation: .read, reason: "damaged gzip data (\(what))")
    }
}
