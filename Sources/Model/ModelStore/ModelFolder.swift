public import FileSupport
public import Foundation
public import Identifiers
import Layers
public import Models
public import Tensors

/// A model on disk: `model.safetensors`, `config.json`, `items.tsv` and, after training, `popularity.i64`, `training.json` and
/// `report.html`.
public struct ModelFolder: Sendable {
    /// Names of the files.
    public enum File {
        /// The weights, by name.
        public static let weights = "model.safetensors"
        /// The model's shape, and checksums of the other files.
        public static let configuration = "config.json"
        /// Identifiers and titles of items, in order of their numbers.
        public static let items = "items.tsv"
        /// The number of training events of each item, in order: 64-bit little-endian integers.
        public static let popularity = "popularity.i64"
        /// How it was trained, as JSON.
        public static let training = "training.json"
        /// Curves and metrics of the training, as a web page.
        public static let report = "report.html"
        /// The state of a training that can be continued with other options.
        public static let checkpoint = "checkpoint.safetensors"
        /// One JSON object for each epoch of the training.
        public static let log = "training.jsonl"
        /// A folder of these files, as it is written and replaced as a whole.
        public static let folder = FolderKind(
            name: "model", files: [weights, configuration, items, popularity, training, report, checkpoint, log],
            marker: configuration,
            markerKeys: ["format", "itemCount", "hiddenSize"])
    }

    /// The folder.
    public let url: URL
    /// The model's hyperparameters.
    public let configuration: ModelConfiguration
    /// Ids and titles of the items, by ``ItemID/row``.
    public let items: Vocabulary
    /// The number of training events of each item, by ``ItemID/row``; nil in imported models and those of version 0.3.0.
    public let popularity: [Int]?
    /// The bytes of `training.json`, nil where there is none.
    public let trainingRecord: [UInt8]?

    /// Length and checksum of each file except `config.json`; nil in folders of version 0.3.0.
    public let checksums: FileChecksums?
    private let weights: MappedFile

    /// Reads and checks everything except the weights, which are checked when they are read.
    ///
    /// Where the folder is replaced meanwhile, the result is the old model or the new one, never a mixture.
    public static func open(_ url: URL) throws(ModelFileError) -> ModelFolder {
        try FolderReader.read(url, marker: File.configuration, wrap: ModelFileError.file) {
            (folder) throws(ModelFileError) in try ModelFolder(folder)
        }
    }

    private init(_ folder: FolderReader) throws(ModelFileError) {
        url = folder.url
        (configuration, checksums) = try readConfiguration(folder)
        let itemsPath = url.appendingPathComponent(File.items).path
        let checksums = checksums
        items = try withFileErrors { () throws(FileError) in
            try Vocabulary.read(try folder.file(File.items, checksums), path: itemsPath)
        }
        guard items.count == configuration.itemCount else {
            throw .malformed(
                path: itemsPath,
                reason: "\(counted(items.count, "item")), but the model was made for \(configuration.itemCount)")
        }
        popularity = try Self.popularity(folder, checksums, count: items.count)
        trainingRecord = try Self.file(File.training, folder, checksums)?.copy()
        weights = try withFileErrors { () throws(FileError) in try folder.file(File.weights) }
    }

    private static func popularity(
        _ folder: FolderReader, _ checksums: FileChecksums?, count: Int
    ) throws(ModelFileError) -> [Int]? {
        guard let bytes = try file(File.popularity, folder, checksums)?.copy() else { return nil }
        let path = folder.url.appendingPathComponent(File.popularity).path
        guard bytes.count == 8 * count else {
            throw .malformed(path: path, reason: "\(bytes.count) bytes, expected \(8 * count)")
        }
        let counts = bytes.withUnsafeBytes { bytes in
            (0..<count).map { Int(bytes.loadUnaligned(fromByteOffset: 8 * $0, as: Int64.self)) }
        }
        guard counts.allSatisfy({ (0...1 << 53).contains($0) }) else {
            throw .malformed(path: path, reason: "a count is out of range")
        }
        return counts
    }

    /// An optional file; nil where the model has none.
    private static func file(
        _ name: String, _ folder: FolderReader, _ checksums: FileChecksums?
    ) throws(ModelFileError) -> MappedFile? {
        try withFileErrors { () throws(FileError) in
            if checksums?[name] == nil, try !folder.has(name) { return nil }
            return try folder.file(name, checksums)
        }
    }

    /// Identifies weights and items: two checksums, sixteen hexadecimal digits. O(1), in folders of version 0.3.0 O(bytes).
    public var fingerprint: String {
        get throws(ModelFileError) {
            let files =
                if let checksums { checksums } else {
                    try withFileErrors { () throws(FileError) in try FileChecksums(ofFilesIn: url) }
                }
            return [File.weights, File.items].map { files[$0]?.crc32 ?? "00000000" }.joined()
        }
    }

    /// Reads the weights into a device's memory.
    public func model(on device: ComputeDevice) throws(ModelFileError) -> SequenceModel {
        try model(on: device.backend)
    }

    /// Reads the weights into a backend's memory.
    package func model(on backend: any Backend) throws(ModelFileError) -> SequenceModel {
        let path = url.appendingPathComponent(File.weights).path
        if let checksums {
            try withFileErrors { () throws(FileError) in
                try checksums.check(weights, File.weights, path: path)
            }
        }
        let tensors = try SafeTensors(weights, path: path)
        return try readModel(tensors, path: path, configuration, on: backend)
    }

    /// A destination to write a model to. Throws where something else is there or nothing can be written, which is worth knowing before
    /// training.
    public static func destination(_ url: URL) throws(ModelFileError) -> FolderDestination {
        try withFileErrors { () throws(FileError) in try FolderDestination(url, File.folder) }
    }

    /// Writes a model's folder, completely or not at all. An existing folder is replaced if it holds nothing but a model.
    /// `popularity` has one count for each item. `checkpoint` is a file elsewhere, which is copied.
    public static func write(
        _ model: SequenceModel, items: Vocabulary, popularity: [Int]? = nil, trainingRecord: [UInt8]? = nil,
        report: String? = nil, log: [UInt8]? = nil, checkpoint: URL? = nil, to url: URL
    ) throws(ModelFileError) {
        let weights = namedWeights(model) + (model.transitions.map(TransitionTensor.named) ?? [])
        if let failure = model.backend.failure { throw .device(failure) }  // the weights are not valid then
        try writeFolder(url, File.folder, wrap: ModelFileError.file) { (folder) throws(ModelFileError) in
            try SafeTensors.write(
                weights, metadata: ["format": "recblr"], to: folder.appendingPathComponent(File.weights))
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
                if let checkpoint {
                    try copyFile(checkpoint, to: folder.appendingPathComponent(File.checkpoint))
                }
                if let log { try writeFile(log, to: folder.appendingPathComponent(File.log)) }
            }
            try writeConfiguration(model.configuration, in: folder)
        }
    }
}

/// The weights as named tensors.
package func namedWeights(_ model: SequenceModel) -> [SafeTensors.Named] {
    model.network.layout.entries.map { entry in
        SafeTensors.Named(
            name: entry.name, shape: entry.shape, values: .floats(model.backend.download(model.weights[entry])))
    }
}

/// A model from named tensors. Throws unless there are exactly the model's, with their shapes and finite values.
package func readModel(
    _ file: SafeTensors, path: String, _ configuration: ModelConfiguration, on backend: any Backend
) throws(ModelFileError) -> SequenceModel {
    do { try configuration.validate(for: backend) } catch { throw .configuration(path: path, error) }
    let layout = configuration.layout
    for entry in layout.entries {
        guard let stored = file.entries[entry.name] else {
            throw .malformed(path: path, reason: "there is no tensor \(entry.name)")
        }
        guard stored.shape == entry.shape else {
            throw .malformed(
                path: path,
                reason: "tensor \(entry.name) has shape \(stored.shape), the configuration wants \(entry.shape)")
        }
    }
    let known = Set(layout.entries.map(\.name) + (configuration.transitions ? TransitionTensor.names : []))
    if let unknown = file.entries.keys.filter({ !known.contains($0) }).min() {
        throw .malformed(path: path, reason: "tensor \(unknown) belongs to no part of the configured model")
    }
    let transitions =
        configuration.transitions ? try TransitionTensor.read(file, path: path, configuration.itemCount) : nil
    let model = SequenceModel(zerosFor: configuration, transitions: transitions, on: backend)
    for entry in layout.entries {
        let values = try file.floats(entry.name)
        guard values.allSatisfy(\.isFinite) else {
            throw .malformed(path: path, reason: "tensor \(entry.name) holds a value that is not finite")
        }
        backend.upload(values, to: model.weights[entry])
    }
    return model
}
