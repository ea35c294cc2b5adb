import Tensors

/// What the model remembers of one user: for each layer the last K − 1 inputs of the convolution, oldest first, then
/// the recurrence. L · K · H floats, 4 KB for the default model, whatever the length of the history.
///
/// The values mean something only together with the weights that made them.
public struct RecurrentState: Sendable, Equatable {
    /// Layer by layer: window [(K − 1) · H], recurrence [H].
    public var values: [Float]

    /// Takes stored values back. There must be `configuration.stateSize` of them, all finite.
    public init?(values: [Float], for configuration: ModelConfiguration) {
        guard values.count == configuration.stateSize, values.allSatisfy(\.isFinite) else { return nil }
        self.values = values
    }

    init(zerosFor configuration: ModelConfiguration) { values = Array(repeating: 0, count: configuration.stateSize) }

    /// Positions in `values` of a layer's window.
    static func window(_ layer: Int, _ configuration: ModelConfiguration) -> Range<Int> {
        let width = configuration.recurrenceSize
        let start = layer * (configuration.windowLength + 1) * width
        return start..<start + configuration.windowLength * width
    }

    /// Positions in `values` of a layer's recurrence.
    static func recurrence(_ layer: Int, _ configuration: ModelConfiguration) -> Range<Int> {
        let start = window(layer, configuration).upperBound
        return start..<start + configuration.recurrenceSize
    }
}

extension Workspace {
    /// Copies a user's state to row `row` of every layer.
    func write(_ state: RecurrentState, _ row: Int, of model: SequenceModel) {
        let configuration = model.configuration
        precondition(state.values.count == configuration.stateSize, "the state of another model")
        for (index, layer) in layers.enumerated() {
            let recurrence = Array(state.values[RecurrentState.recurrence(index, configuration)])
            model.backend.upload(recurrence, to: layer.recurrence.rows(row..<row + 1))
            guard let window = layer.window, window.columns > 0 else { continue }
            model.backend.upload(
                Array(state.values[RecurrentState.window(index, configuration)]), to: window.rows(row..<row + 1))
        }
    }

    /// Copies row `row` of every layer to a user's state.
    func read(_ state: inout RecurrentState, _ row: Int, of model: SequenceModel) {
        let configuration = model.configuration
        for (index, layer) in layers.enumerated() {
            state.values.replaceSubrange(
                RecurrentState.recurrence(index, configuration),
                with: model.backend.download(layer.recurrence.rows(row..<row + 1)))
            guard let window = layer.window, window.columns > 0 else { continue }
            state.values.replaceSubrange(
                RecurrentState.window(index, configuration), with: model.backend.download(window.rows(row..<row + 1)))
        }
    }
}
