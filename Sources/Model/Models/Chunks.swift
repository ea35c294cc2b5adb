import Tensors

/// Gradients of the state of one sequence at some place, layer by layer.
struct StateGradients {
    /// [1, H] each.
    let recurrences: [Tensor]
    /// [1, (K − 1)·H] each; nil without a convolution.
    let windows: [Tensor?]

    init(_ configuration: ModelConfiguration, _ memory: inout Memory) {
        let (h, count) = (configuration.recurrenceSize, configuration.layerCount)
        recurrences = (0..<count).map { _ in memory.tensor(1, h) }
        windows = (0..<count).map { _ in
            configuration.hasConvolution ? memory.tensor(1, configuration.windowLength * h) : nil
        }
    }
}

/// Where the backward pass of one chunk of a sequence meets those of its neighbours.
struct ChunkEnds {
    /// Gradient of the state before the chunk, which the pass writes.
    let before: StateGradients
    /// Gradient of the state after it, nil for the last chunk.
    let after: StateGradients?
    /// Whether the state before it is that before any event.
    let isFirst: Bool
}

extension Learner {
    /// One sequence of any length, with the exact gradient, in memory that grows with it only by its events and by a
    /// ``RecurrentState`` (4 KB) a chunk.
    ///
    /// A sweep from chunk to chunk keeps the state before each. Then, from the last chunk to the first, the forward pass is
    /// done again from that state, with activations this time, and the backward pass takes over the gradient of the state
    /// after the chunk and hands on that of the state before it (Chen et al., "Training deep nets with sublinear memory
    /// cost", 2016). Dropout masks belong to tokens, so that both forward passes compute the same. Costs one forward pass
    /// of the layers, without the loss, more than a batch that fits.
    func learnInChunks(_ lesson: Lesson, _ scale: Float, into gradients: Weights, _ sum: LossSum) {
        precondition(lesson.batch.sequenceCount == 1, "only a single sequence may be longer than the workspace")
        let tokens = lesson.batch.tokenCount
        let chunks = stride(from: 0, to: tokens, by: workspace.tokens).map {
            $0..<min($0 + workspace.tokens, tokens)
        }
        let states = statesBefore(chunks, of: lesson)
        for (index, chunk) in chunks.enumerated().reversed() {
            let part = lesson.part(chunk)
            let ends = ChunkEnds(
                before: stateGradients[index % 2],
                after: index == chunks.count - 1 ? nil : stateGradients[(index + 1) % 2], isFirst: index == 0)
            workspace.write(states[index], 0, of: model)
            let pass = Pass(model, workspace, part.batch, dropout: part.dropout, ends: ends)
            pass.forward(from: .keptStates)
            let repeats = model.repeatBias(
                ofOnlySequence: lesson.batch, rows: part.targets.rows(of: chunk))
            learn(part, pass, repeats, scale, into: gradients, sum)
        }
    }

    private func statesBefore(_ chunks: [Range<Int>], of lesson: Lesson) -> [RecurrentState] {
        var states = [model.initialState()]
        workspace.write(states[0], 0, of: model)
        for chunk in chunks.dropLast() {
            let part = lesson.part(chunk)
            let pass = Pass(model, workspace, part.batch, dropout: part.dropout)
            pass.forward(from: .states, statesOnly: true)
            var state = states[0]
            workspace.read(&state, 0, of: model)
            states.append(state)
        }
        return states
    }
}

extension Lesson {
    /// What a chunk of its only sequence is to teach.
    fileprivate func part(_ chunk: Range<Int>) -> Lesson {
        let positions = targets.positions(in: chunk)
        let rows = targets.rows.map { $0[positions].map { $0 - Int32(chunk.lowerBound) } }
        var part = Lesson(
            batch: PackedBatch([batch.items[chunk]]),
            targets: Targets(rows: rows, items: Array(targets.items[positions])), loss: loss, dropout: dropout)
        part.dropout?.tokenNumbers = Array(dropout!.tokenNumbers[chunk])
        if case .pairwise(let negatives) = loss { part.loss = .pairwise(negatives: Array(negatives[positions])) }
        return part
    }
}

extension Targets {
    /// The rows of the whole sequence that a chunk's targets are at.
    fileprivate func rows(of chunk: Range<Int>) -> [Range<Int>] {
        guard let rows else { return [chunk] }
        return rows.map { chunk.lowerBound + Int($0) }.map { $0..<$0 + 1 }
    }

    /// Positions in `items` of the targets at these rows. O(log targets).
    fileprivate func positions(in chunk: Range<Int>) -> Range<Int> {
        guard let rows else { return chunk }
        func firstPosition(from row: Int) -> Int {
            var (low, high) = (0, rows.count)
            while low < high {
                let middle = (low + high) / 2
                if rows[middle] < row { low = middle + 1 } else { high = middle }
            }
            return low
        }
        return firstPosition(from: chunk.lowerBound)..<firstPosition(from: chunk.upperBound)
    }
}
