import Tensors

/// Runs a model over histories without learning: one thread's workspace. Make one for each thread.
///
/// The hidden vectors that it returns are views of its workspace: they last until its next call, and no longer than the
/// encoder itself.
public final class Encoder {
    /// What it runs.
    public let model: SequenceModel
    private let workspace: Workspace

    /// An encoder for batches of at most `tokens` events in at most `sequences` sequences.
    public init(_ model: SequenceModel, tokens: Int, sequences: Int) {
        self.model = model
        workspace = Workspace(
            model.configuration, tokens: max(1, tokens), sequences: max(1, sequences), training: false,
            backend: model.backend)
    }

    /// Hidden vectors [S, D] after each sequence's last event, from the state before any event. Valid until the next call.
    /// Throws where a sequence is empty, an item unknown or the batch too large.
    package func encode(_ batch: PackedBatch) throws(HistoryError) -> Tensor {
        try check(batch)
        let pass = Pass(model, workspace, batch, dropout: nil)
        pass.forward(from: .fresh)
        return lastRows(of: pass, batch)
    }

    /// Hidden vectors [N, D] after every event. Valid until the next call. Throws as ``encode(_:)`` does.
    package func encodeAllPositions(_ batch: PackedBatch) throws(HistoryError) -> Tensor {
        try check(batch)
        let pass = Pass(model, workspace, batch, dropout: nil)
        pass.forward(from: .fresh)
        return pass.output
    }

    /// Moves `states[s]` on by the events of sequence s; hidden vectors [S, D] after each sequence's last event.
    /// Valid until the next call. Throws as ``encode(_:)`` does, and where the states are not this model's, one a sequence;
    /// then they stay as they are.
    package func advance(_ states: inout [RecurrentState], by batch: PackedBatch) throws(HistoryError) -> Tensor {
        try check(batch)
        guard states.count == batch.sequenceCount,
            states.allSatisfy({ $0.values.count == model.configuration.stateSize })
        else { throw .otherStates }
        let pass = Pass(model, workspace, batch, dropout: nil)
        for (row, state) in states.enumerated() { workspace.write(state, row, of: model) }
        pass.forward(from: .states)
        for row in states.indices { workspace.read(&states[row], row, of: model) }
        return lastRows(of: pass, batch)
    }

    /// Moves one state on by one event; hidden vector [1, D]. O(D·H) time, whatever the length of the history. Throws where
    /// the item is unknown or the state another model's.
    package func step(_ state: inout RecurrentState, item: Int32) throws(HistoryError) -> Tensor {
        var states = [state]
        let hidden = try advance(&states, by: PackedBatch([[item]]))
        state = states[0]
        return hidden
    }

    /// Moves one state on by a history of any length in pieces that fit; hidden vector [1, D] after its last event.
    /// Throws where the history is empty, an item unknown or the state another model's; then it stays as it is.
    package func advance(_ state: inout RecurrentState, by history: [Int32]) throws(HistoryError) -> Tensor {
        guard !history.isEmpty else { throw .empty }
        try model.configuration.check(history)
        var states = [state]
        var hidden = workspace.selected.prefix(1)
        for start in stride(from: 0, to: history.count, by: workspace.tokens) {
            let piece = history[start..<min(start + workspace.tokens, history.count)]
            hidden = try advance(&states, by: PackedBatch([piece]))
        }
        state = states[0]
        return hidden
    }

    private func check(_ batch: PackedBatch) throws(HistoryError) {
        guard batch.tokenCount <= workspace.tokens, batch.sequenceCount <= workspace.sequences else {
            throw .tooLarge(tokens: workspace.tokens, sequences: workspace.sequences)
        }
        guard batch.sequenceCount > 0, zip(batch.starts, batch.starts.dropFirst()).allSatisfy(<) else { throw .empty }
        try model.configuration.check(batch.items)
    }

    private func lastRows(of pass: Pass, _ batch: PackedBatch) -> Tensor {
        let selected = workspace.selected.prefix(pass.sequences)
        let rows = workspace.rows.prefix(pass.sequences)
        model.backend.upload(batch.starts.dropFirst().map { $0 - 1 }, to: rows)
        model.backend.gather(rows, from: pass.output, into: selected)
        return selected
    }
}

extension SequenceModel {
    /// The state before any event: zeros, or what the warm-up leaves. O(L · warm-up steps · H²).
    public func initialState() -> RecurrentState {
        var state = RecurrentState(zerosFor: configuration)
        guard configuration.warmupSteps > 0 else { return state }
        let block = backend.allocate(configuration.recurrenceSize)
        for layer in 0..<configuration.layerCount {
            Warmup(self, layer).fill(block.tensor)
            state.values.replaceSubrange(
                RecurrentState.recurrence(layer, configuration), with: backend.download(block.tensor))
        }
        return state
    }
}
