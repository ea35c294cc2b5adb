#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Names of temporary files and folders before they are renamed: `.NAME.NUMBER.tmp`; and `.NAME.NUMBER.old` for a moment for the
/// old folder where the system cannot exchange two folders.
///
/// Their writer holds a lock on them. Without a lock they are leftovers of a killed process.
enum TemporaryName {
    enum Ending: String {
        case new = ".tmp"
        case old = ".old"
    }

    static func make(for name: String, _ ending: Ending = .new) -> String {
        ".\(name).\(UInt32.random(in: 0 ... .max))\(ending.rawValue)"
    }

    /// A name of the largest length of ``make(for:_:)``.
    static func longest(for name: String) -> String { ".\(name).\(UInt32.max)\(Ending.new.rawValue)" }

    /// Whether `entry` is such a name for `name`.
    static func matches(_ entry: String, of name: String, _ ending: Ending = .new) -> Bool {
        let (entry, start, end) = (Array(entry.utf8), Array(".\(name).".utf8), Array(ending.rawValue.utf8))
        let digits = entry.count - start.count - end.count
        return (1...10).contains(digits) && entry.starts(with: start) && entry.suffix(end.count).elementsEqual(end)
            && entry.dropFirst(start.count).prefix(digits).allSatisfy { (0x30...0x39).contains($0) }
    }
}

/// Removes the temporary files of writers of `name` that were killed.
func removeLeftoverFiles(of name: String, in folder: String) {
    for entry in (try? entries(ofFolder: folder)) ?? [] where TemporaryName.matches(entry, of: name) {
        let path = folder + "/" + entry
        if isFile(path), case .held = FileLock.attempt(path) { unlink(path) }
    }
}

extension FolderKind {
    /// Renames back a folder whose writer was killed between two renames, and removes the temporary folders of killed writers;
    /// never those of running processes, nor entries that are not this program's.
    func removeLeftovers(of name: String, in parent: String) {
        let all = (try? entries(ofFolder: parent)) ?? []
        let target = parent + "/" + name
        for entry in all where TemporaryName.matches(entry, of: name, .old) {
            let path = parent + "/" + entry
            guard isFolder(path), case .held = FileLock.attempt(path) else { continue }
            if !isThere(target) { rename(path, target) } else { remove(path) }
        }
        for entry in all where TemporaryName.matches(entry, of: name) {
            let path = parent + "/" + entry
            if isFolder(path), case .held = FileLock.attempt(path) { remove(path) }
        }
    }

    /// Removes this program's files in a folder, and the folder if nothing else is in it.
    func remove(_ path: String) {
        let name = lastComponent(path)
        for entry in (try? entries(ofFolder: path)) ?? [] where owns(entry, at: path, folderNamed: name) {
            let inner = path + "/" + entry
            if isFolder(inner) { remove(inner) } else { unlink(inner) }
        }
        rmdir(path)
    }
}
