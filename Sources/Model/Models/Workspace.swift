import Identifiers
package import Layers
package import Tensors

/// The state that the sequences of a pass start from.
package enum StartingPoint {
    /// The model's state before any event.
    case fresh
    /// The states in the workspace, which the pass advances.
    case states
    /// The states in the workspace, which stay unchanged for the backward pass.
    case fixedStates
}

/// The memory for one thread's passes through a ``Network``, and these passes: load a batch, run forward and, in a workspace for training,
/// backward.
package protocol Workspace: AnyObject {
    /// The largest number of events of a batch.
    var tokens: Int { get }
    /// The largest number of sequences of a batch.
    var sequences: Int { get }
    /// Copies a batch to the backend. `tokenNumbers` are what dropout masks depend on; nil without dropout.
    func load(
        _ batch: PackedBatch, _ weights: Parameters, dropout: DropoutSettings?, tokenNumbers: [Int32]?)
    /// Runs the layers. Where `statesOnly`, ends after the last mixer: there is no output then.
    func forward(from start: StartingPoint, statesOnly: Bool)
    /// Loads questions about users whose states are in the first rows, one for each, for ``answer()``. The events are their last ones.
    func load(questions: [EventTime], _ weights: Parameters)
    /// Runs the last layer on its last input and its states, as they are at the time of each question; writes no state. The output is [S, D].
    func answer()
    /// Where the sequences of the batch start, on the device: S + 1.
    var sequenceStarts: Indices { get }
    /// The output of the last layer: [N, D].
    var output: Tensor { get }
    /// The gradient of the output [N, D], to be written before ``backward(_:ends:)``.
    var outputGradient: Tensor { get }
    /// Adds the gradients of all parameters, without the item table's through the softmax. `ends` is the position of a chunk, nil for whole
    /// sequences.
    func backward(_ gradients: Parameters, ends: ChunkEnds?)
    /// Copies a user's state to row `row` of every layer.
    func write(_ state: RecurrentState, row: Int)
    /// Copies row `row` of every layer to a user's state.
    func read(_ state: inout RecurrentState, row: Int)
}

/// The position of a chunk within its sequence, which determines the states whose gradients its backward pass exchanges with others.
package enum ChunkEnds {
    /// The first chunk: it has a gradient of its final state, from the next chunk's backward pass.
    case first
    /// A chunk between two others.
    case middle
    /// The last chunk: it computes a gradient of its initial state only.
    case last
}

/// The workspace of a ``Stack``.
final class StackWorkspace<M: Mixer>: Workspace {
    let tokens: Int
    let sequences: Int
    private let stack: Stack<M>
    private let backend: any Backend
    /// The items of the batch; nil where it has questions.
    private var items: Indices?
    private let embedding: ResidualNorm.Activations
    private let layers: [LayerActivations]
    /// The states of each layer's mixer: S rows.
    private let states: [MixerState]
    /// Their parts that are not empty, in the order of a ``RecurrentState``.
    private let stateParts: [Tensor]
    /// The last layer's input at the last event of each sequence [S, D], which belongs to the states of a model with time.
    private let lastInputs: Tensor?
    /// The times of the batch; nil where the model does not use them.
    private var times: BatchTimes?
    /// The time of the last event of each sequence of the batch.
    private var lastTimes: [Int64] = []
    private var training: TrainingMemory?
    /// For all layers but the last, and for that.
    private var pass, lastPass: Pass!

    /// For inference all layers share the activations of one layer, which overwrites its input with its output: the input's last use is the
    /// residual.
    init(_ stack: Stack<M>, tokens: Int, sequences: Int, forTraining: Bool, on backend: any Backend) {
        (self.stack, self.tokens, self.sequences, self.backend) = (stack, tokens, sequences, backend)
        let embedding = ResidualNorm.Activations(tokens: tokens, size: stack.size, on: backend)
        self.embedding = embedding
        func activations(_ layer: Layer<M>, output: Tensor?) -> LayerActivations {
            LayerActivations(layer, tokens: tokens, size: stack.size, output: output, on: backend)
        }
        let shared = forTraining ? nil : activations(stack.layers[0], output: embedding.output)
        layers = stack.layers.map { shared ?? activations($0, output: nil) }
        states = stack.layers.map { $0.mixer.state(sequences: sequences, on: backend) }
        lastInputs = stack.questions.map { _ in backend.tensor(sequences, stack.size) }
        stateParts = states.joined().compactMap(\.self) + (lastInputs.map { [$0] } ?? [])
        training = forTraining ? TrainingMemory(stack, tokens: tokens, on: backend) : nil
    }

    /// The activations of one layer.
    private final class LayerActivations {
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

    /// Memory for the backward pass.
    private struct TrainingMemory {
        /// Gradients [N, D] of a layer's output and then its input; of Y; of the branch beside a residual.
        let stream, middle, branch: Tensor
        /// [N, 4D].
        let inner: Tensor
        let mixer: M.Scratch
        /// Gradients of one sequence's state before and after a chunk, layer by layer; swapped from chunk to chunk.
        var before, after: [MixerState]

        init(_ stack: Stack<M>, tokens: Int, on backend: any Backend) {
            (stream, middle) = (backend.tensor(tokens, stack.size), backend.tensor(tokens, stack.size))
            branch = backend.tensor(tokens, stack.size)
            inner = backend.tensor(stack.layers[0].feedForward == nil ? 0 : tokens, stack.innerSize)
            mixer = stack.layers[0].mixer.scratch(tokens: tokens, on: backend)
            before = stack.layers.map { $0.mixer.state(sequences: 1, on: backend) }
            after = stack.layers.map { $0.mixer.state(sequences: 1, on: backend) }
        }

        /// The gradient of the state before one chunk is that of the state after the previous chunk.
        mutating func swapStateGradients() { (before, after) = (after, before) }
    }

    func load(
        _ batch: PackedBatch, _ weights: Parameters, dropout: DropoutSettings?, tokenNumbers numbers: [Int32]?
    ) {
        precondition(
            batch.tokenCount <= tokens && batch.sequenceCount <= sequences, "the batch is larger than its workspace")
        items = backend.staged(batch.items.map(\.rawValue))
        if let numbers { precondition(numbers.count == batch.tokenCount, "there must be one number for each token") }
        if stack.questions != nil {
            precondition(batch.times.count == batch.tokenCount, "there must be one time for each event")
            times = BatchTimes(batch.times, starts: batch.starts, on: backend)
            lastTimes = batch.starts.dropFirst().map { $0 > 0 ? batch.times[Int($0) - 1].event : 0 }
        }
        makePasses(weights, tokens: batch.tokenCount, batch.starts, dropout, numbers)
    }

    private func makePasses(
        _ weights: Parameters, tokens: Int, _ starts: [Int32], _ dropout: DropoutSettings?, _ numbers: [Int32]?
    ) {
        let (starts, numbers) = (backend.staged(starts), numbers.map(backend.staged))
        func makePass(isLastLayer: Bool) -> Pass {
            Pass(
                backend: backend, weights: weights, starts: starts, tokens: tokens, sequences: starts.count - 1,
                dropout: dropout, tokenNumbers: numbers, times: times?.pass(isLastLayer: isLastLayer))
        }
        pass = makePass(isLastLayer: false)
        lastPass = times == nil ? pass : makePass(isLastLayer: true)
    }

    func load(questions: [EventTime], _ weights: Parameters) {
        precondition(questions.count <= min(tokens, sequences), "more questions than the workspace was made for")
        let starts = (0...questions.count).map(Int32.init)
        times = BatchTimes(
            questions.map { EventTime($0.event, before: nil, question: $0.question) }, starts: starts, on: backend)
        items = nil
        makePasses(weights, tokens: questions.count, starts, nil, nil)
    }

    func answer() {
        let (pass, index) = (lastPass!, stack.layers.count - 1)
        let (layer, own, x) = (stack.layers[index], layers[index], lastInputs!.prefix(lastPass.tokens))
        let mixed = own.norm.input.prefix(pass.tokens)
        layer.mixer.read(x, into: mixed, own.mixer, states[index].map { $0?.prefix(pass.sequences) }, pass)
        finish(index, x, mixed, pass)
    }

    func forward(from start: StartingPoint, statesOnly: Bool) {
        stack.embedding.forward(items!, embedding, pass)
        var x = embedding.output.prefix(pass.tokens)
        for (index, layer) in stack.layers.enumerated() {
            let (own, isLast) = (layers[index], index == stack.layers.count - 1)
            let (pass, mixed) = (isLast ? lastPass! : self.pass!, own.norm.input.prefix(self.pass.tokens))
            if isLast, case .states = start, let lastInputs {
                times?.copyLastRows(of: x, to: lastInputs)
            }
            layer.mixer.forward(x, into: mixed, own.mixer, mixerStates(of: index, start), pass)
            if statesOnly, isLast { return }
            finish(index, x, mixed, pass)
            x = own.output.prefix(pass.tokens)
        }
    }

    /// What follows the mixer of a layer, whose input is x and whose output `mixed`.
    private func finish(_ index: Int, _ x: Tensor, _ mixed: Tensor, _ pass: Pass) {
        let (layer, own) = (stack.layers[index], layers[index])
        if index == stack.layers.count - 1, let times {
            stack.questions?.forward(times.questions, into: mixed, accumulate: true, pass)
        }
        layer.norm.forward(own.norm, residual: x, pass)
        if let feedForward = layer.feedForward, let activations = own.feedForward {
            feedForward.forward(own.norm.output.prefix(pass.tokens), activations, pass)
        }
    }

    private func mixerStates(of layer: Int, _ start: StartingPoint) -> MixerStates {
        let own = pass.sequences == sequences ? states[layer] : states[layer].map { $0?.prefix(pass.sequences) }
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
            let (own, pass) = (layers[index], index == stack.layers.count - 1 ? lastPass! : self.pass!)
            let x = (index > 0 ? layers[index - 1].output : embedding.output).prefix(pass.tokens)
            if let feedForward = layer.feedForward, let activations = own.feedForward {
                feedForward.backward(
                    stream, input: own.norm.output.prefix(pass.tokens), into: middle, activations,
                    scratch: (branch, memory.inner.prefix(pass.tokens)), pass, gradients)
            } else {
                backend.copy(stream, to: middle)
            }
            layer.norm.backward(middle, own.norm, into: branch, residual: stream, pass, gradients)
            if index == stack.layers.count - 1, let times {
                stack.questions?.backward(branch, input: times.questions, pass, gradients)
            }
            let (states, stateGradients) = chunkStates(of: index, ends)
            layer.mixer.backward(
                branch, input: x, addingTo: stream, own.mixer, states, stateGradients, memory.mixer, pass, gradients)
        }
        stack.embedding.backward(stream, items!, embedding, scratch: branch, pass, gradients)
        if ends != nil { training!.swapStateGradients() }
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
        for part in stateParts {
            backend.upload(Array(values.prefix(part.columns)), to: part.rows(row..<row + 1))
            values = values.dropFirst(part.columns)
        }
        precondition(
            values.count == (stack.questions == nil ? 0 : RecurrentState.timeSize), "the state of another model")
    }

    func read(_ state: inout RecurrentState, row: Int) {
        state.values.removeAll(keepingCapacity: true)
        for part in stateParts {
            state.values += backend.download(part.rows(row..<row + 1))
        }
        if stack.questions != nil { state.values += RecurrentState.numbers(of: lastTimes[row]) }
    }
}
