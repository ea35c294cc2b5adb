public import Foundation

/// A kind of folder that this program writes: the files that it may hold, and how it is recognised, so that other folders with
/// files of the same names are never replaced.
public struct FolderKind: Sendable {
    /// Name for messages: "dataset", "model".
    public let name: String
    /// The names of all files that the program may write there.
    public let files: Set<String>
    /// The name of a JSON file that every such folder has.
    public let marker: String
    /// Keys that the marker has in every version.
    public let markerKeys: Set<String>

    /// A kind of folder.
    public init(name: String, files: Set<String>, marker: String, markerKeys: Set<String>) {
        self.name = name
        self.files = files
        self.marker = marker
        self.markerKeys = markerKeys
    }

    /// Name of the folder of an unfinished run inside of a model's folder that cannot be renamed.
    public static let innerRun = "unfinished.training"

    /// Whether an entry of a folder was made by this program, temporary ones included.
    func owns(_ entry: String, at path: String, folderNamed name: String) -> Bool {
        if isFolder(path + "/" + entry) { return TemporaryName.matches(entry, of: name) }
        return files.contains(entry) || entry == ".DS_Store"
            || files.contains { TemporaryName.matches(entry, of: $0) }
    }

    /// Entries of a folder that were not made by this program.
    func foreignEntries(in path: String) throws(FileError) -> [String] {
        let name = lastComponent(path)
        return try entries(ofFolder: path).filter { !owns($0, at: path, folderNamed: name) }
    }

    /// Throws unless a folder may be replaced: it must be empty, or of this kind without other entries. Errors name `given`.
    func checkReplaceable(_ path: String, given: String, replacesFiles: Bool) throws(FileError) {
        func refused(_ reason: String) -> FileError { FileError(path: given, operation: .replace, reason: reason) }
        let foreignEntries = try foreignEntries(in: path).filter {
            !replacesFiles || ($0 != Self.innerRun && $0 != "lost+found")
        }
        if let foreign = foreignEntries.min() {
            throw refused("it holds \(foreign), which does not belong there; choose another folder")
        }
        let own = try entries(ofFolder: path).filter { files.contains($0) }
        guard let first = own.min() else { return }
        guard own.contains(marker) else {
            throw refused(
                "it holds \(first) but no \(marker), so it is no \(name)'s folder of this program; choose another folder"
            )
        }
        guard isMarked(path) else {
            throw refused("its \(marker) is none that this program wrote for a \(name); choose another folder")
        }
    }

    /// Whether a folder of this kind is at a path.
    public func isAt(_ folder: URL) -> Bool { isMarked(folder.path) }

    private func isMarked(_ path: String) -> Bool {
        guard let bytes = try? readFile(URL(fileURLWithPath: path).appendingPathComponent(marker)),
            let object = try? JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any]
        else { return false }
        return markerKeys.isSubset(of: object.keys)
    }
}

extension FolderKind {
    /// Removes the files of this kind from a folder, leftovers of killed writers included, and then the folder. Returns the names of
    /// other entries, which stay, with the folder.
    public func removeFiles(from folder: URL) -> [String] {
        guard isFolder(folder.path) else { return [] }
        remove(folder.path)
        return (try? foreignEntries(in: folder.path))?.sorted() ?? []
    }
}
