import FileSupport
import Foundation
import ModelStore
import RecBLR
import Tensors

/// Everything that training needs to go on bit for bit: between two steps the rest follows from data and options.
struct Checkpoint: Sendable {
    /// Epochs that are finished, with their records.
    var epochs: [EpochRecord] = []
    /// Batches of the epoch in progress that are done.
    var batch = 0
    /// Optimiser steps done.
    var step = 0
    /// Sum of the losses of the epoch in progress, and of how many targets.
    var lossSum = 0.0
    var lossCount = 0
    /// Weights of the best epoch so far.
    var best: [Float]?
}

/// The parts of a run that a checkpoint must agree with.
struct RunIdentity: Codable, Equatable {
    var version = programVersion
    var configuration: Configuration
    var options: TrainingOptions
    var dataset: String
    var split: String
    var backend: String
}

extension Checkpoint {
    /// Name of the file in the run's folder.
    static let fileName = "checkpoint.safetensors"

    /// Writes weights, moments and counters, whole or not at all.
    func write(_ group: ReplicaGroup, _ identity: RunIdentity, to url: URL) throws(TrainingError) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        guard let run = try? encoder.encode(identity), let history = try? encoder.encode(epochs) else {
            throw .file(.malformed(path: url.path, reason: "it cannot be written as JSON"))
        }
        let backend = group.model.backend
        func flat(_ name: String, _ values: [Float]) -> SafeTensors.Named {
            SafeTensors.Named(name: name, shape: [values.count], values: .floats(values))
        }
        var tensors = [
            flat("weights", backend.download(group.model.weights.flat)),
            flat("first_moment", backend.download(group.firstMoment.flat)),
            flat("second_moment", backend.download(group.secondMoment.flat)),
            SafeTensors.Named(
                name: "counters", shape: [4],
                values: .integers([Int64(batch), Int64(step), Int64(lossCount), Int64(bitPattern: lossSum.bitPattern)])),
        ]
        if let failure = backend.failure { throw .device(failure) }  // then these are not what was learnt
        if let best { tensors.append(flat("best_weights", best)) }
        let metadata = [
            "run": String(decoding: run, as: UTF8.self), "epochs": String(decoding: history, as: UTF8.self),
        ]
        do { try SafeTensors.write(tensors, metadata: metadata, to: url) } catch { throw .file(error) }
    }

    /// Reads what ``write(_:_:to:)`` wrote into the group, if it was the same run.
    static func read(_ url: URL, into group: ReplicaGroup, _ identity: RunIdentity) throws(TrainingError) -> Checkpoint
    {
        do {
            let file = try SafeTensors(url)
            func malformed(_ reason: String) -> ModelFileError { .malformed(path: url.path, reason: reason) }
            let decoder = JSONDecoder()
            guard
                let run = try? decoder.decode(RunIdentity.self, from: Data((file.metadata["run"] ?? "").utf8)),
                let epochs = try? decoder.decode([EpochRecord].self, from: Data((file.metadata["epochs"] ?? "").utf8))
            else { throw malformed("not a checkpoint of this program") }
            if let difference = identity.difference(from: run) {
                throw TrainingError.otherRun(path: url.path, reason: difference)
            }
            let counters = try file.integers("counters")
            guard counters.count == 4, counters[0] >= 0, counters[1] >= 0, counters[2] >= 0 else {
                throw malformed("damaged counters")
            }
            func load(_ name: String, _ target: Weights) throws(ModelFileError) {
                let values = try file.floats(name)
                guard values.count == target.layout.count else { throw malformed("tensor \(name) has a wrong length") }
                group.model.backend.upload(values, to: target.flat)
            }
            try load("weights", group.model.weights)
            try load("first_moment", group.firstMoment)
            try load("second_moment", group.secondMoment)
            let best = file.entries["best_weights"] == nil ? nil : try file.floats("best_weights")
            guard best?.count ?? group.model.weights.layout.count == group.model.weights.layout.count else {
                throw malformed("tensor best_weights has a wrong length")
            }
            return Checkpoint(
                epochs: epochs, batch: Int(counters[0]), step: Int(counters[1]),
                lossSum: Double(bitPattern: UInt64(bitPattern: counters[3])), lossCount: Int(counters[2]), best: best)
        } catch let error as ModelFileError { throw .file(error) } catch let error as TrainingError {
            throw error
        } catch {
            throw .otherRun(path: url.path, reason: "\(error)")
        }
    }
}

extension RunIdentity {
    /// What differs, for people; nil where nothing does.
    func difference(from other: RunIdentity) -> String? {
        if other.version != version { return "version \(other.version) of this program began it" }
        if other.dataset != dataset { return "it was trained on other data (fingerprint \(other.dataset))" }
        if other.split != split { return "the data was split in another way" }
        if other.configuration != configuration { return "the model's configuration differs" }
        // Before the options: they tell how many replicas a device has.
        if other.backend != backend { return "it ran on \(other.backend), this is \(backend)" }
        if other.options != options { return "the training options differ" }
        return nil
    }
}
