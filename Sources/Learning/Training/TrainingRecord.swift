public import Evaluation
import Foundation
public import Interactions
public import ModelStore
import Models

/// The record of one epoch: one line of `training.jsonl`.
public struct EpochRecord: Sendable, Codable, Equatable {
    /// Number of the epoch, from 1.
    public var epoch: Int
    /// Optimiser steps since the start of the run.
    public var step: Int
    /// Mean training loss over targets, with dropout.
    public var loss: Double
    /// Learning rate of the epoch's last step.
    public var learningRate: Float
    /// Training events per second, without validation; where the epoch was resumed, only of the part after that.
    public var tokensPerSecond: Double
    /// Seconds of training and validation since the start of the run, including those of earlier processes.
    public var seconds: Double
    /// Metrics of the validation cases; nil where the split has none.
    public var validation: SettingMetrics?
    /// Whether this is the best epoch so far.
    public var isBest: Bool
}

/// How a model was trained: `training.json`.
public struct TrainingRecord: Sendable, Codable, Equatable {
    /// Version of the program.
    public var version: String
    /// The options of training.
    public var options: TrainingOptions
    /// The dataset's ``DatasetSummary/mark``; in files of 0.6.0 and before its ``DatasetSummary/fingerprint``.
    public var dataset: String
    /// The model that the training started from; nil where weights started at random.
    public var origin: TrainingOrigin?
    /// Fingerprints of the models that it learnt from beside the events; nil where there were none.
    public var teachers: [String]?
    /// The split of the data; nil where the caller made its own.
    public var split: SplitKind?
    /// Name of the backend and number of its replicas.
    public var backend: String
    /// The records of all epochs, in order.
    public var epochs: [EpochRecord]
    /// Number of the epoch whose weights the model has.
    public var bestEpoch: Int
    /// Metrics of the test cases; nil where they were not evaluated.
    public var test: EvaluationReport?
    /// The same of a model with time that is told when each target happens; nil for one without.
    public var testAtRequest: EvaluationReport?
    /// What was evaluated: the baselines and the model, which a model with time is twice.
    package var reports: [EvaluationReport] { (baselines ?? []) + [test, testAtRequest].compactMap(\.self) }
    /// Metrics of the counting baselines on the same cases.
    public var baselines: [EvaluationReport]?
}

extension TrainingRecord {
    /// All trainings that the model has behind it, the earliest first.
    public var trainings: [PastTraining] { (origin?.trainings ?? []) + [PastTraining(dataset: dataset, split: split)] }
}

/// What a training learnt from.
public struct PastTraining: Sendable, Codable, Equatable {
    /// The data, as in ``TrainingRecord/dataset``; nil where that is not known.
    public var dataset: String?
    /// Its split; nil where that is not known.
    public var split: SplitKind?

    /// A training on data of which this much is known.
    public init(dataset: String? = nil, split: SplitKind? = nil) { (self.dataset, self.split) = (dataset, split) }
}

/// The version that files and `--version` name.
package let programVersion = "0.7.0"

extension TrainingRecord {
    /// Reads a model's `training.json`; nil where the model has none, as an imported one. Throws where it is damaged.
    public static func read(_ model: ModelFolder) throws(ModelFileError) -> TrainingRecord? {
        guard let bytes = model.trainingRecord else { return nil }
        let path = model.url.appendingPathComponent(ModelFolder.File.training).path
        guard let record = try? JSONDecoder().decode(TrainingRecord.self, from: Data(bytes)) else {
            throw .malformed(
                path: path, reason: "expected the record of a training that this program writes")
        }
        if let problem = record.problem { throw .malformed(path: path, reason: problem) }
        return record
    }
}
