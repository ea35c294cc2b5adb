import Tensors

/// The rows of zeros that a model trained by the reference code has run through convolution and recurrence before a
/// user's first event (DESIGN 2.2): one constant state per layer, which depends on the weights alone.
struct Warmup {
    let model: SequenceModel
    let weights: LayerWeights
    let starts: Storage<Int32>
    let layerIndex: Int
    private let inputs: ScanInputs
    private let zeros: Tensor
    private let states: Tensor
    private let blocks: [Storage<Float>]

    /// Computes the warm-up of one layer. O(steps · H²).
    init(_ model: SequenceModel, _ layerIndex: Int) {
        let (steps, width) = (model.configuration.warmupSteps, model.configuration.recurrenceSize)
        let backend = model.backend
        self.model = model
        self.layerIndex = layerIndex
        weights = model.weights.layer(layerIndex)
        starts = backend.allocateIndices(2)
        backend.upload([0, Int32(steps)], to: starts.indices)
        var memory = Memory(backend: backend)
        zeros = memory.tensor(steps, width)
        states = memory.tensor(steps, width)
        inputs = ScanInputs(
            gates: memory.tensor(steps, 2 * width), gateBias: weights.gateBias, input: memory.tensor(steps, width),
            outputGate: nil, decay: weights.decay)
        blocks = memory.blocks
        if let convolution = weights.convolution {
            backend.convolve(
                zeros, parameters: convolution, starts: starts.indices, window: nil, finalWindow: nil,
                output: inputs.input)
        }
        backend.multiply(
            inputs.input, transposed: false, weights.gates, transposed: true, into: inputs.gates, accumulate: false)
        backend.scan(
            inputs, starts: starts.indices, initial: nil, states: states, output: states, final: nil)
    }

    /// Writes the state to every row.
    func fill(_ recurrence: Tensor) {
        let last = states.rows(states.rows - 1..<states.rows)
        for row in 0..<recurrence.rows { model.backend.copy(last, to: recurrence.rows(row..<row + 1)) }
    }

    /// Adds to `gradients` what the gradients [S, H] of the rows that ``fill(_:)`` wrote mean for the weights.
    func backward(_ recurrenceGradient: Tensor, into gradients: LayerWeights) {
        let backend = model.backend
        let (steps, width) = (states.rows, states.columns)
        var memory = Memory(backend: backend)
        let total = memory.tensor(1, width)
        for row in 0..<recurrenceGradient.rows { backend.add(recurrenceGradient.rows(row..<row + 1), to: total) }
        let scanGradients = ScanInputs(
            gates: memory.tensor(steps, 2 * width), gateBias: gradients.gateBias, input: memory.tensor(steps, width),
            outputGate: nil, decay: gradients.decay)
        backend.scanBackward(
            zeros, inputs: inputs, starts: starts.indices, initial: nil, states: states, finalGradient: total,
            gradients: scanGradients, initialGradient: nil)
        backend.multiply(
            scanGradients.gates, transposed: true, inputs.input, transposed: false, into: gradients.gates,
            accumulate: true)
        backend.multiply(
            scanGradients.gates, transposed: false, weights.gates, transposed: false, into: scanGradients.input,
            accumulate: true)
        if let convolution = weights.convolution, let convolutionGradients = gradients.convolution {
            backend.convolveBackward(
                scanGradients.input, input: zeros, parameters: convolution, starts: starts.indices,
                inputGradient: memory.tensor(steps, width), parameterGradients: convolutionGradients)
        }
        withExtendedLifetime(memory) {}
    }
}
