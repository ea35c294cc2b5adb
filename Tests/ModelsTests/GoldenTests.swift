import Foundation
import Identifiers
import Layers
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
        let model = try withPaddingAsAnItem(try checkpoint.model(on: backend))
        let lengths = try tensors.integers("input.item_seq_len").map(Int.init)
        let width = tensors.entries["input.item_seq"]!.shape[1]
        let items = try tensors.integers("input.item_seq").map { ItemID(row: Int($0)) }
        let batch = PackedBatch(lengths.indices.map { items[$0 * width..<$0 * width + lengths[$0]] })

        // Hidden vectors and logits.
        let encoder = SequenceEncoder(model, tokens: batch.tokenCount, sequences: lengths.count)
        let hidden = try encoder.hidden(after: batch)
        let difference = largestDifference(backend.download(hidden), try tensors.floats("output.seq_output"))
        #expect(difference < 1e-5, "hidden vectors")
        let logits = backend.tensor(lengths.count, model.itemTable.rows)
        backend.multiply(
            hidden, transposed: false, model.itemTable, transposed: true, into: logits, accumulate: false)
        #expect(largestDifference(backend.download(logits), try tensors.floats("output.logits")) < 1e-5)

        // Loss and gradients.
        let learner = Learner(model, tokens: batch.tokenCount, sequences: lengths.count)
        let gradients = model.makeGradients()
        let targets = TrainingBatch(
            batch, targetRows: batch.starts.dropFirst().map { $0 - 1 },
            targets: try tensors.integers("input.target").map { ItemID(row: Int($0)) })
        let loss = learner.learn(targets, scale: 1 / Float(lengths.count), into: gradients)
        let expected = try tensors.floats("output.loss")[0]
        #expect(abs(Float(loss) / Float(lengths.count) - expected) < 1e-5 * max(1, expected))
        for entry in checkpoint.configuration.layout.entries {
            let own = try #require(gradients[named: entry.name])
            let values = backend.download(
                entry.name == "item_embedding" ? gradients.itemTable(model.network.embedding) : own)
            let difference = relativeDifference(values, try checkpoint.values(of: entry, prefix: "grad."))
            #expect(difference < 1e-4, "gradient of \(entry.name)")
        }
    }

    /// The reference code trains with the padding item in the softmax. The same model with one item more, the padding, does so here.
    private func withPaddingAsAnItem(_ model: SequenceModel) throws -> SequenceModel {
        var shape = model.configuration
        shape.itemCount += 1
        let larger = SequenceModel(zerosFor: shape, on: model.backend)
        for entry in model.network.layout.entries {
            let target =
                entry.name == "item_embedding" ? larger.itemTable : try #require(larger.weights[named: entry.name])
            model.backend.copy(model.weights[entry], to: target)
        }
        return larger
    }
}
