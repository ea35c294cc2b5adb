import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A file that appears whole or not at all: bytes go to a temporary name beside it until ``commit()``.
public struct FileWriter: ~Copyable {
    private let given: String
    private let path: String
    private let temporary: String
    private let descriptor: Int32
    private var buffer: [UInt8] = []
    private static let bufferSize = 1 << 20

    /// Begins a file. Throws where its folder cannot be written to, or something else than a file is in its place.
    ///
    /// Symbolic links are followed, permissions of a file that is there are kept, and what a killed writer of the same
    /// file left is cleared away.
    public init(_ url: URL) throws(FileError) {
        (path, temporary, descriptor) = try Self.begin(url)
        given = url.path
        buffer.reserveCapacity(Self.bufferSize)
    }

    private static func begin(_ url: URL) throws(FileError) -> (path: String, temporary: String, descriptor: Int32) {
        let path = try followingLinks(url).path
        var old = stat()
        let replaces = stat(path, &old) == 0
        guard !replaces || old.st_mode & S_IFMT == S_IFREG else {
            throw FileError(path: url.path, operation: "create", reason: "something else than a file is in its place")
        }
        removeLeftoverFiles(of: lastComponent(path), in: folder(of: path))
        let (temporary, descriptor) = try create(for: path, given: url.path)
        if replaces { fchmod(descriptor, old.st_mode & 0o777) }
        return (path, temporary, descriptor)
    }

    /// A new file, locked, so that others know that somebody is at work on it.
    private static func create(for path: String, given: String) throws(FileError) -> (String, Int32) {
        while true {
            let name = folder(of: path) + "/" + TemporaryName.make(for: lastComponent(path))
            let descriptor = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
            guard descriptor >= 0 else { throw .system(given, "create") }
            if FileLock.hold(descriptor, at: name) { return (name, descriptor) }
            close(descriptor)
        }
    }

    /// A writer that is dropped leaves nothing behind.
    deinit {
        close(descriptor)
        unlink(temporary)
    }

    /// Adds bytes at the end.
    public mutating func append(_ bytes: some Sequence<UInt8>) throws(FileError) {
        buffer.append(contentsOf: bytes)
        if buffer.count >= Self.bufferSize { try flush() }
    }

    /// Adds a string as UTF-8.
    public mutating func append(_ text: String) throws(FileError) { try append(text.utf8) }

    /// Adds the bytes of values, in this machine's order (little-endian wherever this runs).
    public mutating func append<Element: BitwiseCopyable>(values: [Element]) throws(FileError) {
        try values.withUnsafeBufferPointer { (values) throws(FileError) in
            let bytes = UnsafeRawBufferPointer(values)
            for start in stride(from: 0, to: bytes.count, by: Self.bufferSize) {
                try append(bytes[start..<min(start + Self.bufferSize, bytes.count)])
            }
        }
    }

    /// Puts everything on disk under the file's name. The old file, if any, is replaced at that moment.
    public consuming func commit() throws(FileError) {
        try flush()
        guard fsync(descriptor) == 0 else { throw .system(given, "sync") }
        guard rename(temporary, path) == 0 else { throw .system(given, "rename to") }
        syncFolder(folder(of: path))
    }

    private mutating func flush() throws(FileError) {
        try buffer.withUnsafeBufferPointer { (bytes) throws(FileError) in
            try writeAll(UnsafeRawBufferPointer(bytes), to: descriptor, path: given)
        }
        buffer.removeAll(keepingCapacity: true)
    }
}

/// Puts a copy of a file where nothing is yet, as another name of the same bytes where the file system knows that. Files
/// of this package are replaced, never changed in place.
public func copyFile(_ source: URL, to target: URL) throws(FileError) {
    if link(source.path, target.path) == 0 { return }
    let file = try MappedFile(source)
    try writeFile(file.bytes, to: target)
    withExtendedLifetime(file) {}
}

/// Writes a whole file, or leaves what was there.
public func writeFile(_ bytes: some Sequence<UInt8>, to url: URL) throws(FileError) {
    var writer = try FileWriter(url)
    try writer.append(bytes)
    try writer.commit()
}
