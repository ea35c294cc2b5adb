/// The state of a model after one user's history of any length: 4 KB for the default model, which has for each layer the last K − 1 inputs
/// of the convolution, oldest first, and the state of the recurrence, L · K · H floats.
///
/// The values are meaningful only with the weights that computed them.
public struct RecurrentState: Sendable, Equatable {
    /// Layer by layer: window [(K − 1) · H], recurrence [H]. Then, in a model with time, the last layer's last input [D] and the time of the last
    /// event, as day and second.
    public internal(set) var values: [Float]

    /// The state of stored ``values``; nil unless they are ``ModelConfiguration/stateSize`` finite numbers.
    public init?(values: [Float], for configuration: ModelConfiguration) {
        guard values.count == configuration.stateSize, values.allSatisfy(\.isFinite) else { return nil }
        if configuration.usesTime, !Self.areTime(values.suffix(Self.timeSize)) { return nil }
        self.values = values
    }

    /// The state whose ``values`` come from another state of the same model.
    package init(_ values: [Float]) { self.values = values }
}
