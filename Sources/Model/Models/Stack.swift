package import Layers
package import Tensors

/// One layer: Y = LayerNorm(dropout(mixer(X)) + X), then the feed-forward network, if the model has one.
struct Layer<M: Mixer>: Sendable {
    let mixer: M
    let norm: ResidualNorm
    let feedForward: FeedForward?
}

/// The model without its softmax: item embedding and layers. A description: weights are in ``Layers/Parameters``, activations in a
/// ``StackWorkspace``.
package struct Stack<M: Mixer>: Network {
    package let layout: ParameterLayout
    package let embedding: ItemEmbedding
    let layers: [Layer<M>]
    package let repeatBias, transitionBias: Parameter?
    /// Q [D, 14]: adds what describes the question, and when it is asked, to the output of the last layer's mixer; nil in a model without time.
    let questions: Linear?
    let size, innerSize: Int

    /// `mixer` makes the mixer of one layer, given the prefix of its parameters' names. The configuration must be valid.
    package init(_ shape: ModelConfiguration, mixer: (_ name: String, inout ParameterLayout) -> M) {
        var layout = ParameterLayout()
        (size, innerSize) = (shape.hiddenSize, shape.innerSize)
        embedding = ItemEmbedding(
            itemCount: shape.itemCount, size: shape.hiddenSize, epsilon: shape.normEpsilon, in: &layout)
        layers = (0..<shape.layerCount).map { index in
            let name = "layers.\(index)."
            return Layer(
                mixer: mixer(name, &layout),
                norm: ResidualNorm(
                    name + "recurrent_norm", shape.hiddenSize, epsilon: shape.normEpsilon,
                    dropoutAt: .mixer(layer: index), in: &layout),
                feedForward: shape.feedForward
                    ? FeedForward(
                        name + "feed_forward", normName: name + "feed_forward_norm", size: shape.hiddenSize,
                        innerSize: shape.innerSize, layer: index, epsilon: shape.normEpsilon, in: &layout) : nil)
        }
        repeatBias =
            shape.repeatAware
            ? layout.matrix("repeat_bias", RepeatHead.recencies, RepeatHead.counts, .zeros, decays: false) : nil
        transitionBias =
            shape.transitions
            ? layout.matrix("transition_bias", TransitionHead.sources, TransitionHead.counts, .zeros, decays: false)
            : nil
        questions =
            shape.usesTime
            ? Linear("questions", from: TimeFeatures.questionSize, to: shape.hiddenSize, .zeros, in: &layout) : nil
        layout.place()
        self.layout = layout
    }

    package func workspace(tokens: Int, sequences: Int, forTraining: Bool, on backend: any Backend) -> any Workspace {
        StackWorkspace(self, tokens: tokens, sequences: sequences, forTraining: forTraining, on: backend)
    }

    package func initialState(_ weights: Parameters, on backend: any Backend) -> [Float] {
        layers.flatMap { layer in
            zip(layer.mixer.stateWidths, layer.mixer.initialState(weights, on: backend)).flatMap { width, values in
                values ?? [Float](repeating: 0, count: width)
            }
        } + (questions == nil ? [] : [Float](repeating: 0, count: size) + RecurrentState.numbers(of: nil))
    }
}

/// A ``Stack`` with any mixer.
package protocol Network: Sendable {
    /// The offsets of the parameters.
    var layout: ParameterLayout { get }
    /// The item embedding, whose table is also the output layer's (tied weights).
    var embedding: ItemEmbedding { get }
    /// [recencies, counts]: one number for each class of repeated items; nil without a repeat-aware head.
    var repeatBias: Parameter? { get }
    /// [sources, counts]: one number for each class of successors; nil without a transition head. Placed behind ``repeatBias``.
    var transitionBias: Parameter? { get }
    /// Memory for passes over at most `tokens` events in at most `sequences` sequences.
    func workspace(tokens: Int, sequences: Int, forTraining: Bool, on backend: any Backend) -> any Workspace
    /// A user's state before any event, layer by layer.
    func initialState(_ weights: Parameters, on backend: any Backend) -> [Float]
}

extension ModelConfiguration {
    /// The layers of a model of this shape, which must be valid.
    package func makeNetwork() -> any Network {
        switch (mixer, block) {
        case (.bdlru, .full): Stack(self) { BDLRU($0, self, in: &$1) }
        case (.bdlru, .recurrenceOnly): Stack(self) { BareBDLRU($0, self, in: &$1) }
        case (.attention, _): Stack(self) { SelfAttention($0, self, in: &$1) }
        case (.lru, _): Stack(self) { LRU($0, self, in: &$1) }
        }
    }

    /// The offsets of the parameters of such a model.
    package var layout: ParameterLayout { makeNetwork().layout }
}
