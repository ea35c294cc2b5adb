public import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A file mapped read-only into memory until the last reference goes.
///
/// The file must not be truncated by others while mapped; files of this package are replaced, never changed in place.
public final class MappedFile: @unchecked Sendable {
    /// The file's bytes.
    public let bytes: UnsafeRawBufferPointer

    /// Maps a whole file.
    public convenience init(_ url: URL) throws(FileError) {
        // Non-blocking, so that opening a named pipe does not wait for its writer.
        try self.init(open(url.path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), path: url.path)
    }

    /// Maps an open file and closes the descriptor; a negative descriptor throws the system's last error.
    init(_ descriptor: Int32, path: String) throws(FileError) {
        guard descriptor >= 0 else { throw .system(path, .open) }
        defer { close(descriptor) }
        var information = stat()
        guard fstat(descriptor, &information) == 0 else { throw .system(path, .inspect) }
        guard information.st_mode & S_IFMT == S_IFREG else {
            throw FileError(path: path, operation: .open, reason: "not a regular file")
        }
        let size = Int(information.st_size)
        guard size > 0 else {
            bytes = UnsafeRawBufferPointer(start: nil, count: 0)
            return
        }
        let address = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0)
        guard let address, address != MAP_FAILED else { throw .system(path, .map) }
        bytes = UnsafeRawBufferPointer(start: address, count: size)
    }

    /// A copy of the bytes, for small files.
    public func copy() -> [UInt8] { withExtendedLifetime(self) { [UInt8](bytes) } }

    deinit {
        if let address = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: address), bytes.count) }
    }
}

/// The bytes of a small file.
public func readFile(_ url: URL) throws(FileError) -> [UInt8] { try MappedFile(url).copy() }
