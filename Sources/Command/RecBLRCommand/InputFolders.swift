import ErrorSupport
import Evaluation
import FileSupport
import Foundation
import Interactions
import ModelStore
import Report

/// Opens a model's folder; prints a note for folders of version 0.3.0, which have no checksums.
func openModel(_ path: String) throws -> ModelFolder {
    try check(path, isNot: Dataset.folder, but: ModelFolder.File.folder)
    let model = try ModelFolder.open(fileURL(path))
    if model.checksums == nil { printError("recblr: note: " + withoutChecksums(path)) }
    return model
}

/// Opens a dataset's folder; prints a note for folders of version 0.3.0, which have no checksums.
func openDataset(_ path: String) throws -> Dataset {
    try check(path, isNot: ModelFolder.File.folder, but: Dataset.folder)
    let dataset = try Dataset.open(fileURL(path))
    if dataset.summary.files == nil { printError("recblr: note: " + withoutChecksums(path)) }
    return dataset
}

/// Throws where a folder is of another kind, as when folders are given in another order.
private func check(_ path: String, isNot other: FolderKind, but wanted: FolderKind) throws {
    func has(_ kind: FolderKind) -> Bool {
        FileManager.default.fileExists(atPath: fileURL(path).appendingPathComponent(kind.marker).path)
    }
    if has(other), !has(wanted) {
        throw fail(.noInput, "\(printable(path)) is a \(other.name)'s folder, expected a \(wanted.name)'s")
    }
}

/// Throws unless a model with time can read the dataset of a folder.
func checkDates(_ data: Dataset, _ path: String) throws {
    do { try data.requireDates() } catch { throw fail(error.exitStatus, "\(printable(path)): \(sentence(error))") }
}

/// The split of a dataset; an error names its folder.
func divided(_ data: Dataset, _ path: String, by kind: SplitKind) throws -> Split {
    do { return try kind.split(data) } catch { throw fail(error.exitStatus, "\(printable(path)): \(sentence(error))") }
}

func withoutChecksums(_ path: String) -> String {
    "\(path) was written by version 0.3.0, without checksums: damage to it may go unnoticed"
}
