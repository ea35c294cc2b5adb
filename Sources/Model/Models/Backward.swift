import Tensors

/// Scratch memory of a backward pass, used by every layer in turn.
struct BackwardScratch {
    /// Gradient of a layer's output, then of its input: [N, D].
    let stream: Tensor
    /// Gradient of Y: [N, D].
    let middle: Tensor
    /// Gradient of what enters a norm beside the residual: [N, D].
    let branch: Tensor
    /// [N, 4D].
    let inner: Tensor?
    /// Gradient of the recurrence's output, and of its input: [N, H].
    let gated, convolved: Tensor
    /// Gradient of [U, Z]: [N, 2H].
    let projected: Tensor?
    /// Gradient of the state before the first event: [S, H].
    let initial: Tensor?

    init(_ configuration: ModelConfiguration, tokens: Int, sequences: Int, _ memory: inout Memory) {
        let (d, h) = (configuration.hiddenSize, configuration.recurrenceSize)
        stream = memory.tensor(tokens, d)
        middle = memory.tensor(tokens, d)
        branch = memory.tensor(tokens, d)
        inner = configuration.feedForward ? memory.tensor(tokens, configuration.innerSize) : nil
        gated = memory.tensor(tokens, h)
        convolved = memory.tensor(tokens, h)
        projected = configuration.block == .full ? memory.tensor(tokens, 2 * h) : nil
        initial = configuration.warmupSteps > 0 ? memory.tensor(sequences, h) : nil
    }
}

extension Pass {
    /// Adds the gradients of all weights, given that of the output in `scratch.stream`. Only after a forward pass
    /// from the fresh state (of a chunk: from kept states) in a workspace for training; the gates are overwritten on the
    /// way.
    func backward(_ scratch: BackwardScratch, into gradients: Weights) {
        for index in workspace.layers.indices.reversed() {
            let input = index > 0 ? workspace.layers[index - 1].output : workspace.embedding.output
            let (weights, layerGradients) = (model.weights.layer(index), gradients.layer(index))
            feedForwardBackward(index, weights, layerGradients, scratch)
            recurBackward(index, weights, layerGradients, input.prefix(tokens), scratch)
        }
        embedBackward(scratch, gradients)
    }

    /// From the gradient of X in `stream` to that of Y in `middle`.
    private func feedForwardBackward(
        _ index: Int, _ weights: LayerWeights, _ gradients: LayerWeights, _ scratch: BackwardScratch
    ) {
        let layer = workspace.layers[index]
        let (stream, middle) = (scratch.stream.prefix(tokens), scratch.middle.prefix(tokens))
        guard let network = weights.feedForward, let activations = layer.feedForward, let own = gradients.feedForward
        else { return backend.copy(stream, to: middle) }
        let branch = scratch.branch.prefix(tokens)
        let inner = scratch.inner!.prefix(tokens)
        backend.residualNormBackward(
            stream, normalized: activations.norm.normalized.prefix(tokens),
            inverseDeviation: activations.norm.inverseDeviation, dropout: dropout(at: .outer(layer: index)),
            parameters: network.norm, inputGradient: branch, residualGradient: middle, biasGradient: own.outerBias,
            parameterGradients: own.norm)
        linearBackward(
            branch, input: activations.activated.prefix(tokens), weight: network.outer, weightGradient: own.outer,
            inputGradient: inner, accumulate: false)
        backend.activateBackward(
            inner, input: activations.inner.prefix(tokens), bias: network.innerBias,
            dropout: dropout(at: .inner(layer: index)), inputGradient: inner, biasGradient: own.innerBias)
        linearBackward(
            inner, input: layer.recurrentNorm.output.prefix(tokens), weight: network.inner, weightGradient: own.inner,
            inputGradient: middle, accumulate: true)
    }

    /// From the gradient of Y in `middle` to that of the layer's input `x` in `stream`.
    private func recurBackward(
        _ index: Int, _ weights: LayerWeights, _ gradients: LayerWeights, _ x: Tensor, _ scratch: BackwardScratch
    ) {
        let layer = workspace.layers[index]
        let (stream, branch) = (scratch.stream.prefix(tokens), scratch.branch.prefix(tokens))
        backend.residualNormBackward(
            scratch.middle.prefix(tokens), normalized: layer.recurrentNorm.normalized.prefix(tokens),
            inverseDeviation: layer.recurrentNorm.inverseDeviation, dropout: dropout(at: .recurrence(layer: index)),
            parameters: weights.recurrentNorm, inputGradient: branch, residualGradient: stream, biasGradient: nil,
            parameterGradients: gradients.recurrentNorm)
        guard let projection = weights.outputProjection, let projected = scratch.projected?.prefix(tokens) else {
            scanBackward(index, branch, x, weights, gradients, scratch)
            return backend.add(scratch.convolved.prefix(tokens), to: stream)
        }
        let gated = scratch.gated.prefix(tokens)
        linearBackward(
            branch, input: layer.gated.prefix(tokens), weight: projection,
            weightGradient: gradients.outputProjection!, inputGradient: gated, accumulate: false)
        scanBackward(index, gated, x, weights, gradients, scratch)
        convolveBackward(index, weights, gradients, scratch)
        linearBackward(
            projected, input: x, weight: weights.inputProjection!, weightGradient: gradients.inputProjection!,
            inputGradient: stream, accumulate: true)
    }

    /// From the gradient of the recurrence's output to that of C in `convolved` and of Z in `projected`.
    private func scanBackward(
        _ index: Int, _ outputGradient: Tensor, _ x: Tensor, _ weights: LayerWeights, _ gradients: LayerWeights,
        _ scratch: BackwardScratch
    ) {
        let layer = workspace.layers[index]
        let width = configuration.recurrenceSize
        let inputs = scanInputs(layer, weights, x)
        let convolved = scratch.convolved.prefix(tokens)
        let own = ScanInputs(
            gates: inputs.gates, gateBias: gradients.gateBias, input: convolved,
            outputGate: scratch.projected?.prefix(tokens).columns(width..<2 * width), decay: gradients.decay)
        let initialGradient = ends?.before.recurrences[index] ?? scratch.initial?.prefix(sequences)
        backend.scanBackward(
            outputGradient, inputs: inputs, starts: starts,
            initial: initialGradient == nil ? nil : layer.recurrence.prefix(sequences),
            states: layer.states.prefix(tokens), finalGradient: ends?.after?.recurrences[index], gradients: own,
            initialGradient: initialGradient)
        linearBackward(
            own.gates, input: inputs.input, weight: weights.gates, weightGradient: gradients.gates,
            inputGradient: convolved, accumulate: true)
        if configuration.warmupSteps > 0, ends?.isFirst ?? true, let initialGradient {
            Warmup(model, index).backward(initialGradient, into: gradients)
        }
    }

    /// From the gradient of C to that of U.
    private func convolveBackward(
        _ index: Int, _ weights: LayerWeights, _ gradients: LayerWeights, _ scratch: BackwardScratch
    ) {
        let layer = workspace.layers[index]
        let columns = 0..<configuration.recurrenceSize
        let u = layer.projected!.prefix(tokens).columns(columns)
        let uGradient = scratch.projected!.prefix(tokens).columns(columns)
        let convolved = scratch.convolved.prefix(tokens)
        guard let convolution = weights.convolution, let own = gradients.convolution else {
            return backend.activateBackward(
                convolved, input: u, bias: nil, dropout: nil, inputGradient: uGradient, biasGradient: nil)
        }
        backend.convolveBackward(
            convolved, input: u, parameters: convolution, starts: starts,
            window: ends == nil ? nil : layer.window?.prefix(sequences),
            finalWindowGradient: ends?.after?.windows[index], inputGradient: uGradient, parameterGradients: own,
            windowGradient: ends?.before.windows[index])
    }

    private func embedBackward(_ scratch: BackwardScratch, _ gradients: Weights) {
        let norm = workspace.embedding
        let (stream, branch) = (scratch.stream.prefix(tokens), scratch.branch.prefix(tokens))
        backend.residualNormBackward(
            stream, normalized: norm.normalized.prefix(tokens), inverseDeviation: norm.inverseDeviation,
            dropout: dropout(at: .embedding), parameters: model.weights.embeddingNorm, inputGradient: branch,
            residualGradient: nil, biasGradient: nil, parameterGradients: gradients.embeddingNorm)
        backend.scatterAdd(branch, to: items, of: gradients.embedding)
    }

    /// output = input · weightᵀ backward: adds outputGradientᵀ · input to the weight's gradient and writes (or adds)
    /// outputGradient · weight.
    private func linearBackward(
        _ outputGradient: Tensor, input: Tensor, weight: Tensor, weightGradient: Tensor, inputGradient: Tensor,
        accumulate: Bool
    ) {
        backend.multiply(
            outputGradient, transposed: true, input, transposed: false, into: weightGradient, accumulate: true)
        backend.multiply(
            outputGradient, transposed: false, weight, transposed: false, into: inputGradient, accumulate: accumulate)
    }
}
