import Foundation
import ModelStore
import Models
import Tensors
import Testing

/// The model against the paper's reference implementation.
@Suite struct GoldenTests {
    struct Golden: CustomTestStringConvertible, Sendable {
        let name: String
        var url: URL { fixtureFolder.appendingPathComponent(name + ".safetensors") }
        var testDescription: String { name }
    }

    static let files = [
        Golden(name: "recblr-d8-T8-nopad"), Golden(name: "recblr-d16-T6-pad2"), Golden(name: "recblr-d64-T50-pad14"),
    ]

    @Test(arguments: files, backends.indices)
    func logitsLossAndEveryGradientMatch(file: Golden, backendIndex: Int) throws {
        let backend = backends[backendIndex]
        let tensors = try SafeTensors(file.url)
        let padding = try #require(Int(tensors.metadata["left_pad"] ?? ""))
        let checkpoint = try ReferenceCheckpoint(file.url, warmupSteps: padding)
        let model = try checkpoint.model(on: backend)
        let lengths = try tensors.integers("input.item_seq_len").map(Int.init)
        let width = tensors.entries["input.item_seq"]!.shape[1]
        let items = try tensors.integers("input.item_seq").map(Int32.init)
        let batch = PackedBatch(lengths.indices.map { items[$0 * width..<$0 * width + lengths[$0]] })

        // Hidden vectors and logits.
        let encoder = Encoder(model, tokens: batch.tokenCount, sequences: lengths.count)
        let hidden = try encoder.encode(batch)
        let difference = largestDifference(backend.download(hidden), try tensors.floats("output.seq_output"))
        #expect(difference < 1e-5, "hidden vectors")
        let rows = model.configuration.itemCount + 1
        let storage = backend.allocate(lengths.count * rows)
        let logits = storage.tensor.reshaped(lengths.count, rows)
        backend.multiply(
            hidden, transposed: false, model.weights.embedding, transposed: true, into: logits, accumulate: false)
        #expect(largestDifference(backend.download(logits), try tensors.floats("output.logits")) < 1e-5)

        // Loss and gradients.
        let learner = Learner(model, tokens: batch.tokenCount, sequences: lengths.count)
        let gradients = Weights(zerosFor: model.configuration, on: backend)
        let targets = Targets(
            rows: batch.starts.dropFirst().map { $0 - 1 }, items: try tensors.integers("input.target").map(Int32.init))
        let loss = learner.learn(batch, targets, scale: 1 / Float(lengths.count), into: gradients)
        let expected = try tensors.floats("output.loss")[0]
        #expect(abs(Float(loss) / Float(lengths.count) - expected) < 1e-5 * max(1, expected))
        for entry in gradients.layout.entries {
            let own = backend.download(gradients.tensor(entry))
            let difference = relativeDifference(own, try checkpoint.values(of: entry, prefix: "grad."))
            #expect(difference < 1e-4, "gradient of \(entry.name)")
        }
    }
}
