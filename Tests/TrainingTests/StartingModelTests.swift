import CPUBackend
import Foundation
import Identifiers
import Interactions
import Layers
import ModelStore
import Models
import Tensors
import Testing
import Training

/// A model whose weights another training continues.
@Suite struct StartingModelTests {
    private static let options = ResumeTests.options(.full, .everyPosition)

    /// A trained model of 23 items that are called 1 … 23.
    private func old() throws -> (model: SequenceModel, items: Vocabulary) {
        let data = randomDataset(seed: 9)
        let model = try Trainer(
            data, .leaveOneOut(data), smallShape(items: data.itemCount), Self.options, backend: CPUBackend()
        ).run().finished().model
        return (model, data.identifiers)
    }

    private func row(_ id: String, _ model: SequenceModel, _ items: Vocabulary) throws -> [Float] {
        model.backend.download(model.itemTable.rows(try #require(items.position(of: id))..<items.position(of: id)! + 1))
    }

    /// Rows of items that both have are the old model's, wherever they are; those of new ones begin as in a model without a past.
    @Test func rowsAreMatchedByIdentifier() throws {
        let (model, _) = try old()
        // The old model's items 3 … 20 and 23 are items of the data under other numbers; 22, 21, 1 and 2 of the data are new.
        let names = Vocabulary(ids: ["gone", "lost"] + (3...20).reversed().map(String.init) + ["past", "left", "23"])!
        let data = randomDataset()
        let start = StartingModel(model, items: names, fingerprint: "old")
        let fresh = try SequenceModel(
            initializing: start.configuration(itemCount: data.itemCount), seed: 5, on: CPUBackend())
        let continued = try SequenceModel(
            initializing: start.configuration(itemCount: data.itemCount), seed: 5, on: CPUBackend())
        let origin = try start.initialize(continued, for: data)
        #expect(origin.model == "old" && origin.matchedItems == 19 && origin.newItems == 4 && origin.goneItems == 4)
        for id in data.identifiers.ids {
            let isKnown = names.position(of: id) != nil
            let expected = try isKnown ? row(id, model, names) : row(id, fresh, data.identifiers)
            #expect(try row(id, continued, data.identifiers) == expected, "item \(id)")
        }
        let table = model.network.embedding.table.index
        for (index, entry) in model.network.layout.entries.enumerated() where index != table {
            let (before, after) = (model.weights[named: entry.name]!, continued.weights[named: entry.name]!)
            #expect(model.backend.download(before) == model.backend.download(after), "\(entry.name)")
        }
    }

    /// With more items and with fewer, where parameters lie elsewhere in the block.
    @Test(arguments: [7, 40]) func catalogsOfOtherSizes(items: Int) throws {
        let (model, names) = try old()
        let data = randomDataset(items: items)
        let start = StartingModel(model, items: names, fingerprint: "old")
        let continued = try SequenceModel(
            initializing: start.configuration(itemCount: items), seed: 5, on: CPUBackend())
        let origin = try start.initialize(continued, for: data)
        #expect(origin.matchedItems == min(items, 23) && origin.newItems == max(0, items - 23))
        #expect(origin.goneItems == max(0, 23 - items))
        let encoders = (
            SequenceEncoder(model, tokens: 8, sequences: 1), SequenceEncoder(continued, tokens: 8, sequences: 1)
        )
        let history = [1, 5, 2, 7, 3].map { ItemID(rawValue: $0) }
        #expect(try encoders.0.encode([history]) == encoders.1.encode([history]), "the same model on the items of both")
    }

    /// What a training learns first is what the old model knew.
    @Test func theFirstLossIsTheOldModels() throws {
        let chain = MarkovChain(items: 7, certainty: 0.8)
        let data = chain.dataset(users: 200, length: 24, seed: 11)
        var options = Self.options
        (options.epochs, options.learningRate, options.dropout, options.maximumLength) = (8, 1e-2, 0, 512)
        func train(_ options: TrainingOptions, from start: StartingModel? = nil) throws -> (
            SequenceModel, TrainingRecord
        ) {
            try Trainer(
                data, .leaveOneOut(data), smallShape(items: 7), options, from: start, backend: CPUBackend()
            ).run().finished()
        }
        let (model, first) = try train(options)
        #expect(first.origin == nil)
        (options.epochs, options.learningRate) = (1, 1e-9)
        let (_, second) = try train(options, from: StartingModel(model, items: data.identifiers, fingerprint: "old"))
        #expect(abs(second.epochs[0].loss - first.epochs.last!.loss) < 0.1 * first.epochs[0].loss)
        #expect(second.origin?.matchedItems == 7)
    }

    @Test func interruptedAndResumedIsUninterrupted() throws {
        let (model, items) = try old()
        let start = StartingModel(model, items: items, fingerprint: "old")
        let data = randomDataset(items: 30)
        let folder = try temporaryFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        func run(_ start: StartingModel?, folder: URL?, steps: Int) throws -> TrainingOutcome {
            var left = steps
            return try Trainer(
                data, .leaveOneOut(data), smallShape(items: 30), Self.options, from: start, backend: CPUBackend(),
                checkpointFolder: folder
            ).run(
                resuming: true,
                shouldStop: {
                    left -= 1; return left == 0
                })
        }
        func bits(_ model: SequenceModel) -> [Float] { model.backend.download(model.weights.flat) }
        let whole = bits(try run(start, folder: nil, steps: 0).finished().model)
        #expect(try bits(run(nil, folder: nil, steps: 0).finished().model) != whole, "the start is what matters")
        for steps in [1, 7] {
            guard case .interrupted = try run(start, folder: folder, steps: steps) else {
                throw TrainingOutcome.Unfinished()
            }
        }
        let path = folder.appendingPathComponent("checkpoint.safetensors").path
        for (other, named) in [(nil, nil), (StartingModel(model, items: items, fingerprint: "other"), "other")] {
            let error = TrainingError.otherRun(path: path, .origin(was: "old", now: named))
            #expect(error.remedies as? [ResumeRemedy] == [.sameOrigin, .beginAnew])
            #expect(throws: error) { _ = try run(other, folder: folder, steps: 0) }
        }
        let (resumed, record) = try run(start, folder: folder, steps: 0).finished()
        #expect(bits(resumed) == whole)
        #expect(record.origin?.model == "old" && record.origin?.newItems == 7)
    }

    @Test func whatCannotGoOnIsRefused() throws {
        let (model, items) = try old()
        let data = randomDataset()
        func refusal(_ items: Vocabulary, _ shape: ModelConfiguration) -> TrainingError? {
            #expect(throws: TrainingError.self) {
                _ = try Trainer(
                    data, .leaveOneOut(data), shape, Self.options,
                    from: StartingModel(model, items: items, fingerprint: "old"), backend: CPUBackend())
            }
        }
        var shape = smallShape(items: data.itemCount)
        let others = Vocabulary(ids: (1...23).map { "other \($0)" })!
        #expect(refusal(others, shape) == .noCommonItems)
        (shape.layerCount, shape.mixer) = (2, .lru)
        let settings = [("layerCount", "1", "2"), ("mixer", "bdlru", "lru")].map {
            RunDifference.Setting(name: $0, was: $1, now: $2)
        }
        let error = refusal(items, shape)
        #expect(error == .otherShape(settings) && error?.remedies as? [ResumeRemedy] == [.give(settings)])
    }

    /// The code of the documentation.
    @Test func aModelFromAFolderIsContinued() throws {
        let place = try temporaryFolder()
        defer { try? FileManager.default.removeItem(at: place) }
        let (old, items) = try old()
        try ModelFolder.write(old, items: items, to: place.appendingPathComponent("old"))
        let data = randomDataset(items: 25)
        let start = try StartingModel(ModelFolder.open(place.appendingPathComponent("old")), on: .cpu())
        let shape = start.configuration(itemCount: data.itemCount)
        var recipe = Preset.balanced.recipe(for: DatasetShape(data))
        recipe.continueTraining()
        let trainer = try Trainer(data, .leaveOneOut(data), shape, recipe.options, from: start, on: .cpu())
        #expect(trainer.origin?.newItems == 2)
        let record = try trainer.run().finished().record
        #expect(record.origin?.model == start.fingerprint && start.fingerprint.count == 16)
    }
}
