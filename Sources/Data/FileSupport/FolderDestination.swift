import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Where a folder is going to be written. Making one tries everything that writing will need, so that what cannot work
/// is known before long work, and clears away what killed processes left there.
public struct FolderDestination: Sendable {
    /// Where it will be; symbolic links are followed.
    public let url: URL
    /// As the caller gave it, for messages.
    public let given: URL
    /// What will be written.
    public let kind: FolderKind
    /// Whether files are replaced inside of the folder, each whole, because the folder itself can only stay where it is:
    /// a mount point, or in a folder that is not ours to change. Else the folder is replaced at one moment.
    public let isFilled: Bool

    var path: String { url.path }
    /// Where temporary folders go.
    var workplace: String { isFilled ? path : folder(of: path) }

    /// Looks at a place. Throws where something is there that is no folder of this kind, or nothing can be written.
    public init(_ given: URL, _ kind: FolderKind) throws(FileError) {
        let url = try followingLinks(given)
        let (path, parent) = (url.path, folder(of: url.path))
        (self.given, self.url, self.kind) = (given, url, kind)
        kind.removeLeftovers(of: url.lastPathComponent, in: parent)
        guard isThere(path) else {
            isFilled = false
            try Self.tryMakingFolders(in: parent, name: url.lastPathComponent, given: given.path)
            return
        }
        guard isFolder(path) else {
            throw FileError(
                path: given.path, operation: "replace", reason: "it is a file, expected a folder or nothing")
        }
        isFilled = try !Self.canBeMoved(path, given: given.path)
        if isFilled { kind.removeLeftovers(of: url.lastPathComponent, in: path) }
        try kind.checkReplaceable(path, given: given.path, isFilled: isFilled)
        for file in kind.files { removeLeftoverFiles(of: file, in: path) }
    }

    /// Throws unless the folder is still what the writer may replace.
    func checkAgain() throws(FileError) {
        guard isThere(path) else { return }
        guard isFolder(path) else {
            throw FileError(
                path: given.path, operation: "replace", reason: "it is a file, expected a folder or nothing")
        }
        try kind.checkReplaceable(path, given: given.path, isFilled: isFilled)
    }

    /// Whether the system would move a folder; throws where it would not let its files be replaced either.
    ///
    /// Asking to remove a folder that is not empty tells: the system looks at permissions, sticky bits and mounts before
    /// it looks inside.
    private static func canBeMoved(_ path: String, given: String) throws(FileError) -> Bool {
        let probe = path + "/" + TemporaryName.longest(for: lastComponent(path))
        rmdir(probe)
        guard mkdir(probe, 0o700) == 0 else { throw .system(given, "write into") }
        defer { rmdir(probe) }
        guard rmdir(path) != 0, errno == ENOTEMPTY || errno == EEXIST else { return false }
        let beside = folder(of: path) + "/" + TemporaryName.longest(for: lastComponent(path))
        rmdir(beside)
        guard mkdir(beside, 0o700) == 0 else { return false }
        rmdir(beside)
        return true
    }

    /// Makes the longest temporary folder that writing might need, and removes it, with all that had to be made for it.
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
            guard mkdir(path, 0o777) == 0 || (errno == EEXIST && isFolder(path)) else { throw .system(given, "create") }
            made.append(path)
        }
    }
}

/// Makes a folder and those above it, where they are not there yet.
public func makeFolder(_ url: URL) throws(FileError) {
    let path = url.path
    if mkdir(path, 0o777) == 0 { return }
    switch errno {
    case EEXIST:
        var status = stat()  // follows links
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
            throw FileError(path: path, operation: "create", reason: "a file is in its place")
        }
    case ENOENT where path != "/":
        try makeFolder(url.deletingLastPathComponent())
        guard mkdir(path, 0o777) == 0 || errno == EEXIST else { throw .system(path, "create") }
    default: throw .system(path, "create")
    }
}
