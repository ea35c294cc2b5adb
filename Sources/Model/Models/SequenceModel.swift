import Identifiers
import Layers
import Tensors

/// A configuration, weights and the device that they are on. Cheap to copy; nothing in it changes while it answers, so that many threads may
/// use one model, each through its own ``Encoder``.
public struct SequenceModel: Sendable {
    /// The shape of the model.
    public let configuration: ModelConfiguration
    /// The layers.
    package let network: any Network
    /// Their numbers.
    package let weights: Parameters
    /// Where it computes.
    package let backend: any Backend

    private init(
        configuration: ModelConfiguration, network: any Network, weights: Parameters, backend: any Backend
    ) {
        (self.configuration, self.network) = (configuration, network)
        (self.weights, self.backend) = (weights, backend)
    }

    /// A model with all weights zero, to be filled. The configuration must be valid.
    package init(zerosFor configuration: ModelConfiguration, on backend: any Backend) {
        self.configuration = configuration
        self.backend = backend
        network = configuration.makeNetwork()
        weights = Parameters(zerosFor: network.layout, on: backend)
    }

    /// Fresh weights from `seed`, in a device's memory. Throws where the configuration is not valid.
    public init(
        initializing configuration: ModelConfiguration, seed: UInt64, on device: ComputeDevice
    ) throws(ConfigurationError) {
        try self.init(initializing: configuration, seed: seed, on: device.backend)
    }

    /// The same for the operations of a device.
    package init(
        initializing configuration: ModelConfiguration, seed: UInt64, on backend: any Backend
    ) throws(ConfigurationError) {
        try configuration.validate(for: backend)
        self.init(zerosFor: configuration, on: backend)
        backend.upload(network.layout.initialValues(seed: seed), to: weights.flat)
    }

    /// The same weights with other operations of the same device.
    package func on(_ backend: any Backend) -> SequenceModel {
        SequenceModel(configuration: configuration, network: network, weights: weights, backend: backend)
    }

    /// Memory for the gradients of its weights: zeros.
    package func makeGradients() -> Parameters { Parameters(zerosFor: network.layout, on: backend) }

    /// The rows that are ranked [V, D]: row r is the item with that ``ItemID/row``.
    package var itemTable: Tensor { weights.itemTable(network.embedding) }

    /// The state before any event: zeros but for weights of the paper's own code. O(L · padding · H²).
    public func initialState() -> RecurrentState { RecurrentState(network.initialState(weights, on: backend)) }
}

extension ModelConfiguration {
    /// Throws as ``validate()`` does, and where such a model cannot be on this device.
    package func validate(for backend: any Backend) throws(ConfigurationError) {
        try validate()
        if mixer == .attention, !backend.supportsAttention { throw .attention(device: backend.name) }
    }
}
