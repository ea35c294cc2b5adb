package import Tensors

/// Dropout of one optimiser step: what its places have in common.
package struct DropoutSettings: Sendable, Equatable {
    /// Probability that an element is dropped, in [0, 1).
    package var rate: Float
    /// The run's seed.
    package var seed: UInt64
    /// The optimiser step.
    package var step: UInt32

    package init(rate: Float, seed: UInt64, step: UInt32) {
        (self.rate, self.seed, self.step) = (rate, seed, step)
    }
}

/// One forward or backward pass over a packed batch: what every layer needs to know of it.
package final class Pass {
    /// The backend that computes.
    package let backend: any Backend
    /// The model's weights.
    package let weights: Parameters
    /// S + 1 row numbers: where each sequence starts.
    package let starts: Indices
    /// N, the number of events.
    package let tokens: Int
    /// S, the number of sequences.
    package let sequences: Int
    /// Dropout of this pass; nil drops nothing.
    package let dropout: DropoutSettings?
    /// The number of each token within the whole batch [N], on which its dropout masks depend; nil without dropout.
    package let tokenNumbers: Indices?
    /// When the events happened; nil where the model does not use it.
    package let times: PassTimes?

    package init(
        backend: any Backend, weights: Parameters, starts: Indices, tokens: Int, sequences: Int,
        dropout: DropoutSettings?, tokenNumbers: Indices?, times: PassTimes? = nil
    ) {
        (self.backend, self.weights, self.starts) = (backend, weights, starts)
        (self.tokens, self.sequences) = (tokens, sequences)
        (self.dropout, self.tokenNumbers, self.times) = (dropout, tokenNumbers, times)
    }

    /// The dropout at a place; nil where nothing is dropped.
    func dropout(at place: DropoutPlace) -> Dropout? {
        guard let dropout, dropout.rate > 0, let tokenNumbers else { return nil }
        return Dropout(
            rate: dropout.rate, seed: dropout.seed, step: dropout.step, place: place.number, rowNumbers: tokenNumbers)
    }
}

/// The times of the events of a pass (docs/design.md, "Time").
package struct PassTimes {
    /// Δ of each event since the one before, and from each event to when it is asked what comes next, in seconds: [1, N]. The latter is nil for all
    /// layers but the last.
    package let events: Tensor, reads: Tensor?
    /// b(Δ) of each event [N, hats].
    package let eventHats: Tensor

    package init(events: Tensor, reads: Tensor?, eventHats: Tensor) {
        (self.events, self.reads, self.eventHats) = (events, reads, eventHats)
    }
}

/// The places of dropout in a model, each with its own number.
package enum DropoutPlace: Sendable, Equatable {
    case embedding
    /// The output of a layer's mixer.
    case mixer(layer: Int)
    /// The inner activations of a layer's feed-forward network.
    case inner(layer: Int)
    /// The output of a layer's feed-forward network.
    case outer(layer: Int)

    var number: UInt32 {
        switch self {
        case .embedding: 0
        case .mixer(let layer): UInt32(3 * layer + 1)
        case .inner(let layer): UInt32(3 * layer + 2)
        case .outer(let layer): UInt32(3 * layer + 3)
        }
    }
}
