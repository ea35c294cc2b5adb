public import ErrorSupport
public import Evaluation
public import ModelStore
public import Models
public import Tensors

/// Why training cannot start or go on.
public enum TrainingError: UserFacingError, Equatable {
    /// An option out of range.
    case option(String)
    /// The model's shape is impossible.
    case configuration(ConfigurationError)
    /// Weights, gradients and moments would not fit.
    case memory(neededBytes: Int, MemoryLimit)
    /// No user has two events that train.
    case nothingToLearn
    /// The model to start from has another shape than the one to train.
    case otherShape([RunDifference.Setting])
    /// The model to start from has none of the dataset's items.
    case noCommonItems
    /// Losses, weights or scores are not finite numbers any more.
    case diverged(epoch: Int, step: Int)
    /// The device that trains failed.
    case device(String)
    /// A checkpoint of another run.
    case otherRun(path: String, RunDifference)
    /// A checkpoint that cannot be what a run wrote.
    case damagedCheckpoint(path: String, reason: String)
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
        case .otherShape(let settings):
            "the model to start from has another shape, in which its weights mean nothing: "
                + RunDifference.settings(settings, cosineEpochs: nil).description
        case .noCommonItems: "the model to start from has none of the dataset's items: are they the same kind of ids?"
        case .diverged(let epoch, let step):
            "training diverged: its numbers are not finite any more in epoch \(epoch), step \(step)"
        case .device(let reason): reason
        case .otherRun(let path, let difference): "\(path) cannot be resumed: \(difference)"
        case .damagedCheckpoint(let path, let reason): "\(path): \(reason)"
        case .file(let error): error.description
        case .evaluation(let error): error.description
        }
    }

    /// That of impossible settings, bad data, a device or a file.
    public var exitStatus: ExitStatus {
        switch self {
        case .option, .configuration, .memory, .otherShape: .usage
        case .nothingToLearn, .noCommonItems, .otherRun, .damagedCheckpoint, .diverged: .badData
        case .evaluation(let error): error.exitStatus
        case .device: .unavailable
        case .file(let error): error.exitStatus
        }
    }

    /// What to do about a training that diverged, and about a checkpoint that cannot be gone on from.
    public var remedies: [any Remedy] {
        switch self {
        case .diverged: [DivergenceRemedy.smallerSteps]
        case .otherRun(_, let difference): difference.remedies
        case .otherShape(let settings): [ResumeRemedy.give(settings)]
        case .damagedCheckpoint: [ResumeRemedy.beginAnew]
        case .evaluation(let error): error.remedies
        case .file(let error): error.remedies
        case .option, .configuration, .memory, .nothingToLearn, .noCommonItems, .device: []
        }
    }
}
