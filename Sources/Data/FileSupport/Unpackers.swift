import CFileSupport
import CZlib

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// gzip data, by zlib.
final class GzipUnpacker: Unpacker {
    private let stream: UnsafeMutablePointer<z_stream>
    private var isOpen = false

    init() {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }

    func begin() throws(UnpackProblem) {
        let status =
            isOpen
            ? inflateReset(stream) : inflateInit2_(stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        guard status == Z_OK else { throw .unavailable("no memory for zlib") }
        isOpen = true
    }

    func step(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(UnpackProblem) -> (used: Int, made: Int, hasEnded: Bool) {
        let (available, room) = (UInt32(clamping: input.count), UInt32(clamping: output.count))
        stream.pointee.next_in = UnsafeMutableRawPointer(mutating: input.baseAddress)?.assumingMemoryBound(
            to: UInt8.self)
        stream.pointee.avail_in = available
        stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_out = room
        let status = CZlib.inflate(stream, Z_NO_FLUSH)
        guard [Z_OK, Z_BUF_ERROR, Z_STREAM_END].contains(status) else {
            throw .damaged(stream.pointee.msg.map { String(cString: $0) } ?? "code \(status)")
        }
        return (Int(available - stream.pointee.avail_in), Int(room - stream.pointee.avail_out), status == Z_STREAM_END)
    }
}

/// bzip2 data, by the system's libbz2.
final class Bzip2Unpacker: Unpacker {
    private typealias Begin = @convention(c) (UnsafeMutablePointer<bzip2_stream>, Int32, Int32) -> Int32
    private typealias Call = @convention(c) (UnsafeMutablePointer<bzip2_stream>) -> Int32

    private let stream: UnsafeMutablePointer<bzip2_stream>
    private let beginStream: Begin
    private let decompress: Call
    private let endStream: Call
    private var isOpen = false

    init() throws(UnpackProblem) {
        let library = try SharedLibrary(
            ["libbz2.so.1.0", "libbz2.so.1", "libbz2.1.0.dylib", "libbz2.dylib"], package: "libbz2-1.0", for: .bzip2)
        beginStream = try library.function("BZ2_bzDecompressInit", as: Begin.self)
        decompress = try library.function("BZ2_bzDecompress", as: Call.self)
        endStream = try library.function("BZ2_bzDecompressEnd", as: Call.self)
        stream = .allocate(capacity: 1)
        stream.initialize(to: bzip2_stream())
    }

    deinit {
        if isOpen { _ = endStream(stream) }
        stream.deallocate()
    }

    func begin() throws(UnpackProblem) {
        if isOpen { _ = endStream(stream) }
        stream.pointee = bzip2_stream()
        isOpen = beginStream(stream, 0, 0) == 0
        guard isOpen else { throw .unavailable("no memory for libbz2") }
    }

    func step(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(UnpackProblem) -> (used: Int, made: Int, hasEnded: Bool) {
        let (available, room) = (UInt32(clamping: input.count), UInt32(clamping: output.count))
        stream.pointee.next_in = input.baseAddress?.assumingMemoryBound(to: CChar.self)
        stream.pointee.avail_in = available
        stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: CChar.self)
        stream.pointee.avail_out = room
        let status = decompress(stream)
        switch status {
        case 0, 4: break  // BZ_OK, BZ_STREAM_END
        case -3: throw .unavailable("no memory for libbz2")
        case -4: throw .damaged("a checksum or a length is wrong")
        default: throw .damaged("code \(status)")
        }
        return (Int(available - stream.pointee.avail_in), Int(room - stream.pointee.avail_out), status == 4)
    }
}

/// Zstandard data, by the system's libzstd, which refuses frames that need more than 128 MB of memory.
final class ZstandardUnpacker: Unpacker {
    private typealias Create = @convention(c) () -> OpaquePointer?
    private typealias Call = @convention(c) (OpaquePointer) -> Int
    private typealias Decompress =
        @convention(c) (OpaquePointer, UnsafeMutablePointer<zstd_output>, UnsafeMutablePointer<zstd_input>) -> Int
    private typealias IsError = @convention(c) (Int) -> UInt32
    private typealias Code = @convention(c) (Int) -> Int32
    private typealias Name = @convention(c) (Int) -> UnsafePointer<CChar>

    /// ZSTD_error_frameParameter_windowTooLarge
    private static let windowTooLarge: Int32 = 16

    private let stream: OpaquePointer
    private let beginFrame: Call
    private let destroy: Call
    private let decompress: Decompress
    private let isError: IsError
    private let code: Code
    private let name: Name

    init() throws(UnpackProblem) {
        let library = try SharedLibrary(
            ["libzstd.so.1", "libzstd.1.dylib", "libzstd.dylib"], package: "libzstd1", for: .zstandard)
        let create = try library.function("ZSTD_createDStream", as: Create.self)
        beginFrame = try library.function("ZSTD_initDStream", as: Call.self)
        destroy = try library.function("ZSTD_freeDStream", as: Call.self)
        decompress = try library.function("ZSTD_decompressStream", as: Decompress.self)
        isError = try library.function("ZSTD_isError", as: IsError.self)
        code = try library.function("ZSTD_getErrorCode", as: Code.self)
        name = try library.function("ZSTD_getErrorName", as: Name.self)
        guard let stream = create() else { throw .unavailable("no memory for libzstd") }
        self.stream = stream
    }

    deinit { _ = destroy(stream) }

    func begin() throws(UnpackProblem) { _ = try checked(beginFrame(stream)) }

    func step(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(UnpackProblem) -> (used: Int, made: Int, hasEnded: Bool) {
        var from = zstd_input(bytes: input.baseAddress, size: input.count, position: 0)
        var to = zstd_output(bytes: output.baseAddress, size: output.count, position: 0)
        let expected = try checked(decompress(stream, &to, &from))
        return (from.position, to.position, expected == 0)
    }

    private func checked(_ result: Int) throws(UnpackProblem) -> Int {
        guard isError(result) != 0 else { return result }
        if code(result) == Self.windowTooLarge {
            throw .unavailable(
                "its Zstandard data needs more than 128 MB of memory, as `zstd --long=28` and higher make it: unpack it first"
            )
        }
        throw .damaged(String(cString: name(result)))
    }
}

/// A library that is opened when it is needed, so that nobody has to install it to build or to run this program. Debian's package manager
/// itself needs both that are used here: every Debian and Ubuntu has them.
private struct SharedLibrary {
    private let handle: UnsafeMutableRawPointer
    private let name: String

    /// - Parameters:
    ///   - names: the first that can be opened is taken.
    ///   - package: what Debian calls the package that has it.
    init(_ names: [String], package: String, for compression: Compression) throws(UnpackProblem) {
        for name in names {
            guard let handle = dlopen(name, RTLD_NOW | RTLD_LOCAL) else { continue }
            (self.handle, self.name) = (handle, name)
            return
        }
        throw .unavailable(
            "\(compression.name) data needs \(names[0]), which is not on this machine (Debian's package \(package))")
    }

    func function<Function>(_ symbol: String, as type: Function.Type) throws(UnpackProblem) -> Function {
        guard let address = dlsym(handle, symbol) else { throw .unavailable("\(name) has no \(symbol)") }
        return unsafeBitCast(address, to: type)
    }
}
