import ErrorSupport
import FileSupport
import Foundation
import Interactions
import ModelStore
import OnnxExport

/// The URL of a folder that a command writes. Throws where the path is probably a mistake: the current
/// folder or one above it, a home folder.
func outputFolder(_ path: String, _ option: String) throws -> URL {
    let url = fileURL(path)
    let target = try followingLinks(url).path
    let current = try followingLinks(fileURL(FileManager.default.currentDirectoryPath)).path
    if target == current || target == "/" || current.hasPrefix(target + "/") {
        throw fail(
            .usage, "\(option) \(path) is the current folder or one above it: give the name of a folder of its own")
    }
    if target == (try? followingLinks(FileManager.default.homeDirectoryForCurrentUser).path) {
        throw fail(.usage, "\(option) \(path) is your home folder: give the name of a folder of its own")
    }
    if let reason = try reasonAgainst(path) { throw fail(.usage, "\(option) \(reason)") }
    return url
}

/// Why a path inside a folder of this program, which holds only its own files, cannot be written; nil where it can.
func reasonAgainst(_ path: String) throws -> String? {
    var folder = try followingLinks(fileURL(path))
    while folder.path != "/" {
        folder.deleteLastPathComponent()
        for kind in [Dataset.folder, ModelFolder.File.folder, ExperimentResults.folder, OnnxFolder.kind]
        where kind.isAt(folder) {
            return
                "\(path) lies in \(folder.lastPathComponent), where nothing but the files of its \(kind.name) belongs: "
                + "choose another place"
        }
    }
    return nil
}

/// A file that --output names, to be written. Throws where it cannot be, before anything is computed for it.
func createdFile(_ path: String) throws -> FileWriter {
    try checkPlace(path)
    return try FileWriter(fileURL(path))
}

/// Throws where --output names a path inside a folder of this program.
func checkPlace(_ path: String) throws {
    if let reason = try reasonAgainst(path) { throw fail(.usage, "--output \(reason)") }
}

/// Throws where an output is inside a folder that is read.
func checkApart(_ output: String, _ option: String, from input: String) throws {
    let (target, source) = (
        try followingLinks(fileURL(output)).path, try followingLinks(fileURL(input), to: .open).path
    )
    if target == source || target.hasPrefix(source + "/") {
        throw fail(.usage, "\(option) \(output) lies in \(input), which is read: choose another folder")
    }
}
