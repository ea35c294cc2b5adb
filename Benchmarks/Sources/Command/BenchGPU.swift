import ArgumentParser
import CUDABackend
import FileSupport
import Foundation
import Report

struct BenchGPU: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gpu",
        abstract: "Measure a GPU beside its own limits.",
        discussion: """
            The gated scan beside a copy in the device's memory, training on data in the shape of MovieLens-1M, the ten best \
            of a million items for 256 users, and one sequence against its length. scripts/bench-gpu.sh sets PyTorch \
            beside it.

            Example:

              recblr-bench gpu --output gpu.json
            """)

    @Option(help: ArgumentHelp("Which GPU, from 0.", valueName: "number")) var gpu = 0
    @Flag(help: "Small sizes, to see that it works; the figures mean nothing.") var tiny = false
    @OptionGroup var output: OutputOptions

    func run() throws {
        let backend = try CUDABackend(ordinal: gpu)
        let bench = try GPUBench(backend, tiny ? .tiny : .full)
        try output.write(bench, text: bench.text, keys: Self.keys)
    }

    /// Keys in snake_case, which the script that reads them expects.
    static let keys = JSONEncoder.KeyEncodingStrategy.convertToSnakeCase
}

extension GPUBench {
    var text: String {
        var scanTable = TextTable(["Gated scan", "ms", "GB/s", "of a copy"])
        for scan in scans {
            scanTable.add([
                "\(scan.shape) \(scan.direction), decays \(scan.decays.rawValue)", fixed(scan.seconds * 1e3, 3),
                fixed(Double(scan.bytes) / scan.seconds / 1e9, 0), percent(scan.shareOfCopy),
            ])
        }
        var trainingTable = TextTable(["Training", "tokens/s", "epoch, s"])
        for rate in training {
            trainingTable.add([
                "\(rate.precision), \(grouped(rate.tokensAStep)) a step", grouped(Int(rate.tokensPerSecond)),
                fixed(rate.epochSeconds, 2),
            ])
        }
        var lengthTable = TextTable(["Events, forward and backward", "ms", "MB"])
        for length in lengths {
            lengthTable.add([
                grouped(length.tokens), fixed(length.seconds * 1e3, 2), fixed(Double(length.bytes) / 1e6, 1),
            ])
        }
        return """
            \(device), copy \(fixed(copyGigabytesPerSecond, 0)) GB/s

            \(scanTable.text)

            \(trainingTable.text)

            Top 10 of \(grouped(topK.items)) items for \(topK.users) users: \(fixed(topK.seconds * 1e3, 2)) ms

            \(lengthTable.text)
            """
    }
}
