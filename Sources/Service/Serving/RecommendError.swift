public import ErrorSupport
public import Models

/// Why nothing can be recommended.
public enum RecommendError: UserFacingError, Equatable {
    /// The model cannot read the history.
    case history(HistoryError)
    /// Scores are not finite numbers, or may not be.
    case notFinite
    /// The device that computes failed.
    case device(String)

    /// One sentence for people.
    public var description: String {
        switch self {
        case .history(let error): error.description
        case .notFinite:
            "scores are not finite numbers: the weights are damaged or training diverged"
        case .device(let reason): reason
        }
    }

    /// The device's, else that of bad data.
    public var exitStatus: ExitStatus { if case .device = self { .unavailable } else { .badData } }

    /// What to do about a training that diverged.
    public var remedies: [any Remedy] { self == .notFinite ? [DivergenceRemedy.smallerSteps] : [] }
}
