package import Tensors

/// Token mixing: the part of a layer through which an event depends on earlier ones. It carries a state from event to event.
///
/// A mixer is a description: its parameters are in ``Parameters``, its intermediate results in its `Activations`, the state of a
/// sequence in a ``MixerState``. Passes over consecutive chunks of a sequence, each from the state after the previous one, compute the
/// same as one pass over the sequence; so do the backward passes, with the gradients of these states.
package protocol Mixer: Sendable {
    /// What the forward pass stores for the backward pass.
    associatedtype Activations
    /// Scratch memory of a backward pass; all layers share one.
    associatedtype Scratch

    /// The number of floats of each part of the state of one sequence.
    var stateWidths: [Int] { get }
    /// Memory for passes over at most `tokens` events.
    func activations(tokens: Int, on backend: any Backend) -> Activations
    /// Scratch memory for backward passes over at most `tokens` events.
    func scratch(tokens: Int, on backend: any Backend) -> Scratch
    /// The state of a sequence before its first event, for each part; nil for zeros.
    func initialState(_ weights: Parameters, on backend: any Backend) -> [[Float]?]
    /// Computes `output` [N, D], which must not be x, from x [N, D].
    func forward(_ x: Tensor, into output: Tensor, _ activations: Activations, _ states: MixerStates, _ pass: Pass)
    /// Computes what ``forward(_:into:_:_:_:)`` computed for the last event of each sequence, whose x [S, D] this is, as it is read at another time, from
    /// the states after it, which stay as they are. Only models with time ask for it; the pass has one row for each sequence.
    func read(_ x: Tensor, into output: Tensor, _ activations: Activations, _ states: MixerState, _ pass: Pass)
    /// Adds the gradient of x to `xGradient` and those of the parameters to `gradients`. May overwrite the activations, which are
    /// those of the forward pass from the same states.
    func backward(
        _ outputGradient: Tensor, input x: Tensor, addingTo xGradient: Tensor, _ activations: Activations,
        _ states: MixerStates, _ stateGradients: MixerStateGradients, _ scratch: Scratch, _ pass: Pass,
        _ gradients: Parameters)
}

/// The states of one layer's mixer for S sequences: one tensor [S, width] for each part, nil where the width is 0.
package typealias MixerState = [Tensor?]

/// The states before and after a pass.
package struct MixerStates {
    /// The states before each sequence's first event; nil for zeros.
    package var initial: MixerState?
    /// Is overwritten with the states after each sequence's last event, where given; may be `initial`.
    package var final: MixerState?

    package init(initial: MixerState? = nil, final: MixerState? = nil) { (self.initial, self.final) = (initial, final) }
}

/// The gradients of the states before and after a pass.
package struct MixerStateGradients {
    /// Is overwritten with the gradient of the initial states, where given.
    package var initial: MixerState?
    /// The gradient of the final states; nil for zeros.
    package var final: MixerState?

    package init(initial: MixerState? = nil, final: MixerState? = nil) { (self.initial, self.final) = (initial, final) }
}

extension Mixer {
    package func read(
        _ x: Tensor, into output: Tensor, _ activations: Activations, _ states: MixerState, _ pass: Pass
    ) {
        preconditionFailure("this mixer knows nothing of time")
    }

    package func initialState(_ weights: Parameters, on backend: any Backend) -> [[Float]?] {
        stateWidths.map { _ in nil }
    }

    /// Memory for the states of `sequences` sequences, or for their gradients: zeros.
    package func state(sequences: Int, on backend: any Backend) -> MixerState {
        stateWidths.map { $0 == 0 ? nil : backend.tensor(sequences, $0) }
    }
}
