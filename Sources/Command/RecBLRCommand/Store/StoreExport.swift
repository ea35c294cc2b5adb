import ArgumentParser
import Events
import FileSupport
import Foundation
import Identifiers
import SQLiteLog
import Server

struct StoreExport: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write the events of a store as lines of JSON.",
        discussion: """
            One event a line, user by user in order of time, with the names of the API, also while a server uses the store. \
            `recblr store import --events` reads them back identically, and `recblr prepare` reads them too. Annotations of \
            items and users' profiles are not events: `recblr store backup` copies everything.

            Example:

              recblr store export --store shop.store --output events.jsonl
              recblr store export --store shop.store --event-types buy,play --from 2026-01-01T00:00:00Z | gzip > events.jsonl.gz
            """)

    @Option(help: "The store's folder.", transform: pathArgument) var store: String
    @Option(
        name: .shortAndLong,
        help: "The file, - for standard output. A file that is there is replaced when all is written.",
        transform: pathArgument)
    var output = "-"
    @Option(help: "Only events of these types, separated by commas.") var eventTypes: String?
    @Option(help: "Only events at this time or later: 2026-01-01T00:00:00Z.") var from: String?
    @OptionGroup var json: JSONFlag

    private struct Report: Encodable {
        var users = 0
        var events = 0
    }

    func validate() throws {
        if json.isOn, output == "-" { throw ValidationError("--json needs --output: standard output has the events.") }
        if let from, EventLines.time(from) == nil {
            throw ValidationError("--from '\(from)' should be a time with its zone, as in 2026-01-01T00:00:00Z.")
        }
    }

    func run() throws {
        let reader = try openStore(store)
        if output == "-" {
            _ = try export(reader) { try printOutput(String(decoding: $0, as: UTF8.self), terminator: "") }
            return
        }
        var file = try createdFile(output)
        let report = try export(reader) { try file.append($0) }
        try file.commit()
        let text = "Exported  \(counted(report.events, "event")) of \(counted(report.users, "user"))"
        if json.isOn { try printJSON(report) } else { try printOutput(text) }
    }

    private func export(_ reader: SQLiteEventReader, _ write: ([UInt8]) throws -> Void) throws -> Report {
        var report = Report()
        let types = eventTypes.map(eventTypeSet)
        let line = StatusLine(plainInterval: .seconds(10))
        let total = try reader.eventCount()
        let start = from.flatMap(EventLines.time)
        try reader.forEachUser { user in
            var hasAny = false
            try reader.forEachEvent(of: user, from: start) { stored in
                guard types?.contains(RawID(stored.event.type)) ?? true else { return }
                try write(EventLines.line(stored))
                report.events += 1
                hasAny = true
            }
            if hasAny { report.users += 1 }
            let done = report.events
            if output != "-" { line.show(["Exported \(grouped(done)) of \(counted(total, "event"))", grouped(done)]) }
        }
        return report
    }
}

/// The names in a list with commas.
func eventTypeSet(_ list: String) -> Set<RawID> {
    Set(list.split(separator: ",").map { RawID($0.trimmingCharacters(in: .whitespaces)) })
}

extension SQLiteEventReader {
    /// Calls `body` with every user, by the bytes of their ids. Each part is read at a moment of its own, so that a long walk holds nothing
    /// up.
    func forEachUser(_ body: (RawID) throws -> Void) throws {
        var last: RawID?
        while case let part = try users(after: last, limit: 1000), let end = part.last?.user {
            for (user, _) in part { try body(user) }
            last = end
        }
    }

    /// Calls `body` with every event of a user at `from` or later, in order.
    func forEachEvent(of user: RawID, from: Timestamp?, _ body: (StoredEvent) throws -> Void) throws {
        var last = from.map { EventOrder(time: $0, position: .min) }
        while case let part = try events(of: user, after: last, limit: 10_000), let end = part.last?.order {
            for event in part { try body(event) }
            last = end
            if part.count < 10_000 { return }
        }
    }
}
