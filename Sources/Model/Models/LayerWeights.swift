import Tensors

/// The weights of one layer (or their gradients) as the operations want them.
struct LayerWeights {
    /// W_in [2H, D].
    let inputProjection: Tensor?
    let convolution: ConvolutionParameters?
    /// W_g [2H, H] and b_g [2H].
    let gates: Tensor
    let gateBias: Tensor
    /// Λ [H].
    let decay: Tensor
    /// W_out [D, H].
    let outputProjection: Tensor?
    let recurrentNorm: NormParameters
    let feedForward: FeedForward?

    struct FeedForward {
        /// W₁ [4D, D], b₁.
        let inner, innerBias: Tensor
        /// W₂ [D, 4D], b₂.
        let outer, outerBias: Tensor
        let norm: NormParameters
    }
}

extension Weights {
    func layer(_ index: Int) -> LayerWeights {
        let layer = layout.layers[index]
        return LayerWeights(
            inputProjection: layer.inputProjection.map { self[$0] },
            convolution: layer.convolution.map { ConvolutionParameters(weight: self[$0.weight], bias: self[$0.bias]) },
            gates: self[layer.gates.weight], gateBias: self[layer.gates.bias], decay: self[layer.decay],
            outputProjection: layer.outputProjection.map { self[$0] }, recurrentNorm: norm(layer.recurrentNorm),
            feedForward: layer.feedForward.map {
                LayerWeights.FeedForward(
                    inner: self[$0.inner.weight], innerBias: self[$0.inner.bias], outer: self[$0.outer.weight],
                    outerBias: self[$0.outer.bias], norm: norm($0.norm))
            })
    }

    var embeddingNorm: NormParameters { norm(layout.embeddingNorm) }
}

/// Dropout of a whole forward pass: what is common to all its places.
package struct DropoutSettings: Sendable, Equatable {
    /// Probability, in [0, 1).
    package var rate: Float
    /// The run's seed.
    package var seed: UInt64
    /// The optimiser step.
    package var step: UInt32
    /// Global number within the batch of each token of this pass.
    package var tokenNumbers: [Int32]

    /// Groups the four.
    package init(rate: Float, seed: UInt64, step: UInt32, tokenNumbers: [Int32]) {
        self.rate = rate
        self.seed = seed
        self.step = step
        self.tokenNumbers = tokenNumbers
    }

    enum Place {
        case embedding
        case recurrence(layer: Int)
        case inner(layer: Int)
        case outer(layer: Int)

        var number: UInt32 {
            switch self {
            case .embedding: 0
            case .recurrence(let layer): UInt32(3 * layer + 1)
            case .inner(let layer): UInt32(3 * layer + 2)
            case .outer(let layer): UInt32(3 * layer + 3)
            }
        }
    }
}
