import CPUBackend
import Foundation
import Identifiers
import ModelStore
import Models

/// Writes a model of the default shape that was never trained, with the items "1", "2", … and a popularity. It costs what a trained one does.
func writeRandomModel(items: Int, repeatAware: Bool, seed: UInt64, to folder: URL) throws {
    var shape = ModelConfiguration(itemCount: items)
    shape.repeatAware = repeatAware
    let model = try SequenceModel(initializing: shape, seed: seed, on: CPUBackend())
    try ModelFolder.write(
        model, items: Vocabulary(ids: itemIdentifiers(items))!, popularity: (1...items).map { 1_000_000 / $0 },
        to: folder)
}

/// The identifiers of the items of such a model.
func itemIdentifiers(_ count: Int) -> [String] { (1...count).map(String.init) }
