public import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The place where a folder will be written. Its initialiser checks everything that writing will need, so that problems are found
/// before long work, and removes leftovers of killed processes.
public struct FolderDestination: Sendable {
    /// The folder's URL, with symbolic links resolved.
    public let url: URL
    /// The URL as the caller gave it, for messages.
    public let given: URL
    /// The kind of folder.
    public let kind: FolderKind
    /// Whether the files are replaced one by one, because the folder itself cannot be renamed: it is a mount point, or in a folder
    /// without write permission. Otherwise the folder is replaced at one moment.
    public let replacesFiles: Bool

    var path: String { url.path }
    /// The folder for temporary folders.
    var temporaryParent: String { replacesFiles ? path : folder(of: path) }

    /// Checks a place. Throws where something is there that is no folder of this kind, or nothing can be written.
    public init(_ given: URL, _ kind: FolderKind) throws(FileError) {
        let url = try followingLinks(given)
        let (path, parent) = (url.path, folder(of: url.path))
        (self.given, self.url, self.kind) = (given, url, kind)
        kind.removeLeftovers(of: url.lastPathComponent, in: parent)
        guard isThere(path) else {
            replacesFiles = false
            try Self.tryMakingFolders(in: parent, name: url.lastPathComponent, given: given.path)
            return
        }
        guard isFolder(path) else {
            throw FileError(
                path: given.path, operation: .replace, reason: "it is a file, expected a folder or nothing")
        }
        replacesFiles = try !Self.canBeMoved(path, given: given.path)
        if replacesFiles { kind.removeLeftovers(of: url.lastPathComponent, in: path) }
        try kind.checkReplaceable(path, given: given.path, replacesFiles: replacesFiles)
        for file in kind.files { removeLeftoverFiles(of: file, in: path) }
    }

    /// Throws unless the folder may still be replaced; returns whether there is anything in it.
    func checkAgain() throws(FileError) -> Bool {
        guard isThere(path) else { return false }
        guard isFolder(path) else {
            throw FileError(
                path: given.path, operation: .replace, reason: "it is a file, expected a folder or nothing")
        }
        try kind.checkReplaceable(path, given: given.path, replacesFiles: replacesFiles)
        return try !entries(ofFolder: path).isEmpty
    }

    /// Whether the system allows renaming a folder; throws where its files cannot be replaced either.
    ///
    /// Found out by an attempt to remove the folder while it is not empty: the system checks permissions, sticky bits and mounts
    /// before it checks for entries.
    private static func canBeMoved(_ path: String, given: String) throws(FileError) -> Bool {
        let probe = path + "/" + TemporaryName.longest(for: lastComponent(path))
        rmdir(probe)
        guard mkdir(probe, 0o700) == 0 else { throw .system(given, .writeInto) }
        defer { rmdir(probe) }
        if rmdir(path) == 0 { return false }
        switch errno {
        case ENOTEMPTY, EEXIST: break
        case ENOSPC, EIO, EDQUOT, EINTR, ENOMEM: throw .system(given, .replace)  // says nothing about moving
        default: return false
        }
        let beside = folder(of: path) + "/" + TemporaryName.longest(for: lastComponent(path))
        rmdir(beside)
        guard mkdir(beside, 0o700) == 0 else { return false }
        rmdir(beside)
        return true
    }

    /// Creates a temporary folder with the longest possible name, and removes it again with all parents that had to be created.
    private static func tryMakingFolders(in parent: String, name: String, given: String) throws(FileError) {
        var missing: [String] = []
        var place = parent
        while !isThere(place) {
            missing.append(place)
            place = folder(of: place)
        }
        missing = [parent + "/" + TemporaryName.longest(for: name)] + missing
        var made: [String] = []
        defer { for path in made.reversed() { rmdir(path) } }
        for path in missing.reversed() {
            guard mkdir(path, 0o777) == 0 || (errno == EEXIST && isFolder(path)) else { throw .system(given, .create) }
            made.append(path)
        }
    }
}

/// Creates a folder and its parents where they do not exist.
public func makeFolder(_ url: URL) throws(FileError) {
    let path = url.path
    if mkdir(path, 0o777) == 0 { return }
    switch errno {
    case EEXIST:
        var status = stat()  // follows links
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
            throw FileError(path: path, operation: .create, reason: "a file is in its place")
        }
    case ENOENT where path != "/":
        try makeFolder(url.deletingLastPathComponent())
        guard mkdir(path, 0o777) == 0 || errno == EEXIST else { throw .system(path, .create) }
    default: throw .system(path, .create)
    }
}
