public import ErrorSupport
import FileSupport

/// In what a run differs from the one whose checkpoint it should go on from.
public enum RunDifference: Sendable, Equatable, CustomStringConvertible {
    /// This version of the program began it.
    case version(String)
    /// It was trained on data with this fingerprint.
    case data(fingerprint: String)
    /// The same data was split in another way.
    case split
    /// It started from another model, or one of the two from random weights (nil).
    case origin(was: String?, now: String?)
    /// It learnt from other teachers, or from so many more or fewer.
    case teachers(was: Int, now: Int)
    /// It ran on another device, with other precision or another number of threads.
    case device(was: String, now: String)
    /// Settings of the model or of the training; `cosineEpochs` are the epochs of a cosine schedule that should get another length.
    case settings([Setting], cosineEpochs: Int?)

    /// A property of ``ModelConfiguration`` or ``TrainingOptions`` with other values.
    public struct Setting: Sendable, Equatable {
        /// The property's name.
        public var name: String
        /// What the run began with; nil for none.
        public var was: String?
        /// What it should go on with.
        public var now: String?

        /// A property and its values, as text.
        public init(name: String, was: String?, now: String?) {
            self.name = name
            self.was = was
            self.now = now
        }
    }

    /// A part of a sentence for people.
    public var description: String {
        switch self {
        case .version(let version): return "version \(version) of this program began it"
        case .data(let fingerprint): return "it was trained on other data (fingerprint \(fingerprint))"
        case .split: return "the data was split in another way"
        case .origin(let was, let now):
            func text(_ model: String?) -> String {
                model.map { "the model with fingerprint \($0)" } ?? "random weights"
            }
            return "it started from \(text(was)), this run from \(text(now))"
        case .teachers(let was, let now):
            return was == now
                ? "it learnt from other teachers" : "it learns from \(counted(was, "teacher")), this run from \(now)"
        case .device(let was, let now): return "it ran on \(was), this is \(now)"
        case .settings([], _): return "the training options differ"
        case .settings(let settings, let epochs):
            let changes = settings.map { "\($0.name) was \($0.was ?? "not given") and is \($0.now ?? "not given") now" }
            let schedule = epochs.map { "; the cosine schedule was laid out for \(counted($0, "epoch"))" } ?? ""
            return changes.joined(separator: ", ") + schedule
        }
    }

    var remedies: [ResumeRemedy] {
        switch self {
        case .version(let version): [.endWithVersion(version), .beginAnew]
        case .data, .split: []
        case .origin(let was, _): [was == nil ? .startAtRandom : .sameOrigin, .beginAnew]
        case .teachers: [.beginAnew]
        case .device: [.sameDevice]
        case .settings([], _): [.beginAnew]
        case .settings(let settings, nil): [.give(settings), .beginAnew]
        case .settings(let settings, _?): [.give(settings), .beginAnewAtConstantRate]
        }
    }
}

/// What can be done about a checkpoint that a run cannot go on from.
public enum ResumeRemedy: Remedy, Equatable {
    /// Throw the checkpoint away.
    case beginAnew
    /// The same, with a constant schedule, whose number of epochs can be changed on its way.
    case beginAnewAtConstantRate
    /// End the run with that version of the program.
    case endWithVersion(String)
    /// Start from the model that the run began with.
    case sameOrigin
    /// Start without a model.
    case startAtRandom
    /// Compute on the same device, with the same precision and number of threads.
    case sameDevice
    /// Train with the values that the run began with.
    case give([RunDifference.Setting])
}
