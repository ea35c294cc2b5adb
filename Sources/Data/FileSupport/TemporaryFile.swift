import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A file without a name: bytes are appended and read back, and nothing is left of it however the program ends.
public struct TemporaryFile: ~Copyable, Sendable {
    private let folder: String
    private let descriptor: Int32
    /// Number of bytes.
    public private(set) var count = 0

    /// Makes a file in a folder, and the folder if it is not there. Errors name the folder.
    public init(in folder: URL) throws(FileError) {
        descriptor = try Self.create(in: folder)
        self.folder = folder.path
    }

    private static func create(in folder: URL) throws(FileError) -> Int32 {
        try makeFolder(folder)
        #if os(Linux)
            // Not even a moment with a name, where the file system can do that. (The module does not show O_TMPFILE.)
            let nameless = open(folder.path, 0o20_000_000 | O_DIRECTORY | O_RDWR | O_CLOEXEC, 0o600)
            if nameless >= 0 { return nameless }
        #endif
        let name = folder.appendingPathComponent(".\(UInt64.random(in: 0 ... .max)).tmp").path
        let descriptor = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .system(folder.path, "create") }
        unlink(name)
        return descriptor
    }

    deinit { close(descriptor) }

    /// Adds bytes at the end.
    public mutating func append(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
        try writeAll(bytes, to: descriptor, path: folder)
        count += bytes.count
    }

    /// Fills `bytes` from the file, which must hold as many from `offset` on.
    public func read(into bytes: UnsafeMutableRawBufferPointer, at offset: Int) throws(FileError) {
        precondition(offset >= 0 && offset + bytes.count <= count, "the file is not as long")
        var done = 0
        while done < bytes.count {
            let got = pread(descriptor, bytes.baseAddress! + done, bytes.count - done, off_t(offset + done))
            if got < 0 && errno == EINTR { continue }
            guard got > 0 else { throw .system(folder, "read", code: got < 0 ? errno : EIO) }
            done += got
        }
    }
}

/// Writes bytes at a descriptor's position, all of them or an error.
func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32, path: String) throws(FileError) {
    var done = 0
    while done < bytes.count {
        let written = write(descriptor, bytes.baseAddress! + done, bytes.count - done)
        if written < 0 && errno == EINTR { continue }
        guard written > 0 else { throw .system(path, "write") }
        done += written
    }
}
