import ArgumentParser
import FileSupport
import Foundation
import Report

struct BenchServe: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Put `recblr serve` under load, beside the figures that it should reach.",
        discussion: """
            Starts servers on models that were never trained (their speed is that of trained ones) and new stores, and loads them \
            from this process over loopback: server and load share the machine. Users and items follow Zipf's law. With open \
            arrivals, requests are due at moments of a Poisson process and their time counts from then, so that waiting counts. \
            `fsync` is timed on the same disk just before and after each load.

            Example:

              recblr-bench serve --seconds 600 --only latency
            """)

    @Option(help: ArgumentHelp("The program to measure.", valueName: "file")) var program = ".build/release/recblr"
    @Option(help: "Length of each load.") var seconds = 20.0
    @Option(help: "Users of the scenario `users`.") var users = 100_000
    @Option(help: ArgumentHelp("Only this; can be repeated.", valueName: "scenario"))
    var only: [ServiceBench.Scenario] = []
    @Option(
        help: ArgumentHelp("For models and stores, on the disk to measure; emptied afterwards.", valueName: "folder"))
    var workplace = ".build/bench-serve"
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard seconds >= 1 else { throw ValidationError("--seconds must be at least 1.") }
        guard users >= 1000 else { throw ValidationError("--users must be at least 1000.") }
        guard FileManager.default.isExecutableFile(atPath: program) else {
            throw ValidationError("--program: \(program) is no program; build it with `make build`.")
        }
    }

    func run() throws {
        raiseConnectionLimit()
        let folder = URL(fileURLWithPath: workplace)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        var bench = ServiceBench(
            program: URL(fileURLWithPath: program), folder: folder, loadSeconds: seconds, users: users)
        for scenario in only.isEmpty ? ServiceBench.Scenario.allCases : only {
            printToError("Measuring: \(scenario.rawValue)")
            try bench.run(scenario)
        }
        try FileManager.default.removeItem(at: folder)
        try output.write(bench.figures, text: bench.figures.text)
    }
}

extension ServiceBench.Scenario: ExpressibleByArgument {}

private func printToError(_ line: String) { FileHandle.standardError.write(Data((line + "\n").utf8)) }

extension ServiceFigures {
    var text: String { "\(machine.text), \(counted(machine.cores, "core"))\n\n\(loadText)\n\n\(goalText)" }

    private var loadText: String {
        var table = TextTable([
            "Load", "items", "durability", "connections", "a second", "p50, ms", "p90", "p99", "longest", "failures",
            "server, cores", "MB", "fsync p50, ms", "p99",
        ])
        for load in loads {
            table.add(
                [
                    "\(load.kind.rawValue): \(load.name)", grouped(load.setting.items), load.setting.durability,
                    grouped(load.connections), grouped(Int(load.perSecond)),
                ] + [load.latency.p50, load.latency.p90, load.latency.p99, load.latency.longest].map { fixed($0, 2) }
                    + [
                        grouped(load.failures), fixed(load.serverCores, 2), fixed(load.windows.last!.megabytes, 0),
                        fixed(load.fsync.p50, 2), fixed(load.fsync.p99, 2),
                    ])
        }
        return table.text
    }

    private var goalText: String {
        var table = TextTable(["Goal", "measured", "", "limit", "unit", ""])
        for goal in goals {
            table.add([
                goal.name, fixed(goal.measured, 2), goal.isAtMost ? "≤" : "≥", fixed(goal.limit, 2), goal.unit,
                goal.isReached ? "reached" : "MISSED",
            ])
        }
        return table.text
    }
}
