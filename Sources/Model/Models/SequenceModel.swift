import Identifiers
package import Layers
public import Tensors

/// A model: configuration, weights, and the device that holds them. Copies share the weights. Inference changes nothing, so that many
/// threads may use one model, each with its own ``SequenceEncoder``.
public struct SequenceModel: Sendable {
    /// The shape of the model.
    public let configuration: ModelConfiguration
    /// The layers.
    package let network: any Network
    /// The values of the parameters.
    package let weights: Parameters
    /// The backend that holds the weights and computes.
    package let backend: any Backend
    /// What the transition head knows of the training events; nil without one.
    package let transitions: TransitionCounts?

    private init(
        configuration: ModelConfiguration, network: any Network, weights: Parameters, backend: any Backend,
        transitions: TransitionCounts?
    ) {
        self.transitions = transitions
        (self.configuration, self.network) = (configuration, network)
        (self.weights, self.backend) = (weights, backend)
    }

    /// A model whose weights are zero, to be loaded. The configuration must be valid. A transition head without `transitions` knows none.
    package init(
        zerosFor configuration: ModelConfiguration, transitions: TransitionCounts? = nil, on backend: any Backend
    ) {
        let none = configuration.transitions ? TransitionCounts(itemCount: configuration.itemCount) : nil
        self.transitions = configuration.transitions ? transitions ?? none : nil
        self.configuration = configuration
        self.backend = backend
        network = configuration.makeNetwork()
        weights = Parameters(zerosFor: network.layout, on: backend)
    }

    /// A model with random weights, initialised from `seed`, in a device's memory. Throws where the configuration is not valid.
    public init(
        initializing configuration: ModelConfiguration, seed: UInt64, on device: ComputeDevice
    ) throws(ConfigurationError) {
        try self.init(initializing: configuration, seed: seed, on: device.backend)
    }

    /// The same in a backend's memory.
    package init(
        initializing configuration: ModelConfiguration, transitions: TransitionCounts? = nil, seed: UInt64,
        on backend: any Backend
    ) throws(ConfigurationError) {
        try configuration.validate(for: backend)
        self.init(zerosFor: configuration, transitions: transitions, on: backend)
        backend.upload(network.layout.initialValues(seed: seed), to: weights.flat)
    }

    /// The same weights with another backend for the same memory. A backend that packs weights (`CPUBackend(products: .rowIndependent)`,
    /// for states that are the same bit for bit however events are batched) does so here: they must not change any more.
    package func on(_ backend: any Backend) -> SequenceModel {
        let matrices = network.layout.entries.enumerated().filter { index, entry in
            !entry.isVector && index != network.embedding.table.index
        }
        return SequenceModel(
            configuration: configuration, network: network, weights: weights,
            backend: backend.prepared(for: matrices.map { weights[$0.element] }), transitions: transitions)
    }

    /// Gradients of the weights, all zero.
    package func makeGradients() -> Parameters { Parameters(zerosFor: network.layout, on: backend) }

    /// Sets to 0 what a step of the optimiser has made negative and must not be (ω). O(L · H).
    package func clampWeights() {
        for entry in network.layout.entries where entry.isNonnegative {
            backend.clearNegatives(of: weights[entry])
        }
    }

    /// The item embeddings [V, D]: row r is the item with ``ItemID/row`` r.
    package var itemTable: Tensor { weights.itemTable(network.embedding) }

    /// The state before any event: zeros, except for imported weights of the paper's own code. O(L · padding · H²).
    public func initialState() -> RecurrentState { RecurrentState(network.initialState(weights, on: backend)) }
}

extension ModelConfiguration {
    /// Throws as ``validate()`` does, and where such a model cannot be on this device.
    package func validate(for backend: any Backend) throws(ConfigurationError) {
        try validate()
        if mixer == .attention, !backend.supportsAttention { throw .attention(device: backend.name) }
    }
}
