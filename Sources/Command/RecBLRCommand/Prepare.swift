import ArgumentParser
import Events
import FileSupport
import Foundation
import Identifiers
import Interactions
import SQLiteLog
import Server

struct Prepare: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Turn an interaction log into a dataset.",
        discussion: """
            Reads csv, tsv, RecBole's .inter, MovieLens' ratings.dat, JSON Lines, or one sequence a line; each may be \
            compressed by gzip, bzip2 or Zstandard. Several files, folders of parts and standard input (-) make one log. Says on standard error how each \
            file was understood; docs/data.md explains the rules. Filters, sorts each user's events by time (ties keep file \
            order), numbers users and items, and writes a folder that the other commands map into memory. A long log takes \
            16 bytes an event of disk beside the output meanwhile.

            Example:

              recblr prepare ml-100k.inter --titles ml-100k.item --output data/ml-100k
              recblr prepare shop.csv.gz --user customer --item sku --timestamp when --output data/shop
              recblr prepare u.data --no-header --user 1 --item 2 --timestamp 4 --output data/ml-100k
              recblr prepare clicks/ --where type=purchase --titles products.csv --output data/bought
              unzip -p events.zip | recblr prepare - --format csv --output data/events
              recblr prepare --store shop.store --event-types play,buy --output data/shop
            """)

    @Argument(help: "The log: files, folders of parts, - for standard input.", transform: pathArgument) var inputs:
        [String] = []
    @Option(
        help: "Take the events of this store of `recblr serve`, which may go on, instead of a log.",
        transform: pathArgument)
    var store: String?
    @Option(help: "With --store: only events of these types, separated by commas. (default: all)") var eventTypes:
        String?
    @Option(
        name: .shortAndLong, help: "The dataset's folder. A dataset that is there is replaced, anything else refused.",
        transform: pathArgument)
    var output: String
    @Option(help: "csv, tsv, recbole, movielens, jsonl or sequences. (default: by the file's name and first lines)")
    var format: InputFormat?
    @Option(
        help: """
            What stands between fields: tab, comma, semicolon, pipe, space (runs of blanks) or the characters themselves. \
            (default: by the first lines)
            """)
    var delimiter: Delimiter?
    @Flag(
        inversion: .prefixedNo,
        help: "Whether the first line names the columns. Without names they go by number. (default: by the first lines)"
    )
    var header: Bool?
    @Option(help: "Column of users: its name, its number from 1, or a JSON key. (default: user_id, customer_id, …)")
    var user: String?
    @Option(help: "Column of items. (default: item_id, product_id, …)") var item: String?
    @Option(help: "Column of times, numbers or dates. (default: timestamp, event_time, created_at, …)")
    var timestamp: String?
    @Flag(help: "The order of the lines is the order of time, whatever times there are.") var fileOrder = false
    @Option(help: "Column of ratings. (default: rating, score, …)") var rating: String?
    @Option(
        name: .customLong("where"),
        help: """
            Keep only events whose column has this value: type=purchase. Again for other columns, or for other values of \
            the same.
            """)
    var conditions: [String] = []
    @Option(help: "Drop events rated lower than this.") var minRating: Double?
    @Option(
        help: """
            Drop exact duplicates (exact: same user, item and time) or these and events of the item that the user's event \
            before was of (consecutive). (default: none; their number is reported)
            """)
    var dedupe: Deduplication?
    @Option(help: "Drop users with fewer events than this, again and again with items until nothing changes.")
    var minUserEvents = 5
    @Option(help: "Drop items with fewer events than this.") var minItemEvents = 5
    @Option(
        help: """
            Titles of items, read as a log is: the column of items as in the log or by a usual name, tables or JSON Lines. Titles that a store \
            has itself come first.
            """, transform: pathArgument)
    var titles: String?
    @Option(help: "Column of titles. (default: title, name, product_name, …)") var titleColumn: String?
    @Flag(help: "Count malformed lines, of titles and of a store too, and go on instead of stopping at the first.")
    var skipBadLines = false
    @OptionGroup var json: JSONFlag

    func validate() throws {
        if minUserEvents < 1 || minItemEvents < 1 { throw ValidationError("Fewest events must be at least 1.") }
        if let minRating, !minRating.isFinite { throw ValidationError("--min-rating must be a number.") }
        if fileOrder, timestamp != nil { throw ValidationError("Give one of --timestamp and --file-order.") }
        if titleColumn != nil, titles == nil { throw ValidationError("--title-column needs --titles.") }
        if rating != nil, minRating == nil {
            throw ValidationError("--rating needs --min-rating: nothing else reads it.")
        }
        _ = try eventConditions()
        try validateSource()
    }

    private func validateSource() throws {
        guard store != nil else {
            if inputs.isEmpty { throw ValidationError("Missing expected argument '<inputs> ...'") }
            if eventTypes != nil { throw ValidationError("--event-types needs --store.") }
            return
        }
        let reads = format != nil || delimiter != nil || header != nil || user != nil || timestamp != nil || fileOrder
        if !inputs.isEmpty || reads || !conditions.isEmpty || minRating != nil {
            throw ValidationError("Give --store or a log: files and options of columns say nothing about a store.")
        }
    }

    private func eventConditions() throws -> [EventCondition] {
        var result: [EventCondition] = []
        for text in conditions {
            guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
                throw ValidationError("--where '\(text)' should be COLUMN=VALUE.")
            }
            let (column, value) = (String(text[..<equals]), String(text[text.index(after: equals)...]))
            if let known = result.firstIndex(where: { $0.column == column }) {
                result[known].values.append(value)
            } else {
                result.append(EventCondition(column: column, values: [value]))
            }
        }
        return result
    }

    func run() throws {
        let target = try outputFolder(output, "--output")
        try InteractionLog.checkReplaceable(target)
        if let store {
            let reader = try openStore(store)
            let names = try readTitles().merging(try titles(in: reader)) { $1 }
            let log = try readEvents(of: reader, store, spoolingTo: target.deletingLastPathComponent())
            return try prepare(log, names, source: "store \(fileURL(store).lastPathComponent)", to: target)
        }
        let sources = try logSources(inputs)
        let names = try readTitles()
        let progress = ReadingLine()
        var said: LogLayout?
        let log = try InteractionLog.read(sources, try readOptions(beside: target)) { layout in
            if said.map({ layout.isReadLike($0) }) != true { printError(text(layout)) }
            said = layout
        } progress: { (lines, fraction) throws(DatasetError) in
            try progress.show(lines, fraction)
        }
        progress.finish(log.report.lines)
        for text in log.doubts { printError("recblr: warning: " + text) }
        for text in log.warnings { printError("recblr: note: " + text) }
        let source =
            sources.count > 3
            ? "\(sources[0].name) and \(sources.count - 1) more" : sources.map(\.name).joined(separator: ", ")
        try prepare(log, names, source: source, to: target)
    }

    /// The titles that have been given to items.
    private func titles(in reader: SQLiteEventReader) throws -> [String: String] {
        var (titles, last) = ([String: String](), RawID?.none)
        while case let page = try reader.annotations(after: last, limit: 1000), let end = page.last?.item {
            for (item, note) in page { titles[item.text] = note.title }
            last = end
        }
        return titles
    }

    private func readEvents(
        of reader: SQLiteEventReader, _ store: String, spoolingTo folder: URL
    ) throws -> InteractionLog {
        let types = eventTypes.map(eventTypeSet)
        var log = InteractionLog(spoolingTo: folder)
        let progress = ReadingLine()
        let total = try reader.eventCount()
        var nextShown = 1 << 16
        try reader.forEachUser { user in
            try reader.forEachEvent(of: user, from: nil) { stored in
                guard types?.contains(RawID(stored.event.type)) ?? true else { return }
                let (nanoseconds, overflows) = stored.order.time.microseconds.multipliedReportingOverflow(by: 1000)
                guard overflows else {
                    return try log.add(user: user, item: stored.event.item, nanoseconds: nanoseconds)
                }
                guard skipBadLines else {
                    throw DatasetError.malformed(
                        path: store,
                        reason:
                            "the time \(stored.order.time.iso8601) of user \(user.text) is not of the years 1678 to 2261",
                        remedies: [.skipBadLines])
                }
                log.skip()
            }
            if log.report.lines >= nextShown {
                try progress.show(log.report.lines, Double(log.report.lines) / Double(max(1, total)))
                nextShown += 1 << 16
            }
        }
        try log.finishAdding(from: store)
        progress.finish(log.report.lines)
        return log
    }

    private func prepare(
        _ log: borrowing InteractionLog, _ names: [String: String], source: String, to target: URL
    ) throws {
        if titles != nil { say(log.match(names)) }
        let summary = try log.prepare(filters, titles: names, source: source, to: target)
        if let times = summary.times {
            sayOfTimes(times, summary, tiesAreIn: store == nil ? "file order" : "the log's order")
        }
        if json.isOn { try printJSON(summary) } else { try printOutput(describe(summary)) }
    }

    private func readOptions(beside target: URL) throws -> ReadOptions {
        var options = ReadOptions()
        options.format = format
        options.delimiter = delimiter
        options.hasHeader = header
        options.columns = ColumnNames(user: user, item: item, timestamp: timestamp, rating: rating)
        options.usesFileOrder = fileOrder
        options.conditions = try eventConditions()
        options.minimumRating = minRating
        options.skipsBadLines = skipBadLines
        options.temporaryFolder = target.deletingLastPathComponent()
        return options
    }

    private var filters: Filters {
        var filters = Filters()
        filters.minimumRating = minRating
        filters.duplicates = dedupe
        filters.minimumUserEvents = minUserEvents
        filters.minimumItemEvents = minItemEvents
        return filters
    }

    private func readTitles() throws -> [String: String] {
        guard let titles else { return [:] }
        var options = ReadOptions()
        options.columns.item = item
        options.skipsBadLines = skipBadLines
        return try Titles.read(
            .file(fileURL(titles)), options, titleColumn: titleColumn, understood: { printError(text($0)) },
            skipped: { printError("recblr: note: skipped: \(counted($0, "malformed line")) of titles") })
    }

    private func say(_ match: InteractionLog.TitleMatch) {
        if let example = match.example {
            printError(
                "recblr: warning: no title belongs to an item of the log: titles have ids like '\(example.title)', the log "
                    + "'\(example.item)'")
        } else if match.unmatched + match.untitled > 0 {
            printError(
                "recblr: note: \(counted(match.unmatched, "title")) without an item of the log, \(counted(match.untitled, "item")) "
                    + "without a title")
        }
    }
}
