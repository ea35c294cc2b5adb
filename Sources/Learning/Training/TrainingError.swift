import Evaluation
import ModelStore
import Models
import Tensors

/// Why training cannot start or go on.
public enum TrainingError: Error, Equatable, CustomStringConvertible {
    /// An option out of range.
    case option(String)
    /// The model's shape is impossible.
    case configuration(ConfigurationError)
    /// Weights, gradients and moments would not fit.
    case memory(neededBytes: Int, MemoryLimit)
    /// No user has two events that train.
    case nothingToLearn
    /// Losses, weights or scores are not finite numbers any more.
    case diverged(epoch: Int, step: Int)
    /// The device that trains failed.
    case device(String)
    /// A checkpoint of another run.
    case otherRun(path: String, reason: String)
    /// Checkpoint or model cannot be read or written.
    case file(ModelFileError)
    /// Validation failed.
    case evaluation(EvaluationError)

    /// One sentence for people.
    public var description: String {
        switch self {
        case .option(let text): text
        case .configuration(let error): error.description
        case .memory(let needed, let limit):
            "this model needs \(readableBytes(needed)) for weights, gradients and moments, \(limit)"
        case .nothingToLearn: "there is nothing to learn from: no user has two training events"
        case .diverged(let epoch, let step):
            "training diverged: its numbers are not finite any more in epoch \(epoch), step \(step); \(divergenceAdvice)"
        case .device(let reason): reason
        case .otherRun(let path, let reason): "\(path) cannot be resumed: \(reason)"
        case .file(let error): error.description
        case .evaluation(let error): error.description
        }
    }
}
