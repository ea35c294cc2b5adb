import Tensors

/// What a model is asked to predict from each row it outputs.
package struct Targets: Sendable {
    /// Rows of the batch, ascending; nil for all of them.
    package var rows: [Int32]?
    /// The item to predict at each of those rows; 0 where the row is padding.
    package var items: [Int32]

    /// Groups the two.
    package init(rows: [Int32]?, items: [Int32]) {
        self.rows = rows
        self.items = items
    }
}

/// The loss that is minimised.
package enum Loss: Sendable {
    /// Cross-entropy over the whole catalogue.
    case full
    /// Cross-entropy over each target and shared negatives. A sample serves ``targetsPerSample`` targets, the next sample
    /// those that follow, and after the last sample comes the first; each chunk of a long sequence begins with the first.
    /// Position i of `logQ` is the logarithm of item i's probability of being in a sample.
    case sampled(samples: [[Int32]], logQ: [Float])
    /// BPR with one negative item a target.
    case pairwise(negatives: [Int32])

    /// Few, so that a step meets many different negatives at the price of gathering them, but enough for a product.
    package static let targetsPerSample = 128
}

/// A batch and what is to be learnt from it.
struct Lesson {
    var batch: PackedBatch
    var targets: Targets
    var loss: Loss
    var dropout: DropoutSettings?
}

/// Forward and backward over packed batches: one replica's workspace. Make one for each thread.
package final class Learner {
    /// What it trains. Somebody else moves the weights.
    package let model: SequenceModel
    let workspace: Workspace
    let scratch: BackwardScratch
    /// At the two ends of a chunk.
    let stateGradients: [StateGradients]
    private let loss: LossScratch
    private let memory: Memory

    /// A learner for batches of at most `tokens` events in at most `sequences` sequences, and for single sequences of any
    /// length, which go through the model in chunks of `tokens` events.
    package init(_ model: SequenceModel, tokens: Int, sequences: Int) {
        self.model = model
        workspace = Workspace(
            model.configuration, tokens: tokens, sequences: sequences, training: true, backend: model.backend)
        var memory = Memory(backend: model.backend)
        scratch = BackwardScratch(model.configuration, tokens: tokens, sequences: sequences, &memory)
        stateGradients = (0..<2).map { _ in StateGradients(model.configuration, &memory) }
        loss = LossScratch(model.configuration, tokens: tokens, &memory)
        self.memory = memory
    }

    /// Sum of the losses of all targets. Adds its gradient, times `scale`, to `gradients`.
    package func learn(
        _ batch: PackedBatch, _ targets: Targets, loss kind: Loss = .full, dropout: DropoutSettings? = nil,
        scale: Float, into gradients: Weights
    ) -> Double {
        let sum = model.backend.allocateSum()
        learn(batch, targets, loss: kind, dropout: dropout, scale: scale, into: gradients, addingTo: sum)
        return model.backend.read(sum)
    }

    /// The same without waiting for the loss.
    package func learn(
        _ batch: PackedBatch, _ targets: Targets, loss kind: Loss, dropout: DropoutSettings?, scale: Float,
        into gradients: Weights, addingTo sum: LossSum
    ) {
        let lesson = Lesson(batch: batch, targets: targets, loss: kind, dropout: dropout)
        guard batch.tokenCount <= workspace.tokens else { return learnInChunks(lesson, scale, into: gradients, sum) }
        let pass = Pass(model, workspace, batch, dropout: dropout)
        pass.forward(from: .fresh)
        let repeats = model.repeatBias(batch, rows: targets.rows, of: pass)
        learn(lesson, pass, repeats, scale, into: gradients, sum)
    }

    /// The rest of a lesson, once its forward pass is done.
    func learn(
        _ lesson: Lesson, _ pass: Pass, _ repeats: RepeatBias?, _ scale: Float, into gradients: Weights,
        _ sum: LossSum
    ) {
        let backend = model.backend
        let stream = scratch.stream.prefix(pass.tokens)
        guard let rowNumbers = lesson.targets.rows else {
            evaluate(
                lesson, pass.output, repeats, scale,
                LossGradients(hidden: stream, table: gradients.embedding, biasValues: gradients.repeatBias), sum)
            return pass.backward(scratch, into: gradients)
        }
        backend.fill(stream, with: 0)
        if !rowNumbers.isEmpty {
            let rows = workspace.rows.prefix(rowNumbers.count)
            let (hidden, hiddenGradient) = (loss.hidden.prefix(rows.count), loss.gradient.prefix(rows.count))
            backend.upload(rowNumbers, to: rows)
            backend.gather(rows, from: pass.output, into: hidden)
            evaluate(
                lesson, hidden, repeats, scale,
                LossGradients(hidden: hiddenGradient, table: gradients.embedding, biasValues: gradients.repeatBias),
                sum)
            backend.scatterAdd(hiddenGradient, to: rows, of: stream)
        }
        pass.backward(scratch, into: gradients)
    }

    /// The loss of hidden vectors; `gradients.table` is the whole embedding's.
    private func evaluate(
        _ lesson: Lesson, _ hidden: Tensor, _ repeats: RepeatBias?, _ scale: Float, _ gradients: LossGradients,
        _ sum: LossSum
    ) {
        let backend = model.backend
        let items = lesson.targets.items
        let (table, first) = model.softmaxTable
        let own = LossGradients(
            hidden: gradients.hidden, table: gradients.table.rows(Int(first)..<gradients.table.rows),
            biasValues: gradients.biasValues)
        let targets = loss.targets.prefix(items.count)
        backend.upload(items.map { $0 == 0 ? -1 : $0 - first }, to: targets)
        switch lesson.loss {
        case .full:
            withExtendedLifetime(repeats) {
                backend.addCrossEntropy(
                    hidden, table: table, targets: targets, bias: repeats?.bias, scale: scale, gradients: own, to: sum)
            }
        case .sampled(let samples, let logQ):
            addSampledLoss(samples, logQ, hidden, items, repeats, scale, own, sum)
        case .pairwise(let negatives):
            let block = backend.allocateIndices(negatives.count)
            backend.upload(negatives.map { $0 - first }, to: block.indices)
            withExtendedLifetime(block) {
                backend.addPairwiseLoss(
                    hidden, table: table, targets: targets, negatives: block.indices, scale: scale, gradients: own,
                    to: sum)
            }
        }
    }

    /// ``Loss/sampled(samples:logQ:)`` of hidden vectors; `gradients.table` is the softmax table's.
    private func addSampledLoss(
        _ samples: [[Int32]], _ logQ: [Float], _ hidden: Tensor, _ items: [Int32], _ repeats: RepeatBias?,
        _ scale: Float, _ gradients: LossGradients, _ sum: LossSum
    ) {
        let backend = model.backend
        let (table, first) = model.softmaxTable
        func upload(_ items: some Collection<Int32>) -> (rows: Storage<Int32>, logQ: Storage<Float>) {
            let blocks = (rows: backend.allocateIndices(items.count), logQ: backend.allocate(items.count))
            backend.upload(items.map { $0 == 0 ? -1 : $0 - first }, to: blocks.rows.indices)
            backend.upload(items.map { logQ[Int($0)] }, to: blocks.logQ.tensor)
            return blocks
        }
        let (targets, negatives) = (upload(items), samples.map(upload))
        for (index, start) in stride(from: 0, to: items.count, by: Loss.targetsPerSample).enumerated() {
            let rows = start..<min(start + Loss.targetsPerSample, items.count)
            let sample = negatives[index % samples.count]
            backend.addSampledCrossEntropy(
                hidden.rows(rows), table: table, targets: targets.rows.indices.range(rows),
                targetLogQ: targets.logQ.tensor.columns(rows), negatives: sample.rows.indices,
                logQ: sample.logQ.tensor, bias: repeats?.bias.rows(rows), scale: scale,
                gradients: gradients.rows(rows), to: sum)
        }
        withExtendedLifetime((targets, negatives, repeats)) {}
    }
}

/// Scratch memory around the loss.
private struct LossScratch {
    let hidden, gradient: Tensor
    let targets: Indices

    init(_ configuration: ModelConfiguration, tokens: Int, _ memory: inout Memory) {
        hidden = memory.tensor(tokens, configuration.hiddenSize)
        gradient = memory.tensor(tokens, configuration.hiddenSize)
        targets = memory.indices(tokens)
    }
}
