import CPUBackend
import Foundation
import Identifiers
import Models
import Testing

@testable import ModelStore

/// The counts of a transition head in a model's file.
@Suite struct TransitionFileTests {
    let items = Vocabulary(ids: ["a", "b", "c"])!
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("transitions-\(UUID().uuidString)")

    private func model() -> SequenceModel {
        var shape = ModelConfiguration(itemCount: 3)
        (shape.hiddenSize, shape.transitions) = (4, true)
        return SequenceModel(
            zerosFor: shape, transitions: TransitionCounts(itemCount: 3, [[1, 2, 1, 3], [2, 3]]), on: CPUBackend())
    }

    @Test func countsComeBack() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        try ModelFolder.write(model(), items: items, to: folder)
        let opened = try ModelFolder.open(folder)
        #expect(opened.configuration.transitions)
        #expect(try opened.model(on: CPUBackend()).transitions == model().transitions)
    }

    /// Counts that training could not have made, and a part that is missing.
    @Test func othersAreRefused() throws {
        let url = folder.appendingPathExtension("safetensors")
        defer { try? FileManager.default.removeItem(at: url) }
        let model = model()
        let counts = try #require(model.transitions)
        func read(_ tensors: [SafeTensors.Named]) throws {
            try SafeTensors.write(namedWeights(model) + tensors, to: url)
            _ = try readModel(try SafeTensors(url), path: url.path, model.configuration, on: CPUBackend())
        }
        let good = TransitionTensor.named(counts)
        try read(good)
        for missing in good.indices {
            #expect(throws: ModelFileError.self) {
                try read(good.enumerated().filter { $0.offset != missing }.map(\.element))
            }
        }
        let wrong = [Int32](repeating: 3, count: counts.successors.count)
        let bad = SafeTensors.Named(name: good[1].name, shape: [wrong.count], values: .shortIntegers(wrong))
        #expect(throws: ModelFileError.self) { try read([good[0], bad, good[2]]) }
    }
}
