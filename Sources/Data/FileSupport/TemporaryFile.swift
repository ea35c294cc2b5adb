public import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// An unnamed temporary file. The system removes it when the process ends, in any way.
public struct TemporaryFile: ~Copyable, Sendable {
    private let folder: String
    private let descriptor: Int32
    /// Number of bytes.
    public private(set) var count = 0

    /// Creates a file in a folder, which is created where it does not exist. Errors name the folder.
    public init(in folder: URL) throws(FileError) {
        descriptor = try Self.create(in: folder)
        self.folder = folder.path
    }

    private static func create(in folder: URL) throws(FileError) -> Int32 {
        try makeFolder(folder)
        #if os(Linux)
            // O_TMPFILE, which Swift's module does not have: the file never has a name, where the file system supports it.
            let nameless = open(folder.path, 0o20_000_000 | O_DIRECTORY | O_RDWR | O_CLOEXEC, 0o600)
            if nameless >= 0 { return nameless }
        #endif
        let name = folder.appendingPathComponent(".\(UInt64.random(in: 0 ... .max)).tmp").path
        let descriptor = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .system(folder.path, .create) }
        unlink(name)
        return descriptor
    }

    deinit { close(descriptor) }

    /// Appends bytes.
    public mutating func append(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
        try writeAll(bytes, to: descriptor, path: folder)
        count += bytes.count
    }

    /// Reads bytes from `offset` on; the file must have as many.
    public func read(into bytes: UnsafeMutableRawBufferPointer, at offset: Int) throws(FileError) {
        precondition(offset >= 0 && offset + bytes.count <= count, "the file is not as long")
        var done = 0
        while done < bytes.count {
            let got = pread(descriptor, bytes.baseAddress! + done, bytes.count - done, off_t(offset + done))
            if got < 0 && errno == EINTR { continue }
            guard got > 0 else { throw .system(folder, .read, code: got < 0 ? errno : EIO) }
            done += got
        }
    }
}

/// Writes all bytes at a descriptor's position, or throws.
func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32, path: String) throws(FileError) {
    var done = 0
    while done < bytes.count {
        let written = write(descriptor, bytes.baseAddress! + done, bytes.count - done)
        if written < 0 && errno == EINTR { continue }
        guard written > 0 else { throw .system(path, .write) }
        done += written
    }
}
