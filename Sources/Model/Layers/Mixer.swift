import Tensors

/// How a layer lets an event see those before it: the part of a layer that carries a state from event to event.
///
/// A mixer is a description: its parameters are in ``Parameters``, what it computes in its `Activations`, what it remembers of a
/// sequence in a ``MixerState``. A pass over events in several pieces, each from the state that the one before has left, computes what a pass
/// over all of them does, and so does its backward pass with the gradients of these states.
package protocol Mixer: Sendable {
    /// What a pass leaves for the backward pass.
    associatedtype Activations
    /// What only a backward pass needs; all layers use one in turn.
    associatedtype Scratch

    /// Floats of each part of the state of one sequence.
    var stateWidths: [Int] { get }
    /// Memory for passes over at most `tokens` events.
    func activations(tokens: Int, on backend: any Backend) -> Activations
    /// The same for backward passes.
    func scratch(tokens: Int, on backend: any Backend) -> Scratch
    /// What the state of a sequence is before its first event, part by part; nil: zeros.
    func initialState(_ weights: Parameters, on backend: any Backend) -> [[Float]?]
    /// From x [N, D] to `output` [N, D], which is not x.
    func forward(_ x: Tensor, into output: Tensor, _ activations: Activations, _ states: MixerStates, _ pass: Pass)
    /// Adds the gradient of x to `xGradient` and those of the parameters to `gradients`. The activations, which the forward pass
    /// from the same states has left, may be overwritten.
    func backward(
        _ outputGradient: Tensor, input x: Tensor, addingTo xGradient: Tensor, _ activations: Activations,
        _ states: MixerStates, _ stateGradients: MixerStateGradients, _ scratch: Scratch, _ pass: Pass,
        _ gradients: Parameters)
}

/// What one layer's mixer remembers of each of S sequences: for each part a row a sequence, [S, width]. A part of no width is nil.
package typealias MixerState = [Tensor?]

/// Where the states of a pass come from and go to.
package struct MixerStates {
    /// Before each sequence's first event; nil: zero.
    package var initial: MixerState?
    /// Gets the states after each sequence's last event, where given; may be `initial`.
    package var final: MixerState?

    package init(initial: MixerState? = nil, final: MixerState? = nil) { (self.initial, self.final) = (initial, final) }
}

/// The gradients of these states.
package struct MixerStateGradients {
    /// Is overwritten with that of `initial`, where given.
    package var initial: MixerState?
    /// That of `final`; nil: zero.
    package var final: MixerState?

    package init(initial: MixerState? = nil, final: MixerState? = nil) { (self.initial, self.final) = (initial, final) }
}

extension Mixer {
    package func initialState(_ weights: Parameters, on backend: any Backend) -> [[Float]?] {
        stateWidths.map { _ in nil }
    }

    /// States, or their gradients, of `sequences` sequences: zeros.
    package func state(sequences: Int, on backend: any Backend) -> MixerState {
        stateWidths.map { $0 == 0 ? nil : backend.tensor(sequences, $0) }
    }
}
