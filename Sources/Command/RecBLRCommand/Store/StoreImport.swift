import ArgumentParser
import ErrorSupport
import Events
import FileSupport
import Foundation
import Identifiers
import Interactions
import SQLiteLog
import Server

struct StoreImport: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Put an interaction log into a store.",
        discussion: """
            Reads what `recblr prepare` reads, and what `recblr store export` writes; says on standard error how each file was \
            understood. A new store is there whole or not at all. With --append the events join those of a store that no \
            server uses meanwhile. Events with an id (--event-id, or eventId with --events) that are imported again are stored \
            once; events without are stored again, and how many they are is said.

            Example:

              recblr store import ratings.csv --store shop.store
              recblr store import clicks/ --type click --store shop.store --append
              recblr store import shop.csv.gz --type-column action --event-id uuid --store shop.store --append
              recblr store export --store old.store | recblr store import - --events --store new.store
            """)

    @Argument(help: "The log: files, folders of parts, - for standard input.", transform: pathArgument) var inputs:
        [String]
    @Option(help: "The store's folder.", transform: pathArgument) var store: String
    @Flag(help: "Add to a store that is there.") var append = false
    @Flag(
        help: """
            The lines are events as `recblr store export` writes them and POST /v1/events takes them: types, values and \
            eventIds are kept.
            """)
    var events = false
    @Option(help: "The type of all events. (default: event)") var type: String?
    @Option(help: "csv, tsv, recbole, movielens, jsonl or sequences. (default: by the file's name and first lines)")
    var format: InputFormat?
    @Option(help: "What stands between fields. (default: by the first lines)") var delimiter: Delimiter?
    @Flag(inversion: .prefixedNo, help: "Whether the first line names the columns. (default: by the first lines)")
    var header: Bool?
    @Option(help: "Column of users: its name, its number from 1, or a JSON key. (default: user_id, customer_id, …)")
    var user: String?
    @Option(help: "Column of items. (default: item_id, product_id, …)") var item: String?
    @Option(help: "Column of times, numbers or dates. (default: timestamp, event_time, created_at, …)")
    var timestamp: String?
    @Option(help: "Column of the events' types, instead of one --type for all.") var typeColumn: String?
    @Option(
        help: """
            Column of the events' ids, unique per user: an event that is imported again is stored once. Where the field is \
            empty, the event has none.
            """)
    var eventId: String?
    @Flag(help: "The order of the lines is the order of time; all events get the time of the import.")
    var fileOrder = false
    @Flag(help: "Count malformed lines and go on instead of stopping at the first.") var skipBadLines = false
    @OptionGroup var json: JSONFlag

    func validate() throws {
        if fileOrder, timestamp != nil { throw ValidationError("Give one of --timestamp and --file-order.") }
        let columns = [user, item, timestamp, typeColumn, eventId]
        let reads = format != nil || delimiter != nil || header != nil || columns.contains { $0 != nil }
        if events, reads || fileOrder || type != nil {
            throw ValidationError(
                "--events says what the lines are: leave the options of formats, columns and types out.")
        }
        if type != nil, typeColumn != nil { throw ValidationError("Give one of --type and --type-column.") }
        if let type, type.isEmpty { throw ValidationError("--type is empty.") }
    }

    func run() throws {
        let sources = try logSources(inputs)
        let report: ImportReport
        if append {
            _ = try openStore(store)  // an empty one is not made where a path is misspelt
            report = try fill(try SQLiteEventLog(fileURL(store)), sources)
        } else {
            let destination = try newFolder()
            report = try building(destination) { try fill(try SQLiteEventLog($0, durability: .relaxed), sources) }
        }
        if report.withoutID > 0 {
            printError(
                "recblr: note: \(counted(report.withoutID, "event")) without an id: imported again, they are stored again"
                    + (events
                        ? ""
                        : " (--event-id names the column of ids, --events reads what `recblr store export` writes)"))
        }
        if json.isOn { try printJSON(report) } else { try printOutput(report.text) }
    }

    private func newFolder() throws -> FolderDestination {
        try newStoreFolder(store, "--store", instead: "give --append to add to it")
    }

    /// Calls `body` with a folder that becomes the destination where it does not throw.
    private func building(
        _ destination: FolderDestination, _ body: (URL) throws -> ImportReport
    ) throws -> ImportReport {
        var result: Result<ImportReport, any Error>?
        do {
            try writeFolder(destination, wrap: { EventLogError.unavailable($0.description) }) {
                (folder) throws(EventLogError) in
                let built = Result { try body(folder) }
                result = built
                if case .failure = built { throw .unavailable("the import has stopped") }
            }
        } catch {
            if case .failure(let cause) = result { throw cause }
            _ = try newFolder()  // says so where another import was quicker
            throw error
        }
        return try result!.get()
    }

    private func fill(_ log: SQLiteEventLog, _ sources: [LogSource]) throws -> ImportReport {
        var importer = LogImporter(log)
        if events { try readEvents(sources, &importer) } else { try readLog(sources, &importer) }
        try importer.finish()
        return importer.report
    }

    private func readEvents(_ sources: [LogSource], _ importer: inout LogImporter) throws {
        for source in sources {
            var lines = try LineReader(source)
            while let line = try lines.next() {
                importer.report.lines += 1
                if line.allSatisfy({ $0 == 0x20 || $0 == 0x0D }) { continue }
                do { try importer.add(try EventLines.event(Array(line))) } catch let refusal as EventLines.Refusal {
                    guard skipBadLines else {
                        throw fail(.badData, "\(source.path), line \(importer.report.lines): \(refusal.reason)")
                    }
                    importer.report.skippedLines += 1
                }
            }
        }
    }

    private func readLog(_ sources: [LogSource], _ importer: inout LogImporter) throws {
        var options = ReadOptions()
        (options.format, options.delimiter, options.hasHeader) = (format, delimiter, header)
        options.columns = ColumnNames(user: user, item: item, timestamp: timestamp)
        (options.columns.type, options.columns.eventID) = (typeColumn, eventId)
        (options.usesFileOrder, options.skipsBadLines) = (fileOrder, skipBadLines)
        var said: LogLayout?
        let progress = ReadingLine()
        let log = try InteractionLog.read(sources, options) { layout in
            if said.map({ layout.isReadLike($0) }) != true { printError(text(layout)) }
            said = layout
        } progress: { (lines, fraction) throws(DatasetError) in
            try progress.show(lines, fraction)
        }
        progress.finish(log.report.lines)
        (importer.report.lines, importer.report.skippedLines) = (log.report.lines, log.report.skippedLines)
        if let meaning = log.meaningOfTimes, !meaning.areDates {
            throw fail(
                .badData,
                "the times are \(meaning.text), not moments: give --file-order if the lines are in order of time")
        }
        var failure: (any Error)?
        try log.forEach { logged in
            guard failure == nil else { return }
            let event = NewEvent(
                user: logged.user, item: logged.item, type: logged.type ?? type ?? NewEvent.defaultType,
                time: logged.nanoseconds.map { Timestamp(microseconds: $0 / 1000) }, id: logged.eventID)
            do { try add(event, &importer) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    /// Adds an event of a log, which may have identifiers that no store can have.
    private func add(_ event: NewEvent, _ importer: inout LogImporter) throws {
        guard let refusal = EventLines.refusal(of: event) else { return try importer.add(event) }
        guard skipBadLines else { throw fail(.badData, "\(inputs.joined(separator: ", ")): \(refusal)") }
        importer.report.skippedLines += 1
    }
}

extension LineReader {
    fileprivate init(_ source: LogSource) throws(FileError) {
        switch source {
        case .file(let url): try self.init(url)
        case .standardInput: self.init(standardInput: ())
        }
    }
}
