import CPUBackend
import EmulatedGPU
import Foundation
import Identifiers
import Layers
import ModelStore
import Models
import Tensors
import Testing

/// Models with another mixer than the BD-LRU.
@Suite struct MixerTests {
    static let shapes: [ModelConfiguration] = [ModelConfiguration.Mixer.attention, .lru].map { mixer in
        var shape = ModelConfiguration(itemCount: 20)
        (shape.hiddenSize, shape.mixer, shape.attentionWindow) = (8, mixer, 5)
        return shape
    }

    /// Against a twin in PyTorch (scripts/golden-mixers.py).
    @Test(arguments: placements(of: shapes))
    func logitsLossAndEveryGradientMatch(shape: ModelConfiguration, backendIndex: Int) throws {
        let backend = backends[backendIndex]
        let file = try SafeTensors(
            fixtureFolder.appendingPathComponent("mixer-\(shape.mixer.rawValue).safetensors"))
        let model = SequenceModel(zerosFor: shape, on: backend)
        for entry in model.network.layout.entries {
            backend.upload(try file.floats("param." + entry.name), to: model.weights[entry])
        }
        func items(_ name: String) throws -> [ItemID] {
            try file.integers(name).map { ItemID(rawValue: Int32($0)) }
        }
        let events = try items("input.items")
        var sequences: [ArraySlice<ItemID>] = []
        for length in try file.integers("input.lengths").map(Int.init) {
            let start = sequences.last?.endIndex ?? 0
            sequences.append(events[start..<start + length])
        }
        let batch = PackedBatch(sequences)

        let encoder = SequenceEncoder(model, tokens: batch.tokenCount, sequences: batch.sequenceCount)
        let hidden = try encoder.hidden(atAllPositionsOf: batch)
        #expect(largestDifference(backend.download(hidden), try file.floats("output.hidden")) < 1e-5)
        let logits = backend.tensor(batch.tokenCount, shape.itemCount)
        backend.multiply(
            hidden, transposed: false, model.itemTable, transposed: true, into: logits, accumulate: false)
        #expect(largestDifference(backend.download(logits), try file.floats("output.logits")) < 1e-5)

        let learner = Learner(model, tokens: batch.tokenCount, sequences: batch.sequenceCount)
        let gradients = model.makeGradients()
        let scale = 1 / Float(batch.tokenCount)
        let loss = learner.learn(
            TrainingBatch(batch, targets: try items("input.targets")), scale: scale, into: gradients)
        #expect(abs(Float(loss) * scale - (try file.floats("output.loss")[0])) < 1e-5)
        for entry in gradients.layout.entries {
            let own = backend.download(gradients[entry])
            let difference = relativeDifference(own, try file.floats("grad." + entry.name))
            #expect(difference < 1e-4, "gradient of \(entry.name)")
        }
        #expect(file.entries.keys.count { $0.hasPrefix("grad.") } == gradients.layout.entries.count)
    }

    /// What is not there is said before anything is allocated, not when the first batch comes.
    @Test(.enabled(if: !TestGPU.backends.isEmpty))
    func attentionIsNotOnGPUs() throws {
        for gpu in TestGPU.backends {
            #expect(throws: ConfigurationError.attention(device: gpu.name)) {
                try SequenceModel(initializing: Self.shapes[0], seed: 1, on: gpu)
            }
            _ = try SequenceModel(initializing: Self.shapes[1], seed: 1, on: gpu)
        }
    }

    @Test func whatOnlyBDLRUHasIsRefused() {
        for change: (inout ModelConfiguration) -> Void in [{ $0.block = .recurrenceOnly }, { $0.warmupSteps = 1 }] {
            for var shape in Self.shapes {
                change(&shape)
                #expect(throws: ConfigurationError.onlyOfBDLRU) { try shape.validate() }
            }
        }
        var shape = Self.shapes[0]
        shape.attentionWindow = 1
        #expect(throws: ConfigurationError.outOfRange(name: "attentionWindow", value: 1, range: 2...4096)) {
            try shape.validate()
        }
    }
}
