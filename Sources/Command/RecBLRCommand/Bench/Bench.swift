import ArgumentParser
import Benchmarks
import CPUBackend
import FileSupport
import Foundation
import Tensors

struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure training and serving beside this machine's limits.",
        discussion: """
            Everything runs on data made here, the default model and 3,416 items, in the shape of MovieLens-1M. The limit \
            of training is the FLOPs of its products divided by what products at the shape of the widest layer reach on \
            one thread, in the same precision and the same run, times the threads. An operation's own limit is the \
            larger of its arithmetic at the best product's rate and the bytes it must at least move at the rate of a \
            copy with the same working set; both and the operations are timed by their thread's processor time, the rest by \
            the clock. Ratios travel between machines; times do not.

            Example:

              recblr bench --threads 2 --output results.json
            """,
        subcommands: [BenchScans.self, BenchLengths.self, BenchGPU.self])

    @OptionGroup var threads: ThreadsOption
    @Option(help: "Precision of the table of operations; training is measured in all that the processor has.")
    var precision = Precision.float32
    @OptionGroup var output: BenchOutput

    func run() throws {
        try reportingErrors {
            let report = try BenchReport(threads: threads.count, precision: try precision.onThisProcessor())
            try output.give(report, text: report.text)
        }
    }
}

/// Where measurements go.
struct BenchOutput: ParsableArguments {
    @Option(help: "Also write everything to this file, as JSON.", transform: pathArgument) var output: String?
    @OptionGroup var json: JSONFlag

    /// Said before a minute of measuring, not after.
    func validate() throws {
        guard let output else { return }
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: fileURL(output).path, isDirectory: &isFolder), isFolder.boolValue {
            throw ValidationError("--output: \(output) is a folder, expected a file.")
        }
        let folder = fileURL(output).deletingLastPathComponent().path
        guard FileManager.default.isWritableFile(atPath: folder) else {
            throw ValidationError("--output: the folder \(folder) is not there or cannot be written to.")
        }
        do {
            if let reason = try reasonAgainst(output) { throw ValidationError("--output \(reason).") }
            _ = try FileWriter(fileURL(output))
        } catch let error as FileError { throw ValidationError("--output: \(error)") }
    }

    func give(
        _ report: some Encodable, text: String, keys: JSONEncoder.KeyEncodingStrategy = .useDefaultKeys
    ) throws {
        let content = try jsonText(report, keys: keys)
        if let output { try writeFile(content.utf8, to: fileURL(output)) }
        try printOutput(json.isOn ? content : text + "\n", terminator: "")
    }
}
