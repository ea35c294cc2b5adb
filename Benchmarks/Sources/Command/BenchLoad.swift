import ArgumentParser
import FileSupport
import Foundation
import Identifiers
import Report

struct BenchLoad: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load",
        abstract: "Load a server that runs already.",
        discussion: """
            Without --rate, each connection sends its next request as soon as the one before is answered.

            Example:

              recblr-bench load --port 8080 --items models/shop/items.tsv --rate 1000 --seconds 60
            """)

    @Option(help: "The server's port on 127.0.0.1.") var port: UInt16
    @Option(help: ArgumentHelp("The items.tsv of its model.", valueName: "file")) var items: String
    @Option(help: "What to ask for.") var kind = LoadKind.appendAndRecommend
    @Option(help: "Requests a second.") var rate: Double?
    @Option(help: "Connections to open.") var connections = 64
    @Option(help: "Users, named u0, u1 …") var users = 100_000
    @Option(help: "Length, after two seconds that do not count.") var seconds = 20.0
    @Option(help: ArgumentHelp("The server's process, for its memory and processor time.", valueName: "number"))
    var process: Int32 = 0
    @Option(help: ArgumentHelp("A folder on the disk of the store, to time `fsync`.", valueName: "folder"))
    var disk = "."
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard rate ?? 1 > 0 else { throw ValidationError("--rate must be more than 0.") }
        guard connections >= 1, users >= 1, seconds >= 1 else {
            throw ValidationError("--connections, --users and --seconds must be at least 1.")
        }
    }

    func run() throws {
        raiseConnectionLimit()
        let ids = Array(try Vocabulary.read(URL(fileURLWithPath: items)).ids)
        let load = Load(
            kind: kind, arrivals: rate.map { .open(perSecond: $0) } ?? .closed, connections: connections, users: users,
            items: ids, seconds: seconds)
        var generator = try LoadGenerator(load, to: ServerAddress(port: port), process: process)
        let outcome = try generator.run()
        var probe = DiskProbe(in: URL(fileURLWithPath: disk))
        try probe.measure()
        let figures = LoadFigures(
            "", .init(items: ids.count, durability: ""), load, outcome, fsync: probe.summary)
        try output.write(figures, text: ServiceFigures(machine: Machine(), loads: [figures]).text)
    }
}

extension LoadKind: ExpressibleByArgument {}
