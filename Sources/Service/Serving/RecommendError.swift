import Models

/// Why nothing can be recommended.
public enum RecommendError: Error, Equatable, CustomStringConvertible {
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
            "scores are not finite numbers; the weights are damaged or training diverged: then \(divergenceAdvice)"
        case .device(let reason): reason
        }
    }
}
