import CPUBackend
import Foundation
import Interactions
import RecBLR
import Tensors
import Testing
import Training

/// The same seed and thread count give the same bits, in one go or in pieces.
@Suite struct ResumeTests {
    static func options(_ loss: TrainingOptions.LossKind, _ objective: TrainingOptions.Objective) -> TrainingOptions {
        var options = TrainingOptions()
        options.epochs = 3
        options.batchTokens = 120
        options.warmupSteps = 5
        options.maximumLength = 17
        options.loss = loss
        options.objective = objective
        options.negatives = 7
        options.clipNorm = loss == .bpr ? nil : 0.5
        return options
    }

    @Test(arguments: [
        options(.full, .everyPosition), options(.sampled, .everyPosition), options(.bpr, .lastPosition),
    ])
    func interruptedAndResumedIsUninterrupted(options: TrainingOptions) throws {
        try expectSameBits(randomDataset(), options)
    }

    /// Histories of several chunks among short ones.
    @Test(arguments: [TrainingOptions.LossKind.full, .bpr])
    func longHistoriesToo(loss: TrainingOptions.LossKind) throws {
        var options = Self.options(loss, .everyPosition)
        options.epochs = 2
        options.maximumLength = 10_000_000
        let long = randomSequences([1030, 40, 600, 7], items: 23, seed: 6)
        try expectSameBits(Dataset(sequences: long, itemCount: 23), options)
    }

    private func expectSameBits(_ data: Dataset, _ options: TrainingOptions) throws {
        let whole = try trainedWeights(data, options)
        #expect(try trainedWeights(data, options) == whole, "the same run twice")

        let folder = try temporaryFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        var generator = SeededGenerator(seed: 8)
        while true {  // stop after a random number of steps, again and again
            var left = Int.random(in: 1...9, using: &generator)
            let trainer = try Trainer(
                data, .leaveOneOut(data), smallShape(items: data.itemCount), options, backend: CPUBackend(),
                checkpointFolder: folder)
            let outcome = try trainer.run(
                resuming: true,
                shouldStop: {
                    left -= 1
                    return left == 0
                })
            guard case .finished(let model, let record) = outcome else { continue }
            #expect(model.backend.download(model.weights.flat) == whole)
            #expect(record.epochs.count == options.epochs)
            let seconds = record.epochs.map(\.seconds)
            #expect(seconds == seconds.sorted(), "earlier processes' time counts")
            break
        }
    }

    @Test func otherSeedsGiveOtherWeights() throws {
        var options = Self.options(.full, .everyPosition)
        let data = randomDataset()
        let first = try trainedWeights(data, options)
        options.seed = 2
        #expect(try trainedWeights(data, options) != first)
    }

    @Test func aCheckpointOfAnotherRunIsRefused() throws {
        let folder = try temporaryFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        var options = Self.options(.full, .everyPosition)
        _ = try trainedWeights(randomDataset(), options, folder: folder)
        let path = folder.appendingPathComponent("checkpoint.safetensors").path
        #expect(throws: TrainingError.otherRun(path: path, reason: "the training options differ")) {
            options.dropout = 0.3
            _ = try trainedWeights(randomDataset(), options, folder: folder, resuming: true)
        }
        #expect(throws: TrainingError.self) {
            options.dropout = 0.2
            _ = try trainedWeights(randomDataset(seed: 5), options, folder: folder, resuming: true)
        }
    }

    @Test func aCheckpointOfAnotherSplitIsRefused() throws {
        let folder = try temporaryFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let (data, options) = (randomDataset(), Self.options(.full, .everyPosition))
        _ = try trainedWeights(data, options, folder: folder)
        let split = Split.leaveOneOut(data)
        let other = Split(trainingEnd: split.trainingEnd, validation: split.test, test: split.validation)
        let trainer = try Trainer(
            data, other, smallShape(items: data.itemCount), options, backend: CPUBackend(), checkpointFolder: folder)
        let path = folder.appendingPathComponent("checkpoint.safetensors").path
        #expect(throws: TrainingError.otherRun(path: path, reason: "the data was split in another way")) {
            _ = try trainer.run(resuming: true)
        }
    }

    @Test func damagedCheckpointsAreErrorsNotTraps() throws {
        let folder = try temporaryFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let data = randomDataset(users: 8)
        var options = Self.options(.full, .everyPosition)
        options.epochs = 1
        _ = try trainedWeights(data, options, folder: folder)
        let url = folder.appendingPathComponent("checkpoint.safetensors")
        let bytes = [UInt8](try Data(contentsOf: url))
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<60 {
            var damaged = bytes
            let header = Int.random(in: 0..<3000, using: &generator)
            damaged[header] = UInt8.random(in: 0...255, using: &generator)
            if Bool.random(using: &generator) {
                damaged.removeLast(Int.random(in: 1..<bytes.count, using: &generator))
            }
            try Data(damaged).write(to: url)
            do { _ = try trainedWeights(data, options, folder: folder, resuming: true) } catch is TrainingError {}
        }
    }
}
