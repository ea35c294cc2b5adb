import Tensors

/// Dropout of one optimiser step: what is common to all its places.
package struct DropoutSettings: Sendable, Equatable {
    /// Probability, in [0, 1).
    package var rate: Float
    /// The run's seed.
    package var seed: UInt64
    /// The optimiser step.
    package var step: UInt32

    package init(rate: Float, seed: UInt64, step: UInt32) {
        (self.rate, self.seed, self.step) = (rate, seed, step)
    }
}

/// What every layer needs to know of one pass over a packed batch.
package struct Pass {
    /// Who computes.
    package let backend: any Backend
    /// With what.
    package let weights: Parameters
    /// S + 1 row numbers: where each sequence starts.
    package let starts: Indices
    /// N.
    package let tokens: Int
    /// S.
    package let sequences: Int
    /// Nil drops nothing.
    package let dropout: DropoutSettings?
    /// Number of each token within the whole batch, which is what its dropout masks depend on: [N].
    package let tokenNumbers: Indices

    package init(
        backend: any Backend, weights: Parameters, starts: Indices, tokens: Int, sequences: Int,
        dropout: DropoutSettings?, tokenNumbers: Indices
    ) {
        (self.backend, self.weights, self.starts) = (backend, weights, starts)
        (self.tokens, self.sequences) = (tokens, sequences)
        (self.dropout, self.tokenNumbers) = (dropout, tokenNumbers)
    }

    /// What is dropped at a place; nil where nothing is.
    func dropout(at place: DropoutPlace) -> Dropout? {
        guard let dropout, dropout.rate > 0 else { return nil }
        return Dropout(
            rate: dropout.rate, seed: dropout.seed, step: dropout.step, place: place.number, rowNumbers: tokenNumbers)
    }
}

/// The places of a model where something is dropped. No two share a number.
package enum DropoutPlace: Sendable, Equatable {
    case embedding
    /// What a layer's mixer gives.
    case mixer(layer: Int)
    /// Within a layer's feed-forward network.
    case inner(layer: Int)
    /// What a layer's feed-forward network gives.
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
