import ArgumentParser
import FileSupport
import Foundation
import Report

struct BenchRanking: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ranking",
        abstract: "The ten best items of a catalogue, exactly, and the passes that move states.",
        discussion: """
            Random vectors of 64 floats on one thread, beside the best rate of the library's float32 products (sgemm) in the same \
            run. A first pass over a table rounded to bfloat16 gives the same results, bit for bit. Times are the thread's \
            processor time; the load of all threads at once is timed by the clock.

            Example:

              recblr-bench ranking
            """)

    @Option(help: "Items of the largest catalogue.") var items = 1_000_000
    @Option(help: "Threads of the load. (default: all cores)") var threads: Int?
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if items < 1 { throw ValidationError("--items must be at least 1.") }
        if let threads, threads < 1 { throw ValidationError("--threads must be at least 1.") }
    }

    func run() throws {
        let bench = try RankingBench(
            items: [3416, items], users: [1, 8, 32, 64],
            threads: threads ?? ProcessInfo.processInfo.activeProcessorCount, budget: 0.5)
        try output.write(bench, text: bench.text)
    }
}

extension RankingBench {
    var text: String {
        var table = TextTable(["Ten best items", "users", "first pass", "µs a user", "users/s", "of sgemm", "GB/s"])
        for each in rankings {
            let perUser = each.seconds / Double(each.users)
            table.add([
                "of \(grouped(each.items))", "\(each.users)", each.precision, fixed(1e6 * perUser, 1),
                grouped(Int(1 / perUser)), percent(each.shareOfPeak), fixed(each.bytesPerSecond / 1e9, 1),
            ])
        }
        var moves = TextTable(["States, 1 thread", "one step, µs", "events/s, 32 users", "events/s, 8 × 64 events"])
        for each in passes {
            moves.add([
                each.backend, fixed(1e6 * each.stepSeconds, 1), grouped(Int(each.eventsPerSecond32)),
                grouped(Int(each.eventsPerSecond512)),
            ])
        }
        return """
            \(machine.text)
            Best float32 product on one thread, GFLOP/s: \(fixed(libraryPeak / 1e9, 0)) by the library (sgemm), \
            \(fixed(orderedPeak / 1e9, 0)) with sums in one order

            \(table.text)

            \(load.threads) threads with \(load.users) users a batch, the largest catalogue: \
            \(grouped(Int(load.usersPerSecond))) users/s, nine in ten batches within \(fixed(1e3 * load.batchSeconds90, 1)) ms

            \(moves.text)
            """
    }
}
