public import ErrorSupport
import Identifiers
public import Interactions
public import Models

/// A method that ranks the target of a case among all items.
public protocol Ranker: Sendable {
    /// Name for tables and reports.
    var name: String { get }
    /// The ranks of the targets, in the order of the cases.
    func rank(_ cases: [EvaluationCase], in dataset: Dataset) throws(EvaluationError) -> [CaseRanks]
    /// The ranks of the targets, and what else the ranker can say about the cases.
    func examine(_ cases: [EvaluationCase], in dataset: Dataset) throws(EvaluationError) -> Examination
}

extension Ranker {
    /// Without the rest.
    public func rank(_ cases: [EvaluationCase], in dataset: Dataset) throws(EvaluationError) -> [CaseRanks] {
        try examine(cases, in: dataset).ranks
    }
}

extension Dataset {
    /// Throws unless a model with time can read this.
    package func requireDates() throws(EvaluationError) {
        guard hasTimestamps else { throw .noTimes }
        guard hasDates else { throw .noDates }
    }
}

/// Why an evaluation cannot be trusted.
public enum EvaluationError: UserFacingError, Equatable {
    /// A score is not a finite number.
    case notANumber(model: String)
    /// Nothing to evaluate.
    case noCases
    /// Model and data know different items.
    case itemCount(model: Int, dataset: Int)
    /// A model with time, and data without times.
    case noTimes
    /// A model with time, and data whose times are only an order.
    case noDates
    /// The model cannot read a history.
    case history(HistoryError)
    /// The device that ranks failed.
    case device(String)
    /// Whoever waited for it wanted no more.
    case stopped

    /// One sentence for people.
    public var description: String {
        switch self {
        case .notANumber(let model):
            "\(model): scores are not finite numbers: the weights are damaged or training diverged"
        case .history(let error): error.description
        case .device(let reason): reason
        case .stopped: "stopped before all cases were ranked"
        case .noTimes:
            "a model with time (--time) needs the times of events, which this dataset has not: prepare it from a log with "
                + "dates"
        case .noDates:
            "a model with time (--time) needs dates, and the times of this dataset are numbers that only say the order: "
                + "prepare it from a log with dates"
        case .noCases: "there is nothing to evaluate: no user has enough events"
        case .itemCount(let model, let dataset): "the model knows \(model) items, the dataset \(dataset)"
        }
    }

    /// The device's, that of what was stopped, else that of bad data.
    public var exitStatus: ExitStatus {
        switch self {
        case .device: .unavailable
        case .stopped: .interrupted
        default: .badData
        }
    }

    /// What to do about a training that diverged.
    public var remedies: [any Remedy] { if case .notANumber = self { [DivergenceRemedy.smallerSteps] } else { [] } }
}
