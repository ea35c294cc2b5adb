package import ErrorSupport
package import FileSupport
import Foundation
package import Identifiers
import Layers
package import Models
import SwiftProtobuf

/// A model as ONNX: `step.onnx`, `encode.onnx`, and `onnx.json`, which says what they are.
///
/// All that `onnx.json` says is in the metadata of both models, too, so that one file is enough; it stands beside them for runtimes that do not
/// show metadata.
package enum OnnxFolder {
    /// (state, item) → (new_state, hidden, scores).
    package static let step = "step.onnx"
    /// (items, lengths) → (state, hidden, scores).
    package static let encode = "encode.onnx"
    private static let description = "onnx.json"
    /// A folder of these files, as it is written and replaced as a whole.
    package static let kind = FolderKind(
        name: "ONNX export", files: [step, encode, description], marker: description,
        markerKeys: ["format", "items", "initial_state"])

    /// Writes a model's folder, completely or not at all; one that is there is replaced. `mark` tells the model, `version` the program. Takes memory for three
    /// copies of the weights. Throws where the model is too large for a file of ONNX.
    package static func write(
        _ model: SequenceModel, items: Vocabulary, mark: String, version: String, to destination: FolderDestination
    ) throws(OnnxError) {
        try check(model.configuration)
        let about = OnnxDescription(model, items: items, mark: mark, version: version)
        try writeFolder(destination, wrap: OnnxError.file) { (folder) throws(OnnxError) in
            for (name, graph) in [(step, ModelGraph.step), (encode, ModelGraph.encode)] {
                let bytes = try file(graph(model), about, version: version)
                try withFileErrors { () throws(FileError) in
                    try writeFile(bytes, to: folder.appendingPathComponent(name))
                }
            }
            try withFileErrors { () throws(FileError) in
                try writeFile(about.text.utf8, to: folder.appendingPathComponent(description))
            }
        }
    }

    /// Throws where a model of this shape cannot be written, as far as its weights and counts tell.
    package static func check(_ shape: ModelConfiguration) throws(OnnxError) {
        // Recent items are numbers of a state, in single precision.
        guard !shape.hasHeads || shape.itemCount < 1 << 24 else { throw .tooManyItems(shape.itemCount) }
        let weights = shape.layout.entries.reduce(0) { $0 + $1.count }
        let successors = shape.transitions ? 2 * TransitionCounts.limit * (shape.itemCount + 1) : 0
        try check(bytes: 4 * (weights + successors))
    }

    /// A message of protocol buffers has less than 2 GiB; nodes and names need little.
    private static func check(bytes: Int) throws(OnnxError) {
        guard bytes + (1 << 20) < Int(Int32.max) else { throw .tooLarge(bytes: bytes) }
    }

    /// The bytes of a file.
    private static func file(
        _ graph: GraphBuilder, _ about: OnnxDescription, version: String
    ) throws(OnnxError) -> Data {
        let size = graph.constantBytes + about.text.utf8.count
        try check(bytes: size)
        var model = Onnx_ModelProto()
        (model.irVersion, model.producerName, model.producerVersion) = (8, "recblr", version)
        model.docString = "RecBLR, a sequential recommender. The metadata say what its numbers mean."
        model.opsetImport = [.with { $0.version = Int64(Value.operatorSet) }]
        model.graph = graph.graph
        model.metadataProps = about.metadata
        do { return try model.serializedData() } catch { throw .tooLarge(bytes: size) }
    }

    private static func withFileErrors(_ body: () throws(FileError) -> Void) throws(OnnxError) {
        do { try body() } catch { throw .file(error) }
    }
}

/// Why a model has no ONNX files.
package enum OnnxError: UserFacingError, FileFailure, Equatable {
    /// The system refused.
    case file(FileError)
    /// A file of ONNX has less than 2 GiB.
    case tooLarge(bytes: Int)
    /// Single precision does not tell the numbers of so many items apart.
    case tooManyItems(Int)

    /// One sentence for people.
    package var description: String {
        switch self {
        case .file(let error): error.description
        case .tooLarge(let bytes):
            "the model takes \(bytes >> 20) MiB as ONNX, whose files have less than 2 GiB"
        case .tooManyItems(let count):
            "a model with heads and \(count) items cannot be written as ONNX: its state holds numbers of items up to 16777215"
        }
    }

    /// The file's, or that of an impossible size.
    package var exitStatus: ExitStatus { if case .file(let error) = self { error.exitStatus } else { .usage } }

    /// The file's error, if this is one.
    package var fileError: FileError? { if case .file(let error) = self { error } else { nil } }
}
