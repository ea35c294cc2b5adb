import Foundation

/// A kind of folder that this program writes as a whole: which files it may hold, and how one is told from a folder of
/// somebody else that happens to hold files of the same names.
public struct FolderKind: Sendable {
    /// For people: "dataset", "model".
    public let name: String
    /// Every file that the program may write there.
    public let files: Set<String>
    /// The file that every such folder has: a JSON object.
    public let marker: String
    /// Keys that the marker has whatever its version.
    public let markerKeys: Set<String>

    /// A kind of folder.
    public init(name: String, files: Set<String>, marker: String, markerKeys: Set<String>) {
        self.name = name
        self.files = files
        self.marker = marker
        self.markerKeys = markerKeys
    }

    /// Name of the folder of an unfinished run where it lies inside of the model's, which cannot be moved.
    public static let innerRun = "unfinished.training"

    /// Whether an entry of a folder is one that this program made there, temporary ones included.
    func owns(_ entry: String, at path: String, folderNamed name: String) -> Bool {
        if isFolder(path + "/" + entry) { return TemporaryName.matches(entry, of: name) }
        return files.contains(entry) || entry == ".DS_Store"
            || files.contains { TemporaryName.matches(entry, of: $0) }
    }

    /// Entries of a folder that are not ours.
    func strangers(in path: String) throws(FileError) -> [String] {
        let name = lastComponent(path)
        return try entries(ofFolder: path).filter { !owns($0, at: path, folderNamed: name) }
    }

    /// Throws unless a folder may be replaced: empty, or one of this kind and nothing else in it. Errors name `given`.
    func checkReplaceable(_ path: String, given: String, isFilled: Bool) throws(FileError) {
        func refused(_ reason: String) -> FileError { FileError(path: given, operation: "replace", reason: reason) }
        let strangers = try strangers(in: path).filter { !isFilled || ($0 != Self.innerRun && $0 != "lost+found") }
        if let stranger = strangers.min() {
            throw refused("it holds \(stranger), which does not belong there; choose another folder")
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
    /// Removes the files of this kind from a folder, leftovers of killed writers included, and then the folder. Returns
    /// what is not ours and stays, with the folder; nothing where nothing is there.
    public func removeFiles(from folder: URL) -> [String] {
        guard isFolder(folder.path) else { return [] }
        remove(folder.path)
        return (try? strangers(in: folder.path))?.sorted() ?? []
    }
}
