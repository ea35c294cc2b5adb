import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A file that appears whole or not at all: bytes go to a temporary name beside it until ``commit()``.
public struct FileWriter: ~Copyable {
    private let path: String
    private let temporary: String
    private let descriptor: Int32
    private var buffer: [UInt8] = []
    private static let bufferSize = 1 << 20

    /// Begins a file. Throws where its folder cannot be written to.
    public init(_ url: URL) throws(FileError) {
        let name = url.deletingLastPathComponent()
            .appendingPathComponent(".\(url.lastPathComponent).\(UInt32.random(in: 0 ... .max)).tmp").path
        descriptor = try Self.create(name, for: url.path)
        temporary = name
        path = url.path
        buffer.reserveCapacity(Self.bufferSize)
    }

    private static func create(_ name: String, for path: String) throws(FileError) -> Int32 {
        let descriptor = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw .system(path, "create") }
        return descriptor
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
        guard fsync(descriptor) == 0 else { throw .system(path, "sync") }
        guard rename(temporary, path) == 0 else { throw .system(path, "rename to") }
        syncFolder(of: path)
    }

    private mutating func flush() throws(FileError) {
        try buffer.withUnsafeBufferPointer { (bytes) throws(FileError) in
            try writeAll(UnsafeRawBufferPointer(bytes), to: descriptor, path: path)
        }
        buffer.removeAll(keepingCapacity: true)
    }
}

/// Makes a rename in the folder of `path` durable, where the system can.
func syncFolder(of path: String) {
    let folder = open(URL(fileURLWithPath: path).deletingLastPathComponent().path, O_RDONLY | O_CLOEXEC)
    guard folder >= 0 else { return }
    fsync(folder)
    close(folder)
}

/// Writes a whole file, or leaves what was there.
public func writeFile(_ bytes: some Sequence<UInt8>, to url: URL) throws(FileError) {
    var writer = try FileWriter(url)
    try writer.append(bytes)
    try writer.commit()
}

/// Builds a folder under a temporary name beside `url` and puts it in the place of `url` when `body` returns; when it
/// throws, nothing is left and what was there stays.
///
/// What exists is replaced only if it is a folder that holds nothing but files named in `replaceable`, so that a slip in
/// a path cannot delete anything else. The two folders are renamed one after the other: a crash just between leaves the
/// old one under a name that ends in `.old`, complete.
public func writeFolder<Failure: Error>(
    _ url: URL, replaceable: Set<String>, wrap: (FileError) -> Failure, _ body: (URL) throws(Failure) -> Void
) throws(Failure) {
    let manager = FileManager.default
    let target = url.standardizedFileURL
    do { try checkReplaceable(url, holding: replaceable) } catch { throw wrap(error) }
    let stem = ".\(target.lastPathComponent).\(UInt32.random(in: 0 ... .max))"
    let parent = target.deletingLastPathComponent()
    let (new, old) = (parent.appendingPathComponent(stem + ".tmp"), parent.appendingPathComponent(stem + ".old"))
    do {
        try manager.createDirectory(at: new, withIntermediateDirectories: true)
    } catch {
        throw wrap(FileError(path: url.path, operation: "create", reason: error.localizedDescription))
    }
    defer { try? manager.removeItem(at: new) }
    try body(new)
    let replaces = rename(target.path, old.path) == 0
    guard rename(new.path, target.path) == 0 else {
        let error = FileError.system(url.path, "rename to")
        if replaces { rename(old.path, target.path) }
        throw wrap(error)
    }
    syncFolder(of: target.path)
    if replaces { try? manager.removeItem(at: old) }
}

/// Throws where ``writeFolder(_:replaceable:wrap:_:)`` would refuse: unless nothing is at `url`, or a folder of nothing
/// but files of these names. Worth asking before long work.
public func checkReplaceable(_ url: URL, holding names: Set<String>) throws(FileError) {
    let target = url.standardizedFileURL
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: target.path, isDirectory: &isFolder) else { return }
    guard isFolder.boolValue else {
        throw FileError(path: target.path, operation: "replace", reason: "it is a file, expected a folder or nothing")
    }
    let contents: [String]
    do {
        contents = try FileManager.default.contentsOfDirectory(atPath: target.path)
    } catch {
        throw FileError(path: target.path, operation: "replace", reason: error.localizedDescription)
    }
    if let stranger = contents.filter({ !names.contains($0) && $0 != ".DS_Store" }).min() {
        throw FileError(
            path: target.path, operation: "replace",
            reason: "it holds \(stranger), which does not belong there; choose another folder")
    }
}
