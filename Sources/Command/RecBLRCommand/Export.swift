import ArgumentParser
import CPUBackend
import ErrorSupport
import FileSupport
import Foundation
import Identifiers
import ModelStore
import Models
import OnnxExport
import Training

struct Export: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write a model for other programs: ONNX, item vectors, the paper's reference code.",
        discussion: """
            onnx: a folder with step.onnx (state, item: new state, hidden, scores), encode.onnx (padded histories, lengths: state, \
            hidden, scores) and onnx.json, what both have as metadata: ids of items by row, the state before any event, configuration. \
            The scores are those of `recommend`, heads included.
            vectors: a NumPy array FILE.npy [items, size] of float32, and FILE.tsv with the ids in the same order.
            recbole: a safetensors file that the reference code's load_state_dict takes, and `recblr import`.

            Example:

              recblr export models/shop --format onnx --output models/shop-onnx
              recblr export models/shop --format vectors --output shop.npy
              recblr export models/shop --format recbole --output shop.safetensors
            """)

    enum Format: String, ExpressibleByArgument, CaseIterable { case onnx, vectors, recbole }

    @Argument(help: "The model's folder.", transform: pathArgument) var model: String
    @Option(help: "What to write.") var format: Format
    @Option(
        name: .shortAndLong,
        help: "The folder (onnx) or file to write. A folder of an earlier export is replaced, and so is a file.",
        transform: pathArgument)
    var output: String

    func validate() throws {
        if format == .vectors, fileURL(output).pathExtension != "npy" {
            throw ValidationError("--output: the vectors are a NumPy array: give a name that ends in .npy.")
        }
    }

    func run() throws {
        switch format {
        case .onnx: try writeOnnx()
        case .vectors: try writeVectors()
        case .recbole: try writeReference()
        }
    }

    private func writeOnnx() throws {
        let destination = try FolderDestination(outputFolder(output, "--output"), OnnxFolder.kind)
        let folder = try openModel(model)
        try OnnxFolder.write(
            folder.model(on: CPUBackend()), items: folder.items, mark: folder.fingerprint, version: programVersion,
            to: destination)
        try report(folder, "\(OnnxFolder.step) and \(OnnxFolder.encode) in \(output)")
    }

    private func writeVectors() throws {
        let (url, ids) = (try outputFile(), ItemVectors.idsURL(beside: fileURL(output)))
        let isThere = { FileManager.default.fileExists(atPath: $0) }
        if isThere(ids.path), !isThere(url.path) || (try? Vocabulary.read(ids)) == nil {
            throw fail(
                .cannotCreate,
                "\(ids.lastPathComponent), where the ids belong, is there and not from an earlier export: choose another name"
            )
        }
        let folder = try openModel(model)
        try ItemVectors.write(folder.model(on: CPUBackend()), items: folder.items, to: url)
        try report(folder, "vectors in \(output), ids in \(ids.lastPathComponent) beside it")
    }

    private func writeReference() throws {
        let url = try outputFile()
        let folder = try openModel(model)
        let shape = folder.configuration
        try ReferenceCheckpoint.write(folder.model(on: CPUBackend()), to: url)
        if shape.repeatWindow > 0 {
            let heads = [shape.repeatAware ? "repeat-aware" : nil, shape.transitions ? "transition" : nil].compactMap(
                \.self)
            printError(
                "recblr: warning: the \(heads.joined(separator: " and the ")) head is left out, which the reference code does "
                    + "not have: its scores are those of this model without it")
        }
        let length = ReferenceCheckpoint.sequenceLength(warmupSteps: shape.warmupSteps)
        try report(folder, "\(output), for sequences padded to a length such as \(length)")
    }

    private func outputFile() throws -> URL {
        try checkPlace(output)
        return fileURL(output)
    }

    private func report(_ folder: ModelFolder, _ files: String) throws {
        try printOutput("\(counted(folder.items.count, "item")), \(describe(folder.configuration)): \(files)")
    }
}
