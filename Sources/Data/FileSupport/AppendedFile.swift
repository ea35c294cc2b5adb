public import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A file that is appended to, for logs that are read while they grow. A write that fails is an error; later writes may
/// succeed.
public struct AppendedFile: ~Copyable {
    private let path: String
    private let descriptor: Int32

    /// Opens or creates a file; truncates it where `emptied`.
    public init(_ url: URL, emptied: Bool) throws(FileError) {
        path = url.path
        descriptor = try Self.open(url.path, emptied: emptied)
    }

    private static func open(_ path: String, emptied: Bool) throws(FileError) -> Int32 {
        let flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | (emptied ? O_TRUNC : 0)
        #if canImport(Glibc)
            let descriptor = Glibc.open(path, flags, 0o666)
        #else
            let descriptor = Darwin.open(path, flags, 0o666)
        #endif
        guard descriptor >= 0 else { throw .system(path, .write) }
        return descriptor
    }

    deinit { close(descriptor) }

    /// Appends bytes.
    public mutating func append(_ bytes: [UInt8]) throws(FileError) {
        try bytes.withUnsafeBufferPointer { (bytes) throws(FileError) in
            try writeAll(UnsafeRawBufferPointer(bytes), to: descriptor, path: path)
        }
    }
}
