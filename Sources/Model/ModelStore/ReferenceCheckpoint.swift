import FileSupport
public import Foundation
package import Layers
public import Models
public import Tensors

/// Weights trained by the paper's own implementation, from a safetensors file of its parameters.
///
/// The name map, theirs → ours; linear weights are [out, in] in both:
///
///     item_embedding.weight                                  item_embedding
///     layer_norm.{weight,bias}                               embedding_norm.{scale,shift}
///     recurrent_layers.N.behavior_modeling.input.weight      layers.N.input_projection      (U, then Z)
///     recurrent_layers.N.behavior_modeling.conv1d.weight     layers.N.convolution.weight    ([H, 1, K] → [K, H])
///     recurrent_layers.N.behavior_modeling.conv1d.bias       layers.N.convolution.bias
///     recurrent_layers.N.behavior_modeling.gates.{weight,bias} layers.N.gates.{weight,bias} (recurrence, then input)
///     recurrent_layers.N.behavior_modeling.Lambda            layers.N.decay
///     recurrent_layers.N.behavior_modeling.output.weight     layers.N.output_projection
///     recurrent_layers.N.layer_norm.{weight,bias}            layers.N.recurrent_norm.{scale,shift}
///     recurrent_layers.N.ffn.w_1.{weight,bias}               layers.N.feed_forward.inner.{weight,bias}
///     recurrent_layers.N.ffn.w_2.{weight,bias}               layers.N.feed_forward.outer.{weight,bias}
///     recurrent_layers.N.ffn.layer_norm.{weight,bias}        layers.N.feed_forward_norm.{scale,shift}
public struct ReferenceCheckpoint: Sendable {
    /// The hyperparameters, derived from the shapes of the weights.
    public let configuration: ModelConfiguration
    private let file: SafeTensors
    private let prefix: String
    private let path: String

    /// The number of rows of zeros that the reference code puts before a sequence of `length` events: it pads to a power of two.
    public static func warmupSteps(sequenceLength length: Int) -> Int {
        var power = 1
        while power < length { power *= 2 }
        return power - length
    }

    /// Opens a file and derives the model's hyperparameters, ablations included, from the shapes of the weights. Their names may
    /// start with `param.`.
    public init(_ url: URL, warmupSteps: Int) throws(ModelFileError) {
        let file = try SafeTensors(url)
        let prefix = file.entries["param.item_embedding.weight"] == nil ? "" : "param."
        func shape(_ name: String, _ rank: Int) -> [Int]? {
            file.entries[prefix + name].flatMap { $0.shape.count == rank ? $0.shape : nil }
        }
        func layer(_ index: Int, _ name: String) -> String { "recurrent_layers.\(index).\(name)" }
        func needed(_ name: String, _ rank: Int) throws(ModelFileError) -> [Int] {
            guard let shape = shape(name, rank) else {
                throw .malformed(path: url.path, reason: "there is no tensor \(name) of \(rank) dimensions")
            }
            return shape
        }
        let embedding = try needed("item_embedding.weight", 2)
        let width = try needed(layer(0, "behavior_modeling.Lambda"), 1)[0]
        guard embedding[1] > 0, width % embedding[1] == 0 else {
            throw .malformed(path: url.path, reason: "the recurrence is not a multiple of the hidden size wide")
        }
        var configuration = ModelConfiguration(itemCount: embedding[0] - 1)
        configuration.hiddenSize = embedding[1]
        configuration.expansion = width / embedding[1]
        configuration.layerCount = (1...65).first { shape(layer($0, "behavior_modeling.Lambda"), 1) == nil } ?? 65
        configuration.block = shape(layer(0, "behavior_modeling.input.weight"), 2) == nil ? .recurrenceOnly : .full
        configuration.convolutionWidth = shape(layer(0, "behavior_modeling.conv1d.weight"), 3)?[2] ?? 0
        configuration.feedForward = shape(layer(0, "ffn.w_1.weight"), 2) != nil
        configuration.warmupSteps = warmupSteps
        if let text = file.metadata["layer_norm_eps"], let epsilon = Float(text) { configuration.normEpsilon = epsilon }
        do { try configuration.validate() } catch { throw .configuration(path: url.path, error) }
        try Self.check(file, prefix, configuration, path: url.path)
        (self.file, self.prefix, self.configuration, path) = (file, prefix, configuration, url.path)
    }

    /// Throws unless the file holds the tensors of this configuration, each with its shape, and no others, so that all layers
    /// agree with what was derived from the first.
    private static func check(
        _ file: SafeTensors, _ prefix: String, _ configuration: ModelConfiguration, path: String
    ) throws(ModelFileError) {
        var known: Set<String> = []
        for entry in configuration.layout.entries {
            let name = referenceName(of: entry.name)
            let isConvolution = entry.name.hasSuffix("convolution.weight")
            let expected = isConvolution ? [entry.columns, 1, entry.rows] : entry.shape
            guard let found = file.entries[prefix + name]?.shape else {
                throw .malformed(
                    path: path, reason: "there is no tensor \(name), which its other tensors call for")
            }
            guard found == expected else {
                throw .malformed(
                    path: path, reason: "tensor \(name) has shape \(found), the others call for \(expected)")
            }
            known.insert(prefix + name)
        }
        let left = file.entries.filter { $0.key.hasPrefix(prefix) && !known.contains($0.key) }
        let names = left.sorted { $0.key < $1.key }.map {
            "\($0.key.dropFirst(prefix.count)) of shape \($0.value.shape)"
        }
        guard names.isEmpty else {
            let more = names.count > 3 ? " and \(names.count - 3) more" : ""
            throw .malformed(
                path: path,
                reason:
                    "\(names.prefix(3).joined(separator: ", "))\(more) would be left over: they belong to no part of "
                    + "the model that the other tensors make")
        }
    }

    /// The model, in a device's memory.
    public func model(on device: ComputeDevice) throws(ModelFileError) -> SequenceModel {
        try model(on: device.backend)
    }

    /// The same for the operations of a device.
    package func model(on backend: any Backend) throws(ModelFileError) -> SequenceModel {
        let model = SequenceModel(zerosFor: configuration, on: backend)
        for entry in configuration.layout.entries {
            backend.upload(try values(of: entry, prefix: prefix), to: model.weights[entry])
        }
        return model
    }

    /// The values of one of our weights, in our order, from the tensor of the same meaning with `prefix` before its name
    /// (`grad.` gives the gradients of the golden files).
    package func values(of entry: ParameterLayout.Entry, prefix: String) throws(ModelFileError) -> [Float] {
        let name = prefix + referenceName(of: entry.name)
        let values = try file.floats(name)
        guard values.count == entry.rows * entry.columns, values.allSatisfy(\.isFinite) else {
            throw .malformed(
                path: path, reason: "tensor \(name): expected \(entry.rows * entry.columns) finite values")
        }
        guard entry.name.hasSuffix("convolution.weight") else { return values }
        return (0..<entry.rows * entry.columns).map { index in
            values[index % entry.columns * entry.rows + index / entry.columns]
        }
    }
}

/// The reference code's name for one of our parameters.
func referenceName(of name: String) -> String {
    let parts = name.split(separator: ".").map(String.init)
    guard parts[0] == "layers" else {
        switch name {
        case "item_embedding": return "item_embedding.weight"
        case "embedding_norm.scale": return "layer_norm.weight"
        default: return "layer_norm.bias"
        }
    }
    let prefix = "recurrent_layers.\(parts[1])."
    let rest = parts[2...].joined(separator: ".")
    let inner = [
        "input_projection": "behavior_modeling.input.weight",
        "convolution.weight": "behavior_modeling.conv1d.weight",
        "convolution.bias": "behavior_modeling.conv1d.bias",
        "gates.weight": "behavior_modeling.gates.weight",
        "gates.bias": "behavior_modeling.gates.bias",
        "decay": "behavior_modeling.Lambda",
        "output_projection": "behavior_modeling.output.weight",
        "recurrent_norm.scale": "layer_norm.weight",
        "recurrent_norm.shift": "layer_norm.bias",
        "feed_forward.inner.weight": "ffn.w_1.weight",
        "feed_forward.inner.bias": "ffn.w_1.bias",
        "feed_forward.outer.weight": "ffn.w_2.weight",
        "feed_forward.outer.bias": "ffn.w_2.bias",
        "feed_forward_norm.scale": "ffn.layer_norm.weight",
        "feed_forward_norm.shift": "ffn.layer_norm.bias",
    ]
    return prefix + (inner[rest] ?? rest)
}
