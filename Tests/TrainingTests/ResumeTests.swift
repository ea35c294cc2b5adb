import CPUBackend
import Foundation
import Interactions
import ModelStore
import Models
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
        let reason =
            "--dropout was 0.2 and is 0.3 now: give what it began with, or begin anew with --restart"
        #expect(throws: TrainingError.otherRun(path: path, reason: reason)) {
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

    /// Numbers that a file can hold but no training can have written: errors that name the file.
    @Test(arguments: [
        (0, Int64.max), (1, .max), (2, .max), (3, .max), (0, -1), (0, 1_000_000), (1, 7), (2, 5),
        (3, Int64(bitPattern: Double.nan.bitPattern)), (3, Int64(bitPattern: 1e300.bitPattern)),
    ])
    func craftedCounters(place: Int, value: Int64) throws {
        try expectRefused { tensors, _ in
            for index in tensors.indices where tensors[index].name == "counters" {
                guard case .integers(var counters) = tensors[index].values else { return }
                counters[place] = value
                tensors[index] = .init(name: "counters", shape: [4], values: .integers(counters))
            }
        }
    }

    @Test(arguments: [
        ("weights", Float.nan), ("best_weights", .nan), ("best_weights", .infinity),
        ("first_moment", -.infinity),
        ("second_moment", -1), ("second_moment", .nan),
    ])
    func craftedTensors(name: String, value: Float) throws {
        try expectRefused { tensors, _ in
            for index in tensors.indices where tensors[index].name == name {
                guard case .floats(var values) = tensors[index].values else { return }
                values[7] = value
                tensors[index] = .init(name: name, shape: [values.count], values: .floats(values))
            }
        }
        try expectRefused { tensors, _ in tensors.removeAll { $0.name == name } }
    }

    @Test(arguments: [
        ("tokensPerSecond", "1e300"), ("tokensPerSecond", "-1e300"), ("seconds", "1e300"),
        ("seconds", "-1"),
        ("loss", "1e300"), ("learningRate", "-1"), ("epoch", "2"), ("step", "9223372036854775807"),
        ("step", "0"),
        ("isBest", "false"), ("hr", "1e300"), ("cases", "9223372036854775807"), ("cases", "3"),
    ])
    func craftedRecords(field: String, value: String) throws {
        try expectRefused { _, metadata in
            let pattern = try Regex("\"\(field)\":[-0-9.a-z+]+")
            metadata["epochs"] = metadata["epochs"]?.replacing(pattern, with: "\"\(field)\":\(value)")
        }
    }

    /// Changes the checkpoint of a finished run and expects that neither it nor a run of more epochs goes on from it.
    private func expectRefused(
        _ change: (inout [SafeTensors.Named], inout [String: String]) throws -> Void
    ) throws {
        let folder = try temporaryFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let (data, url) = (
            randomDataset(users: 8), folder.appendingPathComponent("checkpoint.safetensors")
        )
        var options = Self.options(.full, .everyPosition)
        (options.epochs, options.schedule) = (1, .constant)
        _ = try trainedWeights(data, options, folder: folder)
        let file = try SafeTensors(url)
        var metadata = file.metadata
        var tensors = try file.entries.map { name, entry in
            let values: SafeTensors.Named.Values =
                name == "counters" ? .integers(try file.integers(name)) : .floats(try file.floats(name))
            return SafeTensors.Named(name: name, shape: entry.shape, values: values)
        }
        try change(&tensors, &metadata)
        try SafeTensors.write(tensors, metadata: metadata, isSealed: true, to: url)
        for epochs in [1, 2] {
            options.epochs = epochs
            let error = #expect(throws: TrainingError.self) {
                _ = try trainedWeights(data, options, folder: folder, resuming: true)
            }
            #expect(
                error?.description.hasPrefix(url.path) == true,
                "\(error.map(String.init(describing:)) ?? "")")
        }
    }

    /// At a constant learning rate a run can be made longer on its way, with the bits of one that was begun so.
    @Test func aConstantScheduleCanBeLengthened() throws {
        let folder = try temporaryFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let data = randomDataset()
        var options = Self.options(.full, .everyPosition)
        (options.epochs, options.schedule) = (2, .constant)
        _ = try trainedWeights(data, options, folder: folder)
        options.epochs = 4
        let lengthened = try trainedWeights(data, options, folder: folder, resuming: true)
        #expect(try lengthened == trainedWeights(data, options))
        options.epochs = 3
        #expect(throws: TrainingError.self) {
            _ = try trainedWeights(data, options, folder: folder, resuming: true)
        }

        options.schedule = .cosine
        _ = try trainedWeights(data, options, folder: folder)
        options.epochs = 5
        let error = #expect(throws: TrainingError.self) {
            _ = try trainedWeights(data, options, folder: folder, resuming: true)
        }
        let expected =
            "--epochs was 3 and is 5 now: give what it began with, or begin anew with --restart; the cosine"
        #expect(
            error?.description.contains(expected) == true, "\(error.map(String.init(describing:)) ?? "")")
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
            if damaged == bytes { continue }
            try Data(damaged).write(to: url)
            #expect(throws: TrainingError.self) {
                _ = try trainedWeights(data, options, folder: folder, resuming: true)
            }
        }
    }
}
