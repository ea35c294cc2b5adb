import CFileSupport
public import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Writes a folder atomically: `body` fills a temporary folder, which then replaces the old one; where it throws, the old one stays.
/// Readers see the old folder or the new one, and ``FolderReader`` never a mixture.
public func writeFolder<Failure: Error>(
    _ destination: FolderDestination, wrap: (FileError) -> Failure, _ body: (URL) throws(Failure) -> Void
) throws(Failure) {
    let folder: TemporaryFolder
    do { folder = try TemporaryFolder(destination) } catch { throw wrap(error) }
    do { try body(URL(fileURLWithPath: folder.path)) } catch {
        // Messages name the destination, not the temporary folder.
        guard let failure = (error as? any FileFailure)?.fileError else { throw error }
        throw wrap(failure.moved(from: folder.path, to: destination.given.path))
    }
    do {
        syncFolder(folder.path)
        // Where another process puts its folder there meanwhile, that one is looked at.
        while try !folder.takeItsPlace(ofContents: destination.checkAgain()) {}
    } catch { throw wrap(error) }
}

/// The same without an earlier check of the destination.
public func writeFolder<Failure: Error>(
    _ url: URL, _ kind: FolderKind, wrap: (FileError) -> Failure, _ body: (URL) throws(Failure) -> Void
) throws(Failure) {
    let destination: FolderDestination
    do { destination = try FolderDestination(url, kind) } catch { throw wrap(error) }
    try writeFolder(destination, wrap: wrap, body)
}

/// A temporary folder, which is removed with its last reference.
private final class TemporaryFolder {
    let path: String
    private let destination: FolderDestination
    private let lock: FileLock.Attempt

    /// Creates the folder and locks it, so that other processes do not take it for a leftover.
    init(_ destination: FolderDestination) throws(FileError) {
        try makeFolder(URL(fileURLWithPath: destination.temporaryParent))
        self.destination = destination
        path = destination.temporaryParent + "/" + TemporaryName.make(for: destination.url.lastPathComponent)
        guard mkdir(path, 0o777) == 0 else { throw .system(destination.given.path, .create) }
        lock = FileLock.attempt(path)
        if let old = status(destination.path), !destination.replacesFiles { chmod(path, old.st_mode & 0o7777) }
    }

    deinit { destination.kind.remove(path) }

    /// Replaces the destination, or what was not there. False where there were no `contents` and now are some.
    func takeItsPlace(ofContents contents: Bool) throws(FileError) -> Bool {
        if destination.replacesFiles {
            try replaceFiles()
            return true
        }
        guard contents else { return try replaceNothing() }
        switch recblr_exchange(path, destination.path) {
        case 0: moveForeignEntries()
        case EINVAL, ENOSYS, ENOTSUP: try renameTwice()
        case EBUSY, EXDEV, EACCES, EPERM: try replaceFiles()
        case let code: throw .system(destination.given.path, .rename, code: code)
        }
        syncFolder(folder(of: destination.path))
        return true
    }

    /// Moves to a path where nothing is, or an empty folder: the system replaces nothing else by a folder. False where there is something.
    private func replaceNothing() throws(FileError) -> Bool {
        if rename(path, destination.path) != 0 {
            let code = errno
            if [ENOTEMPTY, EEXIST, ENOTDIR].contains(code) { return false }
            guard [EBUSY, EXDEV, EACCES, EPERM].contains(code), isThere(destination.path) else {
                throw .system(destination.given.path, .rename, code: code)
            }
            try replaceFiles()
        }
        syncFolder(folder(of: destination.path))
        return true
    }

    /// For file systems that cannot exchange two folders. A crash in between leaves the old folder under a name that ends in
    /// `.old`; the next reader or writer renames it back.
    private func renameTwice() throws(FileError) {
        let name = TemporaryName.make(for: destination.url.lastPathComponent, .old)
        let old = folder(of: destination.path) + "/" + name
        let oldLock = FileLock.attempt(destination.path)
        guard rename(destination.path, old) == 0 else { throw .system(destination.given.path, .rename) }
        guard rename(path, destination.path) == 0 else {
            let error = FileError.system(destination.given.path, .rename)
            rename(old, destination.path)
            throw error
        }
        withExtendedLifetime(oldLock) { rename(old, path) == 0 ? moveForeignEntries() : () }
    }

    /// Replaces the files one by one, the marker first: it has the checksums of the others, so that a crash in between leaves a
    /// folder that is known to be incomplete.
    private func replaceFiles() throws(FileError) {
        let kind = destination.kind
        let new = try entries(ofFolder: path).sorted()
        for name in [kind.marker] + new.filter({ $0 != kind.marker }) where new.contains(name) {
            guard rename(path + "/" + name, destination.path + "/" + name) == 0 else {
                throw .system(destination.given.path, .rename)
            }
        }
        for name in kind.files where !new.contains(name) { unlink(destination.path + "/" + name) }
        syncFolder(destination.path)
    }

    /// Moves entries that others put into the old folder just before it was replaced to the new one.
    private func moveForeignEntries() {
        for name in (try? destination.kind.foreignEntries(in: path)) ?? [] {
            _ = recblr_rename_new(path + "/" + name, destination.path + "/" + name)
        }
    }
}

/// Makes renames in a folder durable, where the system can.
public func syncFolder(_ path: String) {
    let folder = open(path, O_RDONLY | O_CLOEXEC)
    guard folder >= 0 else { return }
    fsync(folder)
    close(folder)
}
