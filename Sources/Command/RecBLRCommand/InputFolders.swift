import Foundation
import Interactions
import ModelStore

/// Opens a model's folder; prints a note for folders of version 0.3.0, which have no checksums.
func openModel(_ path: String) throws -> ModelFolder {
    let model = try ModelFolder.open(fileURL(path))
    if model.checksums == nil { printError("recblr: note: " + withoutChecksums(path)) }
    return model
}

/// Opens a dataset's folder; prints a note for folders of version 0.3.0, which have no checksums.
func openDataset(_ path: String) throws -> Dataset {
    let dataset = try Dataset.open(fileURL(path))
    if dataset.summary.files == nil { printError("recblr: note: " + withoutChecksums(path)) }
    return dataset
}

func withoutChecksums(_ path: String) -> String {
    "\(path) was written by version 0.3.0, without checksums: damage to it may go unnoticed"
}
