import Tensors

/// Runs a trained model over the batches of a ``Learner``, without dropout, for what it predicts at the targets (knowledge distillation:
/// Hinton, Vinyals & Dean 2015).
final class TeacherPass {
    /// The teachers' share of each target. All of it and four fifths were no better (docs/results.md, "Teachers").
    static let share: Float = 0.5

    private let model: SequenceModel
    private let workspace: any Workspace
    /// The hidden vectors of the rows that have targets.
    private let hidden: Tensor
    /// The states before the chunks of a long sequence, but the first.
    private var states: [RecurrentState] = []

    init(_ model: SequenceModel, tokens: Int, sequences: Int) {
        self.model = model
        workspace = model.network.workspace(
            tokens: tokens, sequences: sequences, forTraining: false, on: model.backend)
        hidden = model.backend.tensor(tokens, model.configuration.hiddenSize)
    }

    /// The scores at the targets of a batch of whole sequences.
    func scores(_ batch: TrainingBatch) -> Scores {
        workspace.load(batch, model, nil)
        workspace.forward(from: .fresh, statesOnly: false)
        let bias = model.headBias(
            batch.sequences, rows: batch.targetRows, starts: workspace.sequenceStarts, targets: batch.targets)
        return scores(batch, bias)
    }

    /// Computes the states before the chunks of a long sequence, for their scores.
    func prepare(_ batch: TrainingBatch, _ chunks: [Range<Int>]) {
        states = statesBefore(chunks, of: batch, model, in: workspace, nil)
    }

    /// The scores at the targets of a chunk, its `events` of the sequence that was prepared.
    func scores(
        _ chunk: TrainingBatch, number: Int, _ events: Range<Int>, of sequence: PackedBatch
    ) -> Scores {
        workspace.load(chunk, model, nil)
        if number > 0 { workspace.write(states[number - 1], row: 0) }
        workspace.forward(from: number > 0 ? .states : .fresh, statesOnly: false)
        let bias = model.headBias(
            ofOnlySequence: sequence, rows: chunk.rows(startingAt: events), targets: chunk.targets)
        return scores(chunk, bias)
    }

    private func scores(_ batch: TrainingBatch, _ bias: SparseBias?) -> Scores {
        guard let rowNumbers = batch.targetRows else {
            return Scores(hidden: workspace.output, table: model.itemTable, bias: bias)
        }
        let (backend, chosen) = (model.backend, hidden.prefix(rowNumbers.count))
        if !rowNumbers.isEmpty { backend.gather(backend.staged(rowNumbers), from: workspace.output, into: chosen) }
        return Scores(hidden: chosen, table: model.itemTable, bias: bias)
    }
}
