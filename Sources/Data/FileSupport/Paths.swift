public import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Resolves symbolic links in a path, the last component included, whether or not it exists. Errors name `operation`, for which the
/// path is resolved.
public func followingLinks(_ url: URL, to operation: FileError.Operation = .create) throws(FileError) -> URL {
    do { return URL(fileURLWithPath: try followingLinks(url.path, links: 0, given: url.path)) } catch {
        throw FileError(path: error.path, operation: operation, reason: error.reason)
    }
}

private func followingLinks(_ path: String, links: Int, given: String) throws(FileError) -> String {
    if let whole = realpath(path, nil) {
        defer { free(whole) }
        return String(cString: whole)
    }
    guard errno == ENOENT else { throw .system(given, .create) }
    guard links < 40 else { throw .system(given, .create, code: ELOOP) }
    if let target = try? FileManager.default.destinationOfSymbolicLink(atPath: path) {
        let next = target.hasPrefix("/") ? target : folder(of: path) + "/" + target
        return try followingLinks(next, links: links + 1, given: given)
    }
    let name = lastComponent(path)
    guard name != "..", name != ".", path.contains("/"), path != "/" else {
        throw .system(given, .create, code: ENOENT)
    }
    let parent = try followingLinks(folder(of: path), links: links, given: given)
    return parent == "/" ? parent + name : parent + "/" + name
}

/// The part of an absolute path before its last component.
func folder(of path: String) -> String {
    let end = path.lastIndex(of: "/") ?? path.startIndex
    return end == path.startIndex ? "/" : String(path[..<end])
}

/// The part of a path after its last slash.
func lastComponent(_ path: String) -> String {
    path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
}

/// The status of a path, without following links; nil where nothing is there.
func status(_ path: String) -> stat? {
    var status = stat()
    return lstat(path, &status) == 0 ? status : nil
}

func isThere(_ path: String) -> Bool { status(path) != nil }
func isFolder(_ path: String) -> Bool { status(path).map { $0.st_mode & S_IFMT == S_IFDIR } ?? false }
func isFile(_ path: String) -> Bool { status(path).map { $0.st_mode & S_IFMT == S_IFREG } ?? false }

/// Names in a folder, hidden ones included, without `.` and `..`.
public func entries(ofFolder path: String) throws(FileError) -> [String] {
    guard let stream = opendir(path) else { throw .system(path, .open) }
    defer { closedir(stream) }
    var names: [String] = []
    while true {
        errno = 0
        guard let entry = readdir(stream) else { break }
        let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
            pointer.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: pointer.pointee)) {
                String(cString: $0)
            }
        }
        if name != ".", name != ".." { names.append(name) }
    }
    guard errno == 0 else { throw .system(path, .readFolder) }
    return names
}
