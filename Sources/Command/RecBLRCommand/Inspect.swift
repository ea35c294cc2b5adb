import ArgumentParser
import CPUBackend
import ErrorSupport
import FileSupport
import Foundation
import Identifiers
import Interactions
import Layers
import ModelStore
import Models
import Training

struct Inspect: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say what a model's or dataset's folder holds.",
        discussion: """
            Example:

              recblr inspect models/ml-100k
              recblr inspect data/ml-100k --json
            """)

    @Argument(help: "The folder.", transform: pathArgument) var folder: String
    @Flag(help: "Read every file to its end and compare it with its checksum.") var verify = false
    @OptionGroup var json: JSONFlag

    func run() throws {
        let url = fileURL(folder)
        switch try kind(of: url) {
        case .dataset:
            let data = try Dataset.open(url)
            if verify { try check(data.summary.files, url) }
            if json.isOn { try printJSON(data.summary) } else { try printOutput(describe(data.summary)) }
        case .model:
            let model = try ModelFolder.open(url)
            if verify {
                try check(model.checksums, url)
                _ = try model.model(on: CPUBackend())
            }
            try inspectModel(model)
        case nil:
            throw fail(.noInput, "\(folder) is neither a dataset's nor a model's folder")
        }
    }

    private enum Kind { case dataset, model }

    private func kind(of url: URL) throws -> Kind? {
        try FolderReader.read(url, marker: nil, wrap: { $0 as any Error }) { folder in
            if try folder.has(Dataset.folder.marker) { return .dataset }
            return try folder.has(ModelFolder.File.folder.marker) ? .model : nil
        }
    }

    /// Throws unless every file has its checksum; prints a warning where there are none.
    private func check(_ checksums: FileChecksums?, _ url: URL) throws {
        guard let checksums else { return printError("recblr: warning: " + withoutChecksums(folder)) }
        try FolderReader.read(url, marker: nil, wrap: { $0 as any Error }) { try $0.check(checksums) }
        printError("All \(checksums.count + 1) files are as they were written.")
    }

    private struct ModelSummary: Encodable {
        var configuration: ModelConfiguration
        var fingerprint: String
        var weights: Int
        var stateBytes: Int
        var training: TrainingRecord?
    }

    private func inspectModel(_ model: ModelFolder) throws {
        let record = try TrainingRecord.read(model)
        let shape = model.configuration
        let count = shape.layout.entries.reduce(0) { $0 + $1.count }
        if json.isOn {
            return try printJSON(
                ModelSummary(
                    configuration: shape, fingerprint: model.fingerprint, weights: count,
                    stateBytes: 4 * shape.stateSize, training: record))
        }
        try printOutput(
            """
            Items     \(grouped(shape.itemCount))\(model.items.titles.isEmpty ? "" : ", with titles")
            Shape     \(describe(shape))
            Weights   \(grouped(count))
            State     \(grouped(4 * shape.stateSize)) bytes per user
            Mark      \(try model.fingerprint)
            """)
        if shape.usesTime { try printOutput("Time      \(fadingText(try model.model(on: CPUBackend())))") }
        guard let record else { return }
        try printOutput(
            "Trained   epoch \(record.bestEpoch) of \(record.epochs.count), seed \(record.options.seed), data \(record.dataset)"
        )
        if let origin = record.origin {
            try printOutput("From      \(describe(origin, "the model with mark \(origin.model)"))")
        }
        if let teachers = record.teachers {
            try printOutput("Teachers  \(teachers.count), with marks \(teachers.joined(separator: ", "))")
        }
        if record.test != nil { try printOutput("\n" + metricsTable(record.reports)) }
    }
}

/// How much of the last layer's state is left when a model with time is asked some time after the last event: the mean over its channels.
private func fadingText(_ model: SequenceModel) -> String {
    let spans: [(name: String, seconds: Double)] = [("an hour", 3600), ("a day", 86_400), ("a month", 30 * 86_400)]
    let shares = spans.map { span in
        "\(fixed(100 * model.meanFading(after: span.seconds), 1)) % after \(span.name)"
    }
    return "of the last layer's state is left, when asked, " + shares.joined(separator: ", ")
}

/// The hyperparameters of a model in a few words.
func describe(_ shape: ModelConfiguration) -> String {
    let sizes = "D \(shape.hiddenSize), L \(shape.layerCount)"
    let mixer =
        switch shape.mixer {
        case .bdlru: "E \(shape.expansion), K \(shape.convolutionWidth)"
        case .attention: "attention over \(shape.attentionWindow) events"
        case .lru: "E \(shape.expansion), LRU"
        }
    return "\(sizes), \(mixer)"
        + (shape.repeatAware ? ", repeat-aware head" : "")
        + (shape.usesTime ? ", time" : "")
        + (shape.feedForward ? "" : ", no feed-forward")
        + (shape.block == .full ? "" : ", bare recurrence")
        + (shape.transitions ? ", transition head" : "")
}
