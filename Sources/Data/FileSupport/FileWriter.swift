public import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Writes a file atomically: bytes go to a temporary file beside it, which ``commit()`` renames.
public struct FileWriter: ~Copyable {
    private let given: String
    private let path: String
    private let temporary: String
    private let descriptor: Int32
    private var buffer: [UInt8] = []
    private static let bufferSize = 1 << 20

    /// Starts a file. Throws where its folder cannot be written to, or there is something else than a file at its path.
    ///
    /// Symbolic links are followed, permissions of an existing file are preserved, and temporary files of killed writers of the
    /// same file are removed.
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
            throw FileError(path: url.path, operation: .create, reason: "something else than a file is in its place")
        }
        removeLeftoverFiles(of: lastComponent(path), in: folder(of: path))
        let (temporary, descriptor) = try create(for: path, given: url.path)
        if replaces { fchmod(descriptor, old.st_mode & 0o777) }
        return (path, temporary, descriptor)
    }

    /// A new file, locked, so that other processes do not take it for a leftover.
    private static func create(for path: String, given: String) throws(FileError) -> (String, Int32) {
        while true {
            let name = folder(of: path) + "/" + TemporaryName.make(for: lastComponent(path))
            let descriptor = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
            guard descriptor >= 0 else { throw .system(given, .create) }
            if FileLock.hold(descriptor, at: name) { return (name, descriptor) }
            close(descriptor)
        }
    }

    /// Removes the temporary file of a writer that was not committed.
    deinit {
        close(descriptor)
        unlink(temporary)
    }

    /// Appends bytes.
    public mutating func append(_ bytes: some Sequence<UInt8>) throws(FileError) {
        buffer.append(contentsOf: bytes)
        if buffer.count >= Self.bufferSize { try flush() }
    }

    /// Appends a string as UTF-8.
    public mutating func append(_ text: String) throws(FileError) { try append(text.utf8) }

    /// Appends the bytes of values, in this machine's order (little-endian on every supported processor).
    public mutating func append<Element: BitwiseCopyable>(values: [Element]) throws(FileError) {
        try values.withUnsafeBufferPointer { (values) throws(FileError) in
            let bytes = UnsafeRawBufferPointer(values)
            for start in stride(from: 0, to: bytes.count, by: Self.bufferSize) {
                try append(bytes[start..<min(start + Self.bufferSize, bytes.count)])
            }
        }
    }

    /// Syncs the file to disk and renames it to its name. An old file is replaced at that moment.
    public consuming func commit() throws(FileError) {
        try flush()
        guard fsync(descriptor) == 0 else { throw .system(given, .sync) }
        guard rename(temporary, path) == 0 else { throw .system(given, .rename) }
        syncFolder(folder(of: path))
    }

    private mutating func flush() throws(FileError) {
        try buffer.withUnsafeBufferPointer { (bytes) throws(FileError) in
            try writeAll(UnsafeRawBufferPointer(bytes), to: descriptor, path: given)
        }
        buffer.removeAll(keepingCapacity: true)
    }
}

/// Copies a file to a path where nothing is yet, as a hard link where the file system has them: files of this package are
/// replaced, never changed in place.
public func copyFile(_ source: URL, to target: URL) throws(FileError) {
    if link(source.path, target.path) == 0 { return }
    let file = try MappedFile(source)
    try writeFile(file.bytes, to: target)
    withExtendedLifetime(file) {}
}

/// Writes a file atomically: on an error the old file stays.
public func writeFile(_ bytes: some Sequence<UInt8>, to url: URL) throws(FileError) {
    var writer = try FileWriter(url)
    try writer.append(bytes)
    try writer.commit()
}
