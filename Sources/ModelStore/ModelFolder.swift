import FileSupport
import Foundation
import RecBLR
import Tensors

/// A model on disk: `model.safetensors`, `config.json`, `items.tsv` and, after training, `popularity.i64`, `training.json` and
/// `report.html`.
public struct ModelFolder: Sendable {
    /// Names of the files.
    public enum File {
        public static let weights = "model.safetensors"
        public static let configuration = "config.json"
        public static let items = "items.tsv"
        /// For each item in order the number of its training events, 64 bits little-endian.
        public static let popularity = "popularity.i64"
        public static let training = "training.json"
        /// For people, put there by training.
        public static let report = "report.html"
        /// One line an epoch, put there by training.
        public static let log = "training.jsonl"
        static let all: Set = [weights, configuration, items, popularity, training, report, log]
    }

    /// Where it is.
    public let url: URL
    /// The model's shape.
    public let configuration: Configuration
    /// Item i is at position i − 1.
    public let items: Vocabulary
    /// Training events of item i at position i − 1; nil where the folder does not say: models of version 0.3.0 and imported ones.
    public let popularity: [Int]?
    /// The bytes of `training.json`, nil where there is none.
    public let trainingRecord: [UInt8]?

    /// Reads and checks everything but the weights.
    public static func open(_ url: URL) throws(ModelFileError) -> ModelFolder {
        let configuration = try readConfiguration(url.appendingPathComponent(File.configuration))
        let itemsURL = url.appendingPathComponent(File.items)
        let items = try withFileErrors { () throws(FileError) in try Vocabulary.read(itemsURL) }
        guard items.count == configuration.itemCount else {
            throw .malformed(
                path: itemsURL.path,
                reason: "\(items.count) items, but the model was made for \(configuration.itemCount)")
        }
        let record = url.appendingPathComponent(File.training)
        let recordBytes =
            FileManager.default.fileExists(atPath: record.path)
            ? try withFileErrors { () throws(FileError) in try readFile(record) } : nil
        return ModelFolder(
            url: url, configuration: configuration, items: items,
            popularity: try readPopularity(url.appendingPathComponent(File.popularity), count: items.count),
            trainingRecord: recordBytes)
    }

    private static func readPopularity(_ url: URL, count: Int) throws(ModelFileError) -> [Int]? {
        guard FileManager.default.fileExists(atPath: url.path) else { return nil }
        let bytes = try withFileErrors { () throws(FileError) in try readFile(url) }
        guard bytes.count == 8 * count else {
            throw .malformed(path: url.path, reason: "\(bytes.count) bytes, expected \(8 * count)")
        }
        let counts = bytes.withUnsafeBytes { bytes in
            (0..<count).map { Int(bytes.loadUnaligned(fromByteOffset: 8 * $0, as: Int64.self)) }
        }
        guard counts.allSatisfy({ $0 >= 0 }) else { throw .malformed(path: url.path, reason: "a count is negative") }
        return counts
    }

    /// Reads the weights into a backend's memory.
    public func model(on backend: some Backend) throws(ModelFileError) -> Model {
        let file = url.appendingPathComponent(File.weights)
        let weights = try readWeights(try SafeTensors(file), path: file.path, configuration, on: backend)
        return Model(weights: weights, backend: backend)
    }

    /// Throws where a model could not be written to `url` because something else is there. Worth asking before training.
    public static func checkReplaceable(_ url: URL) throws(ModelFileError) {
        try withFileErrors { () throws(FileError) in try FileSupport.checkReplaceable(url, holding: File.all) }
    }

    /// Writes a model's folder, whole or not at all. One that exists is replaced, if it holds nothing but a model.
    /// `popularity` is one count an item.
    public static func write(
        _ model: Model, items: Vocabulary, popularity: [Int]? = nil, trainingRecord: [UInt8]?, report: String? = nil,
        to url: URL
    ) throws(ModelFileError) {
        let weights = namedWeights(model.weights, on: model.backend)
        if let failure = model.backend.failure { throw .device(failure) }  // then they are not what was learnt
        try writeFolder(url, replaceable: File.all, wrap: ModelFileError.file) { (folder) throws(ModelFileError) in
            try SafeTensors.write(
                weights, metadata: ["format": "recblr"], to: folder.appendingPathComponent(File.weights))
            try writeConfiguration(model.configuration, to: folder.appendingPathComponent(File.configuration))
            try withFileErrors { () throws(FileError) in
                try items.write(to: folder.appendingPathComponent(File.items))
                if let popularity {
                    var writer = try FileWriter(folder.appendingPathComponent(File.popularity))
                    try writer.append(values: popularity.map(Int64.init))
                    try writer.commit()
                }
                if let trainingRecord {
                    try writeFile(trainingRecord, to: folder.appendingPathComponent(File.training))
                }
                if let report { try writeFile(report.utf8, to: folder.appendingPathComponent(File.report)) }
            }
        }
    }
}

/// The weights as named tensors, with `prefix` before each name.
public func namedWeights(_ weights: Weights, on backend: any Backend, prefix: String = "") -> [SafeTensors.Named] {
    weights.layout.entries.map { entry in
        SafeTensors.Named(
            name: prefix + entry.name, shape: entry.shape, values: .floats(backend.download(weights.tensor(entry))))
    }
}

/// Weights from named tensors, each checked for shape and finite values; no tensor but these may have the prefix.
public func readWeights(
    _ file: SafeTensors, path: String, _ configuration: Configuration, on backend: any Backend, prefix: String = ""
) throws(ModelFileError) -> Weights {
    let layout = WeightLayout(configuration)
    for entry in layout.entries {
        guard let stored = file.entries[prefix + entry.name] else {
            throw .malformed(path: path, reason: "there is no tensor \(prefix + entry.name)")
        }
        guard stored.shape == entry.shape else {
            throw .malformed(
                path: path,
                reason:
                    "tensor \(prefix + entry.name) has shape \(stored.shape), the configuration wants \(entry.shape)")
        }
    }
    let known = Set(layout.entries.map { prefix + $0.name })
    if let stranger = file.entries.keys.filter({ $0.hasPrefix(prefix) && !known.contains($0) }).min() {
        throw .malformed(path: path, reason: "tensor \(stranger) belongs to no part of the configured model")
    }
    let weights = Weights(zerosFor: configuration, on: backend)
    for entry in layout.entries {
        let values = try file.floats(prefix + entry.name)
        guard values.allSatisfy(\.isFinite) else {
            throw .malformed(path: path, reason: "tensor \(prefix + entry.name) holds a value that is not finite")
        }
        backend.upload(values, to: weights.tensor(entry))
    }
    return weights
}
