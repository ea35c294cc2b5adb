public import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// An open folder: its files are consistent with each other even where the folder is replaced meanwhile.
public final class FolderReader: Sendable {
    /// The URL as the caller gave it.
    public let url: URL
    private let descriptor: Int32

    private init(_ url: URL, _ descriptor: Int32) { (self.url, self.descriptor) = (url, descriptor) }

    deinit { close(descriptor) }

    /// Calls `body` with the folder, again where a writer replaced it or its files meanwhile. `marker` is the file that
    /// an error names where there is no such folder; without one it names the folder.
    public static func read<Value, Failure: Error>(
        _ url: URL, marker: String?, wrap: (FileError) -> Failure,
        _ body: (FolderReader) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        for attempt in 1... {
            let descriptor = open(url.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            let code = errno
            guard descriptor >= 0 else {
                if code == ENOENT, attempt < 100, awaitReplacement(of: url) { continue }
                throw wrap(.system((marker.map(url.appendingPathComponent) ?? url).path, .open, code: code))
            }
            let folder = FolderReader(url, descriptor)
            let result: Result<Value, Failure>
            do throws(Failure) { result = .success(try body(folder)) } catch { result = .failure(error) }
            if case .failure = result, attempt < 100, folder.isBeingReplaced { continue }
            return try result.get()
        }
        fatalError("a loop without end ended")
    }

    /// Maps one of its files.
    public func file(_ name: String) throws(FileError) -> MappedFile {
        try MappedFile(
            openat(descriptor, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK), path: url.appendingPathComponent(name).path)
    }

    /// Maps one of its files. Throws unless it has its checksum, where checksums are given.
    public func file(_ name: String, _ checksums: FileChecksums?) throws(FileError) -> MappedFile {
        let file = try file(name)
        guard let checksums else { return file }
        try checksums.check(file, name, path: url.appendingPathComponent(name).path)
        return file
    }

    /// Whether there is a file of this name.
    public func has(_ name: String) throws(FileError) -> Bool {
        var status = stat()
        if fstatat(descriptor, name, &status, 0) == 0 { return true }
        guard errno == ENOENT || errno == ELOOP else { throw .system(url.path, .open) }
        return false
    }

    /// Whether the folder has been replaced or is being written: then reading is tried again before an error is thrown.
    private var isBeingReplaced: Bool {
        var (opened, found) = (stat(), stat())
        guard fstat(descriptor, &opened) == 0, stat(url.path, &found) == 0 else { return true }
        if opened.st_dev != found.st_dev || opened.st_ino != found.st_ino { return true }
        guard hasWriter(ofTemporariesOf: url, in: url.path, .new) else { return false }
        usleep(10_000)
        return true
    }
}

/// Handles a missing folder: renames it back if a killed writer moved it away, waits a moment if a running one did. False if
/// neither.
private func awaitReplacement(of url: URL) -> Bool {
    let parent = url.standardizedFileURL.deletingLastPathComponent().path
    let name = url.standardizedFileURL.lastPathComponent
    for entry in (try? entries(ofFolder: parent)) ?? [] where TemporaryName.matches(entry, of: name, .old) {
        let old = parent + "/" + entry
        switch FileLock.attempt(old) {
        case .held: if !isThere(url.path), rename(old, url.path) == 0 { return true }
        case .taken, .impossible: usleep(1000)
        }
        return true
    }
    return isThere(url.path)
}

private func hasWriter(ofTemporariesOf url: URL, in folder: String, _ ending: TemporaryName.Ending) -> Bool {
    let name = lastComponent((try? followingLinks(url).path) ?? url.path)
    return ((try? entries(ofFolder: folder)) ?? []).contains { entry in
        guard TemporaryName.matches(entry, of: name, ending) else { return false }
        if case .taken = FileLock.attempt(folder + "/" + entry) { return true }
        return false
    }
}
