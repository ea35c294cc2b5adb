package import Layers
package import Tensors

/// Computes losses and gradients of training batches. It owns the workspace of one replica, so each thread needs its own learner.
package final class Learner {
    /// The model whose gradients are computed. The optimiser updates its weights.
    package let model: SequenceModel
    private let workspace: any Workspace
    /// The hidden vectors of the rows that have targets, and the gradients of those.
    private let hidden, hiddenGradient: Tensor
    private let teachers: [TeacherPass]
    private var backend: any Backend { model.backend }

    /// A learner for batches of at most `tokens` events in at most `sequences` sequences, and for single sequences of any
    /// length, which go through the model in chunks of `tokens` events. With `teachers`, models over the same items on the same backend, half of
    /// each target of the full softmax is what these predict.
    package init(_ model: SequenceModel, teachers: [SequenceModel] = [], tokens: Int, sequences: Int) {
        self.model = model
        let (backend, size) = (model.backend, model.configuration.hiddenSize)
        workspace = model.network.workspace(tokens: tokens, sequences: sequences, forTraining: true, on: backend)
        (hidden, hiddenGradient) = (backend.tensor(tokens, size), backend.tensor(tokens, size))
        self.teachers = teachers.map { TeacherPass($0, tokens: tokens, sequences: sequences) }
    }

    /// Sum of the losses of all targets. Adds their gradients, times `scale`, to `gradients`.
    package func learn(
        _ batch: TrainingBatch, dropout: DropoutSettings? = nil, scale: Float, into gradients: Parameters
    ) -> Double {
        let sum = backend.allocateSum()
        learn(batch, dropout: dropout, scale: scale, into: gradients, addingTo: sum)
        return backend.read(sum)
    }

    /// The same without waiting for the loss.
    package func learn(
        _ batch: TrainingBatch, dropout: DropoutSettings?, scale: Float, into gradients: Parameters,
        addingTo sum: LossSum
    ) {
        guard batch.sequences.tokenCount <= workspace.tokens else {
            return learnInChunks(batch, dropout, scale, gradients, sum)
        }
        workspace.load(batch, model, dropout)
        workspace.forward(from: .fresh, statesOnly: false)
        let bias = model.headBias(
            batch.sequences, rows: batch.targetRows, starts: workspace.sequenceStarts, targets: batch.targets)
        addLoss(batch, softTargets { $0.scores(batch) }, bias, scale, gradients, sum)
        workspace.backward(gradients, ends: nil)
    }

    /// One sequence of any length, with the exact gradient, in memory that grows with it only by its events and by a
    /// ``RecurrentState`` (4 KB) a chunk.
    ///
    /// This is gradient checkpointing over time (Chen et al., "Training deep nets with sublinear memory cost", 2016): a first pass stores
    /// the state before each chunk. Then, from the last chunk to the first, the forward pass is repeated from that state with
    /// activations, and the backward pass turns the gradient of the state after the chunk into that of the state before it.
    /// Dropout masks depend on the tokens, so that both forward passes compute the same. Costs one forward pass of the layers,
    /// without the loss, more than a batch that fits.
    private func learnInChunks(
        _ batch: TrainingBatch, _ dropout: DropoutSettings?, _ scale: Float, _ gradients: Parameters, _ sum: LossSum
    ) {
        precondition(batch.sequences.sequenceCount == 1, "only a single sequence may be longer than the workspace")
        let count = batch.sequences.tokenCount
        let chunks = stride(from: 0, to: count, by: workspace.tokens).map {
            $0..<min($0 + workspace.tokens, count)
        }
        let states = statesBefore(chunks, of: batch, model, in: workspace, dropout)
        for teacher in teachers { teacher.prepare(batch, chunks) }
        for (index, events) in chunks.enumerated().reversed() {
            let chunk = batch.chunk(events)
            workspace.load(chunk, model, dropout)
            if index > 0 { workspace.write(states[index - 1], row: 0) }
            workspace.forward(from: index > 0 ? .fixedStates : .fresh, statesOnly: false)
            let bias = model.headBias(
                ofOnlySequence: batch.sequences, rows: chunk.rows(startingAt: events), targets: chunk.targets)
            let softTargets = softTargets { $0.scores(chunk, number: index, events, of: batch.sequences) }
            addLoss(chunk, softTargets, bias, scale, gradients, sum)
            workspace.backward(gradients, ends: index == 0 ? .first : index == chunks.count - 1 ? .last : .middle)
        }
    }

    /// What the teachers predict; nil without teachers.
    private func softTargets(_ scores: (TeacherPass) -> Scores) -> SoftTargets? {
        teachers.isEmpty ? nil : SoftTargets(teachers.map(scores), share: TeacherPass.share)
    }

    /// Adds the losses after a forward pass and computes their gradients, including that of the workspace's output.
    private func addLoss(
        _ batch: TrainingBatch, _ softTargets: SoftTargets?, _ bias: SparseBias?, _ scale: Float,
        _ gradients: Parameters, _ sum: LossSum
    ) {
        let outputGradient = workspace.outputGradient
        guard let rowNumbers = batch.targetRows else {
            return addLoss(batch, workspace.output, outputGradient, softTargets, bias, scale, gradients, sum)
        }
        backend.fill(outputGradient, with: 0)
        guard !rowNumbers.isEmpty else { return }
        let rows = backend.staged(rowNumbers)
        let (hidden, gradient) = (self.hidden.prefix(rows.count), hiddenGradient.prefix(rows.count))
        backend.gather(rows, from: workspace.output, into: hidden)
        addLoss(batch, hidden, gradient, softTargets, bias, scale, gradients, sum)
        backend.scatterAdd(gradient, to: rows, of: outputGradient)
    }

    private func addLoss(
        _ batch: TrainingBatch, _ hidden: Tensor, _ hiddenGradient: Tensor, _ softTargets: SoftTargets?,
        _ bias: SparseBias?, _ scale: Float, _ gradients: Parameters, _ sum: LossSum
    ) {
        SoftmaxHead(table: model.itemTable, on: backend).addLoss(
            hidden, targets: backend.staged(batch.targets), batch.targets, batch.negatives,
            softTargets: softTargets, bias: bias, scale: scale,
            gradients: LossGradients(
                hidden: hiddenGradient, table: gradients.itemTable(model.network.embedding),
                biasValues: model.network.headValues(gradients)),
            to: sum)
    }
}

extension TrainingBatch {
    /// The rows, within the whole sequence, of this chunk's targets.
    func rows(startingAt events: Range<Int>) -> [Range<Int>] {
        guard let targetRows else { return [events] }
        return targetRows.map { events.lowerBound + Int($0) }.map { $0..<$0 + 1 }
    }
}

/// The states of a model's only sequence after all chunks but the last.
func statesBefore(
    _ chunks: [Range<Int>], of batch: TrainingBatch, _ model: SequenceModel, in workspace: any Workspace,
    _ dropout: DropoutSettings?
) -> [RecurrentState] {
    var state = model.initialState()
    workspace.write(state, row: 0)
    return chunks.dropLast().map { events in
        workspace.load(batch.chunk(events), model, dropout)
        workspace.forward(from: .states, statesOnly: true)
        workspace.read(&state, row: 0)
        return state
    }
}

extension Workspace {
    func load(_ batch: TrainingBatch, _ model: SequenceModel, _ dropout: DropoutSettings?) {
        load(
            batch.sequences, model.weights, dropout: dropout, tokenNumbers: dropout == nil ? nil : batch.tokenNumbers)
    }
}
