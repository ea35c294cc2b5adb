import Tensors

/// A configuration, its weights and the backend whose memory they are in. Cheap to copy; nothing in it changes while
/// it answers, so that many threads may use one model, each through its own ``Encoder``.
public struct SequenceModel: Sendable {
    /// The weights and their shape.
    package let weights: Weights
    /// Where it computes.
    package let backend: any Backend

    /// Weights that exist.
    package init(weights: Weights, backend: any Backend) {
        self.weights = weights
        self.backend = backend
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
        try configuration.validate()
        weights = Weights(zerosFor: configuration, on: backend)
        self.backend = backend
        backend.upload(initialValues(for: weights.layout, configuration, seed: seed), to: weights.flat)
    }

    /// The shape.
    public var configuration: ModelConfiguration { weights.configuration }

    /// The rows that are ranked, items 1 ... V: row r is item r + 1.
    package var itemTable: Tensor { weights.embedding.rows(1..<configuration.itemCount + 1) }

    /// The rows that take part in the training softmax and the number of the item in the first of them.
    package var softmaxTable: (rows: Tensor, firstItem: Int32) {
        configuration.paddingInSoftmax ? (weights.embedding, 0) : (itemTable, 1)
    }
}
