import Tensors

/// Where the sequences of a pass start from.
enum StartingPoint {
    /// The model's state before any event: zeros, or what the warm-up leaves.
    case fresh
    /// The states in the workspace, which the pass moves on.
    case states
    /// The states in the workspace, which stay there for the backward pass.
    case keptStates
}

/// One pass over a packed batch: the main path of the model, read with DESIGN section 2 beside it.
struct Pass {
    let model: SequenceModel
    let workspace: Workspace
    let tokens: Int
    let sequences: Int
    let dropout: DropoutSettings?
    /// Of a chunk of a long sequence.
    let ends: ChunkEnds?

    var backend: any Backend { model.backend }
    var configuration: ModelConfiguration { model.configuration }
    var starts: Indices { workspace.starts.prefix(sequences + 1) }
    var items: Indices { workspace.items.prefix(tokens) }
    /// X of the last layer [N, D].
    var output: Tensor { workspace.layers[configuration.layerCount - 1].output.prefix(tokens) }

    /// Copies the batch to the backend.
    init(
        _ model: SequenceModel, _ workspace: Workspace, _ batch: PackedBatch, dropout: DropoutSettings?,
        ends: ChunkEnds? = nil
    ) {
        precondition(
            batch.tokenCount <= workspace.tokens && batch.sequenceCount <= workspace.sequences,
            "the batch is larger than its workspace")
        self.model = model
        self.workspace = workspace
        self.dropout = dropout
        self.ends = ends
        tokens = batch.tokenCount
        sequences = batch.sequenceCount
        backend.upload(batch.items, to: workspace.items)
        backend.upload(batch.starts, to: workspace.starts)
        if let dropout {
            precondition(dropout.tokenNumbers.count == tokens, "one number a token")
            backend.upload(dropout.tokenNumbers, to: workspace.tokenNumbers)
        }
    }

    /// What is dropped at one place; nil where nothing is.
    func dropout(at place: DropoutSettings.Place) -> Dropout? {
        guard let dropout, dropout.rate > 0 else { return nil }
        return Dropout(
            rate: dropout.rate, seed: dropout.seed, step: dropout.step, place: place.number,
            rowNumbers: workspace.tokenNumbers.prefix(tokens))
    }

    /// Where `statesOnly`, what comes after the last layer's recurrence is left out: there is no output then.
    func forward(from start: StartingPoint, statesOnly: Bool = false) {
        embed()
        var input = workspace.embedding.output.prefix(tokens)
        for index in workspace.layers.indices {
            let (layer, weights) = (workspace.layers[index], model.weights.layer(index))
            recur(index, layer, weights, input, start)
            if statesOnly, index == workspace.layers.count - 1 { return }
            project(index, layer, weights, input)
            feedForward(index, layer, weights)
            input = layer.output.prefix(tokens)
        }
    }

    /// X₀ = LayerNorm(dropout(E[items])).
    private func embed() {
        let norm = workspace.embedding
        backend.gather(items, from: model.weights.embedding, into: norm.normalized.prefix(tokens))
        backend.residualNorm(
            norm.normalized.prefix(tokens), bias: nil, residual: nil, dropout: dropout(at: .embedding),
            parameters: model.weights.embeddingNorm, inverseDeviation: norm.inverseDeviation,
            output: norm.output.prefix(tokens))
    }

    /// SiLU(Z) ⊙ h, h the recurrence of X.
    private func recur(
        _ index: Int, _ layer: LayerActivations, _ weights: LayerWeights, _ x: Tensor, _ start: StartingPoint
    ) {
        let recurrence = layer.recurrence.prefix(sequences)
        if start == .fresh, configuration.warmupSteps > 0 { Warmup(model, index).fill(recurrence) }
        let initial = start == .fresh && configuration.warmupSteps == 0 ? nil : recurrence
        let final = start == .states ? recurrence : nil

        if let projected = layer.projected?.prefix(tokens) {
            backend.multiply(
                x, transposed: false, weights.inputProjection!, transposed: true, into: projected, accumulate: false)
            convolve(projected.columns(0..<configuration.recurrenceSize), weights, layer, start)
        }
        let inputs = scanInputs(layer, weights, x)
        backend.multiply(
            inputs.input, transposed: false, weights.gates, transposed: true, into: inputs.gates, accumulate: false)
        backend.scan(
            inputs, starts: starts, initial: initial, states: layer.states.prefix(tokens),
            output: layer.gated.prefix(tokens), final: final)
    }

    /// Y = LayerNorm(dropout(G) + X), G the gated recurrence times W_out.
    private func project(_ index: Int, _ layer: LayerActivations, _ weights: LayerWeights, _ x: Tensor) {
        let sum = layer.recurrentNorm.normalized.prefix(tokens)
        if let projection = weights.outputProjection {
            backend.multiply(
                layer.gated.prefix(tokens), transposed: false, projection, transposed: true, into: sum,
                accumulate: false)
        } else {
            backend.copy(layer.states.prefix(tokens), to: sum)
        }
        backend.residualNorm(
            sum, bias: nil, residual: x, dropout: dropout(at: .recurrence(layer: index)),
            parameters: weights.recurrentNorm, inverseDeviation: layer.recurrentNorm.inverseDeviation,
            output: layer.recurrentNorm.output.prefix(tokens))
    }

    private func convolve(_ u: Tensor, _ weights: LayerWeights, _ layer: LayerActivations, _ start: StartingPoint) {
        let output = layer.convolved!.prefix(tokens)
        guard let convolution = weights.convolution else {
            return backend.activate(u, bias: nil, dropout: nil, output: output)
        }
        let window = start == .fresh ? nil : layer.window?.prefix(sequences)
        backend.convolve(
            u, parameters: convolution, starts: starts, window: window, finalWindow: start == .states ? window : nil,
            output: output)
    }

    func scanInputs(_ layer: LayerActivations, _ weights: LayerWeights, _ x: Tensor) -> ScanInputs {
        let width = configuration.recurrenceSize
        return ScanInputs(
            gates: layer.gates.prefix(tokens), gateBias: weights.gateBias,
            input: layer.convolved?.prefix(tokens) ?? x,
            outputGate: layer.projected?.prefix(tokens).columns(width..<2 * width), decay: weights.decay)
    }

    /// X = LayerNorm(dropout(W₂ · dropout(SiLU(W₁ · Y + b₁)) + b₂) + Y); nothing where the model has no such network.
    private func feedForward(_ index: Int, _ layer: LayerActivations, _ weights: LayerWeights) {
        guard let network = weights.feedForward, let activations = layer.feedForward else { return }
        let y = layer.recurrentNorm.output.prefix(tokens)
        let inner = activations.inner.prefix(tokens)
        let activated = activations.activated.prefix(tokens)
        let sum = activations.norm.normalized.prefix(tokens)
        backend.multiply(y, transposed: false, network.inner, transposed: true, into: inner, accumulate: false)
        backend.activate(
            inner, bias: network.innerBias, dropout: dropout(at: .inner(layer: index)), output: activated)
        backend.multiply(activated, transposed: false, network.outer, transposed: true, into: sum, accumulate: false)
        backend.residualNorm(
            sum, bias: network.outerBias, residual: y, dropout: dropout(at: .outer(layer: index)),
            parameters: network.norm, inverseDeviation: activations.norm.inverseDeviation,
            output: activations.norm.output.prefix(tokens))
    }
}
