import ArgumentParser
import Events
import FileSupport
import Foundation
import SQLiteLog

struct StoreBackup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Copy a store, also while a server uses it.",
        discussion: """
            The copy is the store of one moment, whole or not at all, and checked. To restore it, stop the server and put the \
            copy in the store's place. A backup keeps what is deleted from the store later: delete old backups too.

            Example:

              recblr store backup --store shop.store --output backups/2026-11-26
            """)

    @Option(help: "The store's folder.", transform: pathArgument) var store: String
    @Option(name: .shortAndLong, help: "The folder of the copy, where no store is yet.", transform: pathArgument)
    var output: String
    @OptionGroup var json: JSONFlag

    private struct Report: Encodable {
        var events: Int
        var bytes: Int
    }

    func run() throws {
        let reader = try openStore(store)
        let destination = try newStoreFolder(output, "--output", instead: "choose another folder")
        let line = StatusLine(plainInterval: .seconds(10))
        var events = 0
        try writeFolder(destination, wrap: { EventLogError.unavailable($0.description) }) {
            (folder) throws(EventLogError) in
            events = try reader.backup(to: folder) { line.show(["Copied \(Int(100 * $0)) %", "\(Int(100 * $0)) %"]) }
        }
        let file = destination.url.appendingPathComponent(SQLiteEventReader.fileName)
        let size = try FileManager.default.attributesOfItem(atPath: file.path)[.size] as? Int ?? 0
        let report = Report(events: events, bytes: size)
        if json.isOn {
            try printJSON(report)
        } else {
            try printOutput("Copied    \(counted(report.events, "event")), \(grouped(report.bytes)) bytes")
        }
    }
}
