public import ErrorSupport

/// What can be done about numbers of a model that are not finite.
public enum DivergenceRemedy: Remedy, Equatable {
    /// Train with a lower learning rate, or with gradients of at most norm 1.
    case smallerSteps
}
