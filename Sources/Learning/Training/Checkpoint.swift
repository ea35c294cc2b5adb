import FileSupport
import Foundation
import Layers
import ModelStore
import Models
import Tensors

/// The state of training between two steps. With data and options it determines all following steps bit for bit.
struct Checkpoint: Sendable {
    /// The records of the finished epochs.
    var epochs: [EpochRecord] = []
    /// Finished batches of the epoch in progress.
    var batch = 0
    /// Finished optimiser steps.
    var step = 0
    /// Sum of the losses of the epoch in progress, and its number of targets.
    var lossSum = 0.0
    var lossCount = 0
    /// Weights of the best epoch so far.
    var best: [Float]?
}

extension Checkpoint {
    /// Name of the file in the run's folder.
    static let fileName = "checkpoint.safetensors"

    /// Writes weights, moments and counters, completely or not at all.
    func write(_ model: SequenceModel, _ optimizer: Optimizer, _ identity: RunIdentity, to url: URL)
        throws(TrainingError)
    {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        guard let run = try? encoder.encode(identity), let history = try? encoder.encode(epochs) else {
            throw .file(.malformed(path: url.path, reason: "it cannot be written as JSON"))
        }
        let backend = model.backend
        func flat(_ name: String, _ values: [Float]) -> SafeTensors.Named {
            SafeTensors.Named(name: name, shape: [values.count], values: .floats(values))
        }
        var tensors = [
            flat("weights", backend.download(model.weights.flat)),
            flat("first_moment", backend.download(optimizer.firstMoment.flat)),
            flat("second_moment", backend.download(optimizer.secondMoment.flat)),
            SafeTensors.Named(
                name: "counters", shape: [4],
                values: .integers([Int64(batch), Int64(step), Int64(lossCount), Int64(bitPattern: lossSum.bitPattern)])),
        ]
        if let failure = backend.failure { throw .device(failure) }  // the weights are not valid then
        if let best { tensors.append(flat("best_weights", best)) }
        let metadata = [
            "run": String(decoding: run, as: UTF8.self), "epochs": String(decoding: history, as: UTF8.self),
        ]
        do { try SafeTensors.write(tensors, metadata: metadata, isSealed: true, to: url) } catch { throw .file(error) }
    }

    /// The fingerprints of the teachers of the run that wrote a checkpoint.
    static func teachers(of url: URL) throws(TrainingError) -> [String] {
        do {
            let run = Data((try SafeTensors(url).metadata["run"] ?? "").utf8)
            return (try? JSONDecoder().decode(RunIdentity.self, from: run))?.teachers ?? []
        } catch { throw .file(error) }
    }

    /// Reads a checkpoint into model and optimiser. Throws unless it belongs to the same run and all values are valid.
    static func read(
        _ url: URL, into model: SequenceModel, _ optimizer: Optimizer, _ identity: RunIdentity, validationCases: Int
    ) throws(TrainingError) -> Checkpoint {
        do { return try Checkpoint(SafeTensors(url), url.path, model, optimizer, identity, validationCases) } catch {
            switch error {
            case let error as TrainingError: throw error
            case ModelFileError.malformed(let path, let reason):
                throw .damagedCheckpoint(path: path, reason: reason)
            case let error as ModelFileError: throw .file(error)
            default: throw .file(.malformed(path: url.path, reason: "\(error)"))
            }
        }
    }

    private init(
        _ file: SafeTensors, _ path: String, _ model: SequenceModel, _ optimizer: Optimizer,
        _ identity: RunIdentity, _ validationCases: Int
    ) throws {
        func malformed(_ reason: String) -> ModelFileError { .malformed(path: path, reason: reason) }
        let decoder = JSONDecoder()
        guard
            let run = try? decoder.decode(
                RunIdentity.self, from: Data((file.metadata["run"] ?? "").utf8)),
            let epochs = try? decoder.decode(
                [EpochRecord].self, from: Data((file.metadata["epochs"] ?? "").utf8))
        else { throw malformed("not a checkpoint of this program") }
        let counters = try file.integers("counters").map(Int.init)
        guard counters.count == 4 else {
            throw malformed("expected four counters")
        }
        (self.epochs, batch, step, lossCount) = (epochs, counters[0], counters[1], counters[2])
        lossSum = Double(bitPattern: UInt64(bitPattern: Int64(counters[3])))
        if let difference = identity.difference(from: run, after: self) {
            throw TrainingError.otherRun(path: path, difference)
        }
        try file.checkSeal()
        let count = model.network.layout.count
        func values(_ name: String, _ isValid: (Float) -> Bool = { $0.isFinite }) throws -> [Float] {
            let values = try file.floats(name)
            guard values.count == count else { throw malformed("tensor \(name) has a wrong length") }
            guard values.allSatisfy(isValid) else {
                throw malformed("tensor \(name) holds a value that cannot be")
            }
            return values
        }
        best = file.entries["best_weights"] == nil ? nil : try values("best_weights")
        if let problem = problem(identity.options, validationCases: validationCases) {
            throw malformed(problem)
        }
        let backend = model.backend
        backend.upload(try values("weights"), to: model.weights.flat)
        backend.upload(try values("first_moment"), to: optimizer.firstMoment.flat)
        backend.upload(
            try values("second_moment") { $0.isFinite && $0 >= 0 }, to: optimizer.secondMoment.flat)
    }
}
