public import ArgumentParser
import CPUBackend
import FileSupport
import Foundation
public import Tensors

@main
struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "recblr-bench",
        abstract: "Measure training and serving beside this machine's limits.",
        discussion: """
            Everything runs on data made here, the default model and 3,416 items, in the shape of MovieLens-1M. The limit \
            of training is the FLOPs of its products divided by what products at the shape of the widest layer reach on \
            one thread, in the same precision and the same run, times the threads. An operation's own limit is the \
            larger of its arithmetic at the best product's rate and the bytes it must at least move at the rate of a \
            copy with the same working set; both and the operations are timed by their thread's processor time, the rest by \
            the clock. Ratios travel between machines; times do not.

            Example:

              recblr-bench --threads 2 --output results.json
            """,
        subcommands: [
            BenchScans.self, BenchLengths.self, BenchRanking.self, BenchGPU.self, BenchServe.self, BenchLoad.self,
        ])

    @Option(help: "Threads to use. (default: all cores)")
    var threads: Int?
    @Option(help: "Precision of the table of operations; training is measured in all that the processor has.")
    var precision = Precision.float32
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if let threads, threads < 1 { throw ValidationError("--threads must be at least 1.") }
        guard precision.isAvailable else {
            throw ValidationError("--precision: this processor has no \(precision.rawValue) products.")
        }
    }

    func run() throws {
        let report = try BenchReport(
            threads: threads ?? ProcessInfo.processInfo.activeProcessorCount, precision: precision)
        try output.write(report, text: report.text)
    }
}

extension Precision: ExpressibleByArgument {}

/// The output of measurements.
struct OutputOptions: ParsableArguments {
    @Option(help: "Also write everything to this file, as JSON.") var output: String?
    @Flag(help: "Print the result as JSON on standard output.") var json = false

    /// Opens the file before measuring, which takes minutes.
    func validate() throws {
        guard let output else { return }
        do { _ = try FileWriter(URL(fileURLWithPath: output)) } catch {
            throw ValidationError("--output: \(error)")
        }
    }

    func write(
        _ report: some Encodable, text: String, keys: JSONEncoder.KeyEncodingStrategy = .useDefaultKeys
    ) throws {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = keys
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let content = String(decoding: try encoder.encode(report), as: UTF8.self)
        if let output { try writeFile((content + "\n").utf8, to: URL(fileURLWithPath: output)) }
        print(json ? content : text)
    }
}
