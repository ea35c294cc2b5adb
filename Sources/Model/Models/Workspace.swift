import Identifiers
import Layers
import Tensors

/// Where the sequences of a pass start from.
package enum StartingPoint {
    /// The model's state before any event.
    case fresh
    /// The states in the workspace, which the pass moves on.
    case states
    /// The states in the workspace, which stay there for the backward pass.
    case fixedStates
}

/// The memory of one thread's passes through a ``Network``, and these passes. A batch is loaded, then goes forward and, in a workspace for
/// training, backward.
package protocol Workspace: AnyObject {
    /// The most events of a batch.
    var tokens: Int { get }
    /// The most sequences of a batch.
    var sequences: Int { get }
    /// Copies a batch to the backend. `tokenNumbers` are what dropout masks depend on; nil without dropout.
    func load(
        _ batch: PackedBatch, _ weights: Parameters, dropout: DropoutSettings?, tokenNumbers: [Int32]?)
    /// Runs the layers. Where only the states are wanted, what comes after the last mixer is left out: there is no output then.
    func forward(from start: StartingPoint, statesOnly: Bool)
    /// Where the sequences of the batch start, on the device: S + 1.
    var sequenceStarts: Indices { get }
    /// X of the last layer: [N, D].
    var output: Tensor { get }
    /// Where the gradient of the output goes before ``backward(_:ends:)``: [N, D].
    var outputGradient: Tensor { get }
    /// Adds the gradients of all parameters but the softmax's. `ends` are those of a chunk.
    func backward(_ gradients: Parameters, ends: ChunkEnds?)
    /// Copies a user's state to row `row` of every layer.
    func write(_ state: RecurrentState, row: Int)
    /// Copies row `row` of every layer to a user's state.
    func read(_ state: inout RecurrentState, row: Int)
}

/// Where the backward pass of one chunk of a sequence meets those of its neighbours.
package enum ChunkEnds {
    /// The chunk begins with the first event: nothing is before it. The next chunk's backward pass has left its gradient.
    case first
    /// Neighbours on both sides.
    case middle
    /// Nothing comes after it.
    case last
}

/// A ``Stack``'s.
final class StackWorkspace<M: Mixer>: Workspace {
    let tokens: Int
    let sequences: Int
    private let stack: Stack<M>
    private let backend: any Backend
    private let items, starts, tokenNumbers: Indices
    private let embedding: ResidualNorm.Activations
    private let layers: [LayerActivations]
    /// Of each layer: S rows.
    private let states: [MixerState]
    private var training: TrainingMemory?
    private var pass: Pass!

    /// For inference all layers share the activations of one, and a layer writes its output over its input, which it needs last for
    /// the residual.
    init(_ stack: Stack<M>, tokens: Int, sequences: Int, forTraining: Bool, on backend: any Backend) {
        (self.stack, self.tokens, self.sequences, self.backend) = (stack, tokens, sequences, backend)
        items = backend.allocateIndices(tokens).indices
        starts = backend.allocateIndices(sequences + 1).indices
        tokenNumbers = backend.allocateIndices(tokens).indices
        let embedding = ResidualNorm.Activations(tokens: tokens, size: stack.size, on: backend)
        self.embedding = embedding
        func activations(_ layer: Layer<M>, output: Tensor?) -> LayerActivations {
            LayerActivations(layer, tokens: tokens, size: stack.size, output: output, on: backend)
        }
        let shared = forTraining ? nil : activations(stack.layers[0], output: embedding.output)
        layers = stack.layers.map { shared ?? activations($0, output: nil) }
        states = stack.layers.map { $0.mixer.state(sequences: sequences, on: backend) }
        training = forTraining ? TrainingMemory(stack, tokens: tokens, on: backend) : nil
    }

    /// What one layer leaves.
    private struct LayerActivations {
        let mixer: M.Activations
        let norm: ResidualNorm.Activations
        let feedForward: FeedForward.Activations?
        var output: Tensor { feedForward?.output ?? norm.output }

        init(_ layer: Layer<M>, tokens: Int, size: Int, output: Tensor?, on backend: any Backend) {
            mixer = layer.mixer.activations(tokens: tokens, on: backend)
            norm = ResidualNorm.Activations(
                tokens: tokens, size: size, output: layer.feedForward == nil ? output : nil, on: backend)
            feedForward = layer.feedForward?.activations(tokens: tokens, output: output, on: backend)
        }
    }

    /// What only a backward pass needs.
    private struct TrainingMemory {
        /// Gradients of a layer's output, then of its input; of Y; of what enters a norm beside the residual: [N, D].
        let stream, middle, branch: Tensor
        /// [N, 4D].
        let inner: Tensor
        let mixer: M.Scratch
        /// Gradients of one sequence's state before a chunk and after it, layer by layer; they change places from chunk to chunk.
        var before, after: [MixerState]

        init(_ stack: Stack<M>, tokens: Int, on backend: any Backend) {
            (stream, middle) = (backend.tensor(tokens, stack.size), backend.tensor(tokens, stack.size))
            branch = backend.tensor(tokens, stack.size)
            inner = backend.tensor(stack.layers[0].feedForward == nil ? 0 : tokens, stack.innerSize)
            mixer = stack.layers[0].mixer.scratch(tokens: tokens, on: backend)
            before = stack.layers.map { $0.mixer.state(sequences: 1, on: backend) }
            after = stack.layers.map { $0.mixer.state(sequences: 1, on: backend) }
        }

        /// What one chunk's backward pass wrote as the gradient before it is the one before's after it.
        mutating func turnStateGradients() { (before, after) = (after, before) }
    }

    func load(
        _ batch: PackedBatch, _ weights: Parameters, dropout: DropoutSettings?, tokenNumbers numbers: [Int32]?
    ) {
        precondition(
            batch.tokenCount <= tokens && batch.sequenceCount <= sequences, "the batch is larger than its workspace")
        backend.upload(batch.items.map(\.rawValue), to: items)
        backend.upload(batch.starts, to: starts)
        if let numbers {
            precondition(numbers.count == batch.tokenCount, "there must be one number a token")
            backend.upload(numbers, to: tokenNumbers)
        }
        pass = Pass(
            backend: backend, weights: weights, starts: starts.prefix(batch.sequenceCount + 1),
            tokens: batch.tokenCount, sequences: batch.sequenceCount, dropout: dropout,
            tokenNumbers: tokenNumbers.prefix(batch.tokenCount))
    }

    func forward(from start: StartingPoint, statesOnly: Bool) {
        stack.embedding.forward(items.prefix(pass.tokens), embedding, pass)
        var x = embedding.output.prefix(pass.tokens)
        for (index, layer) in stack.layers.enumerated() {
            let own = layers[index]
            layer.mixer.forward(
                x, into: own.norm.input.prefix(pass.tokens), own.mixer, mixerStates(of: index, start), pass)
            if statesOnly, index == stack.layers.count - 1 { return }
            layer.norm.forward(own.norm, residual: x, pass)
            if let feedForward = layer.feedForward, let activations = own.feedForward {
                feedForward.forward(own.norm.output.prefix(pass.tokens), activations, pass)
            }
            x = own.output.prefix(pass.tokens)
        }
    }

    private func mixerStates(of layer: Int, _ start: StartingPoint) -> MixerStates {
        let own = states[layer].map { $0?.prefix(pass.sequences) }
        return switch start {
        case .fresh: MixerStates()
        case .states: MixerStates(initial: own, final: own)
        case .fixedStates: MixerStates(initial: own)
        }
    }

    var sequenceStarts: Indices { pass.starts }
    var output: Tensor { layers[layers.count - 1].output.prefix(pass.tokens) }
    var outputGradient: Tensor { training!.stream.prefix(pass.tokens) }

    func backward(_ gradients: Parameters, ends: ChunkEnds?) {
        let memory = training!
        let (stream, middle) = (memory.stream.prefix(pass.tokens), memory.middle.prefix(pass.tokens))
        let branch = memory.branch.prefix(pass.tokens)
        for (index, layer) in stack.layers.enumerated().reversed() {
            let own = layers[index]
            let x = (index > 0 ? layers[index - 1].output : embedding.output).prefix(pass.tokens)
            if let feedForward = layer.feedForward, let activations = own.feedForward {
                feedForward.backward(
                    stream, input: own.norm.output.prefix(pass.tokens), into: middle, activations,
                    scratch: (branch, memory.inner.prefix(pass.tokens)), pass, gradients)
            } else {
                backend.copy(stream, to: middle)
            }
            layer.norm.backward(middle, own.norm, into: branch, residual: stream, pass, gradients)
            let (states, stateGradients) = chunkStates(of: index, ends)
            layer.mixer.backward(
                branch, input: x, addingTo: stream, own.mixer, states, stateGradients, memory.mixer, pass, gradients)
        }
        stack.embedding.backward(stream, items.prefix(pass.tokens), embedding, scratch: branch, pass, gradients)
        if ends != nil { training!.turnStateGradients() }
    }

    private func chunkStates(of layer: Int, _ ends: ChunkEnds?) -> (MixerStates, MixerStateGradients) {
        guard let ends, let training else { return (MixerStates(), MixerStateGradients()) }
        let (before, after) = (training.before[layer], training.after[layer])
        return switch ends {
        case .first: (MixerStates(), MixerStateGradients(final: after))
        case .middle: (mixerStates(of: layer, .fixedStates), MixerStateGradients(initial: before, final: after))
        case .last: (mixerStates(of: layer, .fixedStates), MixerStateGradients(initial: before))
        }
    }

    func write(_ state: RecurrentState, row: Int) {
        var values = state.values[...]
        for part in states.joined().compactMap(\.self) {
            backend.upload(Array(values.prefix(part.columns)), to: part.rows(row..<row + 1))
            values = values.dropFirst(part.columns)
        }
        precondition(values.isEmpty, "the state of another model")
    }

    func read(_ state: inout RecurrentState, row: Int) {
        state.values.removeAll(keepingCapacity: true)
        for part in states.joined().compactMap(\.self) {
            state.values += backend.download(part.rows(row..<row + 1))
        }
    }
}
