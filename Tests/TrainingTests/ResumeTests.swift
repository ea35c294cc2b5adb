import CPUBackend
import Foundation
import Interactions
import Layers
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
        for interruptions in 0..<100 {  // stop after a random number of steps, again and again
            var left = interruptions < 3 ? 1 + interruptions : Int.random(in: 1...9, using: &generator)
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
            #expect(interruptions >= 3)
            return
        }
        Issue.record("it never came to its end")
    }

    /// What earlier processes took counts in the seconds of the epochs that follow.
    @Test func timeGoesOnWhereItStopped() throws {
        let folder = try temporaryFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let (data, url) = (randomDataset(users: 8), folder.appendingPathComponent("checkpoint.safetensors"))
        var options = Self.options(.full, .everyPosition)
        (options.epochs, options.schedule) = (1, .constant)
        _ = try trainedWeights(data, options, folder: folder)
        try rewrite(url) { _, metadata in
            metadata["epochs"]?.replace(try Regex("\"seconds\":[-0-9.e]+"), with: "\"seconds\":1000")
        }
        options.epochs = 3
        let trainer = try Trainer(
            data, .leaveOneOut(data), smallShape(items: data.itemCount), options, backend: CPUBackend(),
            checkpointFolder: folder)
        let seconds = try trainer.run(resuming: true).finished().record.epochs.map(\.seconds)
        #expect(seconds[0] == 1000 && seconds[1] > 1000 && seconds[2] > seconds[1])
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
        let dropout = RunDifference.Setting(name: "dropout", was: "0.2", now: "0.3")
        let error = TrainingError.otherRun(path: path, .settings([dropout], cosineEpochs: nil))
        #expect(error.description == "\(path) cannot be resumed: dropout was 0.2 and is 0.3 now")
        #expect(error.remedies as? [ResumeRemedy] == [.give([dropout]), .beginAnew])
        #expect(throws: error) {
            options.dropout = 0.3
            _ = try trainedWeights(randomDataset(), options, folder: folder, resuming: true)
        }
        let mark = randomDataset().summary.mark
        #expect(throws: TrainingError.otherRun(path: path, .data(fingerprint: mark))) {
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
        let path = folder.appendingPathComponent("checkpoint.safetensors").path
        #expect(throws: TrainingError.otherRun(path: path, .split)) {
            _ = try Trainer(
                data, other, smallShape(items: data.itemCount), options, backend: CPUBackend(),
                checkpointFolder: folder
            ).run(resuming: true)
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
                guard case .integers(var counters) = tensors[index].values else { throw WrongType() }
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
                guard case .floats(var values) = tensors[index].values else { throw WrongType() }
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
        try rewrite(url, change)
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

    /// A checkpoint that is whole, with a checksum that fits, but for what `change` does to it.
    private func rewrite(
        _ url: URL, _ change: (inout [SafeTensors.Named], inout [String: String]) throws -> Void
    ) throws {
        let file = try SafeTensors(url)
        var metadata = file.metadata
        var tensors = try file.entries.map { name, entry in
            let values: SafeTensors.Named.Values =
                name == "counters" ? .integers(try file.integers(name)) : .floats(try file.floats(name))
            return SafeTensors.Named(name: name, shape: entry.shape, values: values)
        }
        let before = (tensors, metadata)
        try change(&tensors, &metadata)
        #expect(tensors.map(\.bits) != before.0.map(\.bits) || metadata != before.1, "something was changed")
        try SafeTensors.write(tensors, metadata: metadata, isSealed: true, to: url)
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
        let path = folder.appendingPathComponent("checkpoint.safetensors").path
        let longer = RunDifference.Setting(name: "epochs", was: "3", now: "5")
        let error = TrainingError.otherRun(path: path, .settings([longer], cosineEpochs: 3))
        #expect(error.description.hasSuffix("epochs was 3 and is 5 now; the cosine schedule was laid out for 3 epochs"))
        #expect(error.remedies as? [ResumeRemedy] == [.give([longer]), .beginAnewAtConstantRate])
        #expect(throws: error) { _ = try trainedWeights(data, options, folder: folder, resuming: true) }
    }

    /// One changed byte of the header or of the numbers, or a lost end: an error that names the file. The file as it was
    /// goes on.
    @Test func damagedCheckpointsAreErrorsNotTraps() throws {
        let folder = try temporaryFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let data = randomDataset(users: 8)
        var options = Self.options(.full, .everyPosition)
        options.epochs = 1
        let weights = try trainedWeights(data, options, folder: folder)
        let url = folder.appendingPathComponent("checkpoint.safetensors")
        let bytes = [UInt8](try Data(contentsOf: url))
        let body = 8 + bytes[..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
        var generator = SeededGenerator(seed: 3)
        for trial in 0..<120 {
            var damaged = bytes
            switch trial % 3 {
            case 0: damaged[Int.random(in: 0..<body, using: &generator)] ^= UInt8.random(in: 1...255, using: &generator)
            case 1:
                let place = Int.random(in: body..<bytes.count, using: &generator)
                damaged[place] ^= UInt8.random(in: 1...255, using: &generator)
            default: damaged.removeLast(Int.random(in: 1...bytes.count, using: &generator))
            }
            try Data(damaged).write(to: url)
            let error = #expect(throws: TrainingError.self, "trial \(trial)") {
                _ = try trainedWeights(data, options, folder: folder, resuming: true)
            }
            #expect(error?.description.hasPrefix(url.path) == true, "trial \(trial)")
        }
        try Data(bytes).write(to: url)
        #expect(try trainedWeights(data, options, folder: folder, resuming: true) == weights)
    }
}

private struct WrongType: Error {}

extension SafeTensors.Named {
    /// Its name and its values' bits, which compare where NaN does not.
    fileprivate var bits: [UInt64] {
        switch values {
        case .floats(let values): [UInt64(name.utf8.count)] + values.map { UInt64($0.bitPattern) }
        case .integers(let values): [UInt64(name.utf8.count)] + values.map { UInt64(bitPattern: $0) }
        case .shortIntegers(let values): [UInt64(name.utf8.count)] + values.map { UInt64(bitPattern: Int64($0)) }
        }
    }
}
