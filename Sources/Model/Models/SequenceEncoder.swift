public import Identifiers
package import Tensors

/// Inference: computes hidden vectors of histories. It owns a workspace, so each thread needs its own encoder.
///
/// The result of every call is the hidden vector after the last event, D floats, whose products with the item embeddings are the scores.
/// `Recommender` ranks items by them.
public final class SequenceEncoder {
    /// The model whose layers it runs.
    public let model: SequenceModel
    private let workspace: any Workspace
    private let lastRows: Indices
    private let selected: Tensor

    /// An encoder for batches of at most `tokens` events in at most `sequences` sequences.
    public init(_ model: SequenceModel, tokens: Int, sequences: Int) {
        self.model = model
        let (backend, count) = (model.backend, max(1, sequences))
        workspace = model.network.workspace(
            tokens: max(1, tokens), sequences: count, forTraining: false, on: backend)
        lastRows = backend.allocateIndices(count).indices
        selected = backend.tensor(count, model.configuration.hiddenSize)
    }

    /// Advances a state by one event; returns the hidden vector. O(D·H) time for any length of the history. A model with time needs the event's
    /// `time`, in nanoseconds since 1970, and can be told when it is asked what comes next. Throws where the item is unknown, a time is missing or the
    /// state belongs to another model; then the state is unchanged.
    public func step(
        _ state: inout RecurrentState, item: ItemID, time: Int64? = nil, askedAt question: Int64? = nil
    ) throws(HistoryError) -> [Float] {
        model.backend.download(
            try hidden(
                stepping: &state, item: item, times: time.map { EventTime.history([$0], question: question) } ?? []))
    }

    /// What is the hidden vector at another time, of a model with time: the state fades although nothing happens, and does not change. `time` is in
    /// nanoseconds since 1970. O(D·H). Throws where the state has no event or belongs to another model, or the model knows nothing of time.
    public func read(_ state: RecurrentState, at time: Int64) throws(HistoryError) -> [Float] {
        model.backend.download(try hidden(reading: [state], at: [EventTime.seconds(ofNanoseconds: time)]))
    }

    /// Advances a state by a history of any length, in chunks; returns the hidden vector after its last event. A model with time needs the `times` of the
    /// events, as ``step(_:item:time:askedAt:)`` does. Throws where the history is empty, an item unknown, a time missing or the state another model's; then
    /// the state is unchanged.
    public func advance(
        _ state: inout RecurrentState, by history: [ItemID], times: [Int64]? = nil, askedAt question: Int64? = nil
    ) throws(HistoryError) -> [Float] {
        model.backend.download(
            try hidden(
                advancing: &state, by: history, times: times.map { EventTime.history($0, question: question) } ?? []))
    }

    /// The hidden vector after each of these histories, D floats each, for a model without time. O(events · D·H). Throws where one is empty, an item unknown
    /// or there are more events or sequences than the encoder was made for.
    public func encode(_ histories: [[ItemID]]) throws(HistoryError) -> [[Float]] {
        let values = model.backend.download(try hidden(after: PackedBatch(histories)))
        let size = model.configuration.hiddenSize
        return histories.indices.map { Array(values[$0 * size..<($0 + 1) * size]) }
    }
}

/// The same with results in the backend's memory, [S, D], which the next call overwrites.
extension SequenceEncoder {
    /// After each sequence's last event, from the state before any event. Throws as ``encode(_:)`` does.
    package func hidden(after batch: PackedBatch) throws(HistoryError) -> Tensor {
        try check(batch)
        run(batch, from: .fresh)
        return lastRows(of: batch)
    }

    /// After every event: [N, D]. Throws as ``encode(_:)`` does.
    package func hidden(atAllPositionsOf batch: PackedBatch) throws(HistoryError) -> Tensor {
        try check(batch)
        run(batch, from: .fresh)
        return workspace.output
    }

    /// Advances `states[s]` by the events of sequence s. Throws as ``encode(_:)`` does, and where there is not one state of this model for each
    /// sequence; then the states are unchanged.
    package func hidden(
        advancing states: inout [RecurrentState], by batch: PackedBatch
    ) throws(HistoryError) -> Tensor {
        try advance(&states, by: batch)
        return lastRows(of: batch)
    }

    /// The same, but after every event: [N, D].
    package func hiddenAtAllPositions(
        advancing states: inout [RecurrentState], by batch: PackedBatch
    ) throws(HistoryError) -> Tensor {
        try advance(&states, by: batch)
        return workspace.output
    }

    /// At other times, in seconds, than those of the states' last events; nil is the event's own. Changes no state. As ``read(_:at:)``.
    package func hidden(reading states: [RecurrentState], at times: [Int64?]) throws(HistoryError) -> Tensor {
        guard model.configuration.usesTime else { throw .noTimes }
        guard states.count == times.count, states.count <= min(workspace.tokens, workspace.sequences) else {
            throw .tooLarge(tokens: workspace.tokens, sequences: workspace.sequences)
        }
        guard states.allSatisfy({ $0.values.count == model.configuration.stateSize }) else { throw .otherStates }
        var questions: [EventTime] = []
        for (row, state) in states.enumerated() {
            guard let last = state.lastTime else { throw .empty }
            workspace.write(state, row: row)
            questions.append(EventTime(last, before: nil, question: times[row]))
        }
        workspace.load(questions: questions, model.weights)
        workspace.answer()
        return workspace.output
    }

    /// As ``step(_:item:time:askedAt:)``.
    package func hidden(
        stepping state: inout RecurrentState, item: ItemID, times: [EventTime] = []
    ) throws(HistoryError) -> Tensor {
        try hidden(advancing: &state, by: [item], times: times)
    }

    /// As ``advance(_:by:times:askedAt:)``.
    package func hidden(
        advancing state: inout RecurrentState, by history: [ItemID], times: [EventTime] = []
    ) throws(HistoryError) -> Tensor {
        guard !history.isEmpty else { throw .empty }
        try model.configuration.check(history)
        guard times.isEmpty || times.count == history.count else { throw .noTimes }
        var states = [state]
        var result = selected.prefix(1)
        for start in stride(from: 0, to: history.count, by: workspace.tokens) {
            let range = start..<min(start + workspace.tokens, history.count)
            var piece = PackedBatch()
            piece.append(history[range], times: times.isEmpty ? [] : times[range])
            result = try hidden(advancing: &states, by: piece)
        }
        state = states[0]
        return result
    }

    private func advance(_ states: inout [RecurrentState], by batch: PackedBatch) throws(HistoryError) {
        try check(batch)
        guard states.count == batch.sequenceCount,
            states.allSatisfy({ $0.values.count == model.configuration.stateSize })
        else { throw .otherStates }
        for (row, state) in states.enumerated() { workspace.write(state, row: row) }
        var batch = batch
        if model.configuration.usesTime { batch.go(onAfter: states.map(\.lastTime)) }
        run(batch, from: .states)
        for row in states.indices { workspace.read(&states[row], row: row) }
    }

    /// The batch must have been checked.
    private func run(_ batch: PackedBatch, from start: StartingPoint) {
        workspace.load(batch, model.weights, dropout: nil, tokenNumbers: nil)
        workspace.forward(from: start, statesOnly: false)
    }

    private func check(_ batch: PackedBatch) throws(HistoryError) {
        guard batch.tokenCount <= workspace.tokens, batch.sequenceCount <= workspace.sequences else {
            throw .tooLarge(tokens: workspace.tokens, sequences: workspace.sequences)
        }
        guard batch.sequenceCount > 0, zip(batch.starts, batch.starts.dropFirst()).allSatisfy(<) else { throw .empty }
        try model.configuration.check(batch.items)
        if model.configuration.usesTime, batch.times.count != batch.tokenCount { throw .noTimes }
    }

    private func lastRows(of batch: PackedBatch) -> Tensor {
        let (rows, selected) = (lastRows.prefix(batch.sequenceCount), selected.prefix(batch.sequenceCount))
        model.backend.upload(batch.starts.dropFirst().map { $0 - 1 }, to: rows)
        model.backend.gather(rows, from: workspace.output, into: selected)
        return selected
    }
}
