import ErrorSupport
import Events
import Foundation
import Identifiers
import SQLiteLog

/// What an import has done.
struct ImportReport: Encodable {
    /// Lines that were read, and those that were no events.
    var lines = 0
    var skippedLines = 0
    /// Events that are new in the store, and those that were there already.
    var events = 0
    var duplicates = 0
    /// Events without an id: importing them again stores them again.
    var withoutID = 0
    /// What the store holds now.
    var eventsInStore = 0

    var text: String {
        [
            "Imported  \(counted(events, "event"))"
                + (duplicates > 0 ? ", \(grouped(duplicates)) more were there already" : ""),
            skippedLines > 0 ? "Skipped   \(counted(skippedLines, "malformed line"))" : nil,
            "Store     \(counted(eventsInStore, "event"))",
        ].compactMap { $0 }.joined(separator: "\n")
    }
}

/// Adds events to a log, many in one transaction.
struct LogImporter {
    var report = ImportReport()
    private let log: SQLiteEventLog
    private var waiting: [NewEvent] = []
    private let line = StatusLine(plainInterval: .seconds(10))
    private let now = Timestamp(microseconds: Int64(Date().timeIntervalSince1970 * 1_000_000))
    private static let size = 5000

    init(_ log: SQLiteEventLog) { self.log = log }

    mutating func add(_ event: NewEvent) throws {
        if event.id == nil { report.withoutID += 1 }
        waiting.append(event)
        if waiting.count >= Self.size { try commit() }
    }

    /// Commits what waits.
    mutating func finish() throws {
        try commit()
        report.eventsInStore = try log.eventCount()
        try? log.purgeDeleted()  // leaves all in one file, where nobody reads
    }

    private mutating func commit() throws {
        guard !waiting.isEmpty else { return }
        let events = waiting
        waiting.removeAll(keepingCapacity: true)
        switch try log.commit([.append(events)], now: now)[0] {
        case .success(.appended(let appended)):
            let duplicates = appended.count { $0.isDuplicate }
            report.duplicates += duplicates
            report.events += appended.count - duplicates
        case .failure(let refusal): throw fail(.badData, sentence(refusal, events))
        case .success: break
        }
        let count = report.events
        line.show(["Imported \(counted(count, "event"))", grouped(count)])
    }

    private func sentence(_ refusal: ChangeRefusal, _ events: [NewEvent]) -> String {
        switch refusal {
        case .otherContent(let index, _):
            "an event of the store has the eventId \(events[index].id?.text ?? "") of user \(events[index].user), but says something else"
        case .tooFarAhead(let index, _):
            "an event of user \(events[index].user) is more than \(EventLogRules.secondsAhead / 60) minutes in the future"
        case .notFound, .outdated: "the store refuses the events"
        }
    }
}
