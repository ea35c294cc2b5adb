import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The bytes of a file or of standard input, decompressed where they are gzip, bzip2 or Zstandard data, which is recognised by its
/// content. Several members, or frames, may follow each other; zeros may follow the last one, anything else is an error.
struct UnpackedBytes: ~Copyable {
    private static let packedSize = 1 << 18

    private let path: String
    private let descriptor: Int32
    private let closes: Bool
    /// Bytes of the file that are read but not yet used: `first ..< last`.
    private let packed: UnsafeMutableRawBufferPointer
    private var first = 0
    private var last = 0
    private var isRecognised = false
    /// Nil where the bytes are not compressed.
    private var compression: Compression?
    private var unpacker: (any Unpacker)?
    private var isInMember = false
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
    }

    deinit {
        packed.deallocate()
        if closes { close(descriptor) }
    }

    /// Reads the next bytes into `buffer`, which must not be empty; returns their number, 0 at the end.
    mutating func next(into buffer: UnsafeMutableRawBufferPointer) throws(FileError) -> Int {
        if !isRecognised { try recognise() }
        guard let compression, let unpacker else { return try nextPlain(into: buffer) }
        do {
            while true {
                if !isInMember {
                    guard try findMember(compression) else { return 0 }
                    try unpacker.begin()
                    isInMember = true
                }
                let step = try unpacker.step(UnsafeRawBufferPointer(rebasing: packed[first..<last]), into: buffer)
                first += step.used
                used += step.used
                isInMember = !step.hasEnded
                if step.made > 0 { return step.made }
                if step.used == 0, isInMember, try fetch() == 0 {
                    throw UnpackProblem.damaged("unexpected end of file")
                }
            }
        } catch { throw failure(error, compression) }
    }

    private mutating func recognise() throws(FileError) {
        while last < Compression.headSize, try fetch() > 0 {}
        isRecognised = true
        compression = Compression(beginning: UnsafeRawBufferPointer(rebasing: packed[first..<last]))
        guard let compression else {
            guard last == 0, let named = Compression(fileName: path) else { return }
            throw failure(UnpackProblem.damaged("the file is empty"), named)
        }
        do { unpacker = try compression.makeUnpacker() } catch { throw failure(error, compression) }
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

    /// Whether another member follows; false where the file ends.
    private mutating func findMember(_ compression: Compression) throws(FileError) -> Bool {
        while last - first < Compression.headSize, try fetch() > 0 {}
        if compression.begins(UnsafeRawBufferPointer(rebasing: packed[first..<last])) { return true }
        repeat {
            guard packed[first..<last].allSatisfy({ $0 == 0 }) else {
                throw FileError(
                    path: path, operation: .read,
                    reason: "behind the end of its \(compression.name) data, at byte \(used), there is something else")
            }
            used += last - first
            first = last
        } while try fetch() > 0
        return false
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

    private func failure(_ error: any Error, _ compression: Compression) -> FileError {
        switch error {
        case let error as FileError: error
        case UnpackProblem.unavailable(let reason): FileError(path: path, operation: .read, reason: reason)
        case UnpackProblem.damaged(let what):
            FileError(path: path, operation: .read, reason: "damaged \(compression.name) data (\(what))")
        default: FileError(path: path, operation: .read, reason: "\(error)")
        }
    }
}
