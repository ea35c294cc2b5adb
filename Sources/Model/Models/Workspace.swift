import Tensors

/// The memory of one forward (and backward) pass over at most `tokens` events in at most `sequences` sequences.
///
/// For training every layer keeps its activations; for inference all layers share those of one.
final class Workspace {
    let tokens: Int
    let sequences: Int
    let items: Indices
    let starts: Indices
    let rows: Indices
    let tokenNumbers: Indices
    let embedding: NormActivations
    let layers: [LayerActivations]
    /// [S, D]: hidden vectors that somebody asked for.
    let selected: Tensor
    private let blocks: [Storage<Float>]
    private let indexBlocks: [Storage<Int32>]

    init(_ configuration: ModelConfiguration, tokens: Int, sequences: Int, training: Bool, backend: any Backend) {
        self.tokens = tokens
        self.sequences = sequences
        var memory = Memory(backend: backend)
        items = memory.indices(tokens)
        starts = memory.indices(sequences + 1)
        rows = memory.indices(max(tokens, sequences))
        tokenNumbers = memory.indices(tokens)
        embedding = NormActivations(tokens, configuration.hiddenSize, &memory)
        selected = memory.tensor(sequences, configuration.hiddenSize)
        let count = configuration.layerCount
        if training {
            layers = (0..<count).map { _ in LayerActivations(tokens, sequences, configuration, &memory) }
        } else {
            // The states of users differ from layer to layer, everything else may be shared: a layer may even write its
            // output over its input, which it needs last for the residual.
            let shared = LayerActivations(tokens, sequences, configuration, &memory, output: embedding.output)
            layers = (0..<count).map { index in
                index == 0 ? shared : shared.withOwnStates(sequences, configuration, &memory)
            }
        }
        blocks = memory.blocks
        indexBlocks = memory.indexBlocks
    }
}

/// Allocates and keeps blocks.
struct Memory {
    let backend: any Backend
    private(set) var blocks: [Storage<Float>] = []
    private(set) var indexBlocks: [Storage<Int32>] = []

    init(backend: any Backend) { self.backend = backend }

    mutating func tensor(_ rows: Int, _ columns: Int) -> Tensor {
        let block = backend.allocate(rows * columns)
        blocks.append(block)
        return Tensor(base: block.base, rows: rows, columns: columns)
    }

    mutating func indices(_ count: Int) -> Indices {
        let block = backend.allocateIndices(count)
        indexBlocks.append(block)
        return block.indices
    }
}

/// What a residual norm leaves.
struct NormActivations {
    /// Input, then normalised rows [N, D].
    let normalized: Tensor
    /// [1, N].
    let inverseDeviation: Tensor
    /// [N, D].
    let output: Tensor

    init(_ tokens: Int, _ size: Int, _ memory: inout Memory, output: Tensor? = nil) {
        normalized = memory.tensor(tokens, size)
        inverseDeviation = memory.tensor(1, tokens)
        self.output = output ?? memory.tensor(tokens, size)
    }
}

/// What one layer computes; names follow DESIGN's formulas.
struct LayerActivations {
    /// [U, Z]: [N, 2H]; absent without projections.
    let projected: Tensor?
    /// C: [N, H]; absent without projections (the layer's input is meant).
    let convolved: Tensor?
    /// [R, I] before bias: [N, 2H].
    let gates: Tensor
    /// h: [N, H].
    let states: Tensor
    /// SiLU(Z) ⊙ h: [N, H]; `states` without an output gate.
    let gated: Tensor
    /// Around the recurrence; output Y.
    let recurrentNorm: NormActivations
    /// Present with a feed-forward network.
    let feedForward: FeedForwardActivations?
    /// State before the first event and after the last, one row a sequence.
    var window: Tensor?
    var recurrence: Tensor

    struct FeedForwardActivations {
        /// W₁ · Y: [N, 4D].
        let inner: Tensor
        /// dropout(SiLU(inner + b₁)): [N, 4D].
        let activated: Tensor
        let norm: NormActivations
    }

    /// What the next layer reads.
    var output: Tensor { feedForward?.norm.output ?? recurrentNorm.output }

    init(
        _ tokens: Int, _ sequences: Int, _ configuration: ModelConfiguration, _ memory: inout Memory,
        output: Tensor? = nil
    ) {
        let (d, h) = (configuration.hiddenSize, configuration.recurrenceSize)
        let full = configuration.block == .full
        projected = full ? memory.tensor(tokens, 2 * h) : nil
        convolved = full ? memory.tensor(tokens, h) : nil
        gates = memory.tensor(tokens, 2 * h)
        states = memory.tensor(tokens, h)
        gated = full ? memory.tensor(tokens, h) : states
        recurrentNorm = NormActivations(tokens, d, &memory, output: configuration.feedForward ? nil : output)
        feedForward =
            configuration.feedForward
            ? FeedForwardActivations(
                inner: memory.tensor(tokens, configuration.innerSize),
                activated: memory.tensor(tokens, configuration.innerSize),
                norm: NormActivations(tokens, d, &memory, output: output)) : nil
        recurrence = memory.tensor(sequences, h)
        window = configuration.hasConvolution ? memory.tensor(sequences, configuration.windowLength * h) : nil
    }

    /// The same memory but for the states of users.
    func withOwnStates(_ sequences: Int, _ configuration: ModelConfiguration, _ memory: inout Memory)
        -> LayerActivations
    {
        var copy = self
        copy.recurrence = memory.tensor(sequences, configuration.recurrenceSize)
        copy.window = window.map { memory.tensor(sequences, $0.columns) }
        return copy
    }
}
