import ArgumentParser
import Foundation
import Interactions

struct Prepare: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Turn an interaction log into a dataset.",
        discussion: """
            Reads csv, tsv, RecBole's .inter, MovieLens' ratings.dat, JSON Lines, or one sequence a line; each may be \
            gzipped. Filters, sorts each user's events by time (ties keep file order), numbers users and items, and \
            writes a folder that the other commands map into memory. A long log takes 16 bytes an event of disk beside the \
            output meanwhile.

            Example:

              recblr prepare ml-100k.inter --titles ml-100k.item --output data/ml-100k
              recblr prepare shop.csv.gz --user customer --item sku --timestamp when --output data/shop
            """)

    @Argument(help: "The log.") var input: String
    @Option(
        name: .shortAndLong, help: "The dataset's folder. A dataset that is there is replaced, anything else refused.")
    var output: String
    @Option(help: "csv, tsv, recbole, movielens, jsonl or sequences. (default: by the file's name)")
    var format: InputFormat?
    @Option(help: "Column of users. (default: user_id, user, …)") var user: String?
    @Option(help: "Column of items. (default: item_id, item, …)") var item: String?
    @Option(help: "Column of times, numbers or ISO 8601. (default: timestamp, time, …; file order if there is none)")
    var timestamp: String?
    @Option(help: "Column of ratings. (default: rating, score, …)") var rating: String?
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
    @Option(help: "Table of item titles (.item, csv, tsv or MovieLens' movies.dat).") var titles: String?
    @Option(help: "Column of titles. (default: title, movie_title, name, …)") var titleColumn: String?
    @Flag(help: "Count malformed lines and go on instead of stopping at the first.") var skipBadLines = false
    @OptionGroup var json: JSONFlag

    func validate() throws {
        if minUserEvents < 1 || minItemEvents < 1 { throw ValidationError("Fewest events must be at least 1.") }
        if let minRating, !minRating.isFinite { throw ValidationError("--min-rating must be a number.") }
    }

    func run() throws {
        try reportingErrors {
            var options = ReadOptions()
            options.format = format
            options.columns = ColumnNames(user: user, item: item, timestamp: timestamp, rating: rating)
            options.minimumRating = minRating
            options.skipsBadLines = skipBadLines
            var filters = Filters()
            filters.minimumRating = minRating
            filters.duplicates = dedupe
            filters.minimumUserEvents = minUserEvents
            filters.minimumItemEvents = minItemEvents
            let (source, target) = (fileURL(input), fileURL(output).standardizedFileURL)
            options.temporaryFolder = target.deletingLastPathComponent()
            try InteractionLog.checkReplaceable(target)
            let names = try titles.map { try Titles.read(fileURL($0), titleColumn: titleColumn) } ?? [:]
            let progress = ReadingLine()
            let log = try InteractionLog.read(source, options, progress: progress.show)
            progress.finish(log.report.lines)
            let summary = try log.prepare(filters, titles: names, source: source.lastPathComponent, to: target)
            if let times = summary.times { sayOfTimes(times, summary) }
            if json.isOn { try printJSON(summary) } else { try printOutput(describe(summary)) }
        }
    }
}

/// What the times were taken for, and a warning where they say little of the order.
private func sayOfTimes(_ times: TimeSummary, _ summary: DatasetSummary) {
    printError("times: \(times.meaning)" + (times.areDates ? ", from \(times.days.first) to \(times.days.last)" : ""))
    if times.mostlyTiedUsers * 20 >= summary.users {
        printError(
            "recblr: warning: for \(grouped(times.mostlyTiedUsers)) of \(grouped(summary.users)) users at least half of the events "
                + "share their time with another; these stand in the order of the file")
    }
}

/// A dataset in a few lines.
func describe(_ summary: DatasetSummary) -> String {
    var lines = [
        "Users     \(grouped(summary.users))",
        "Items     \(grouped(summary.items))",
        "Events    \(grouped(summary.events)) (\(fixed(Double(summary.events) / Double(summary.users), 1)) a user, "
            + "density \(fixed(100 * summary.density, 3)) %)",
        "Times     \(describeTimes(summary))",
    ]
    if let source = summary.source { lines.append("Source    \(source)") }
    if let report = summary.report {
        let duplicates = [
            (report.droppedDuplicates, "exact duplicates"), (report.droppedRepeats, "consecutive repeats"),
        ]
        lines.append(
            "Dropped   \(grouped(report.read.skippedLines)) malformed lines, "
                + "\(grouped(report.read.droppedByRating)) events by rating, "
                + duplicates.map { count, what in count.map { "\(grouped($0)) \(what), " } ?? "" }.joined()
                + "\(grouped(report.droppedByCore)) by fewest events (\(report.coreRounds) rounds)")
    }
    lines.append("Mark      \(summary.fingerprint)")
    return lines.joined(separator: "\n")
}

private func describeTimes(_ summary: DatasetSummary) -> String {
    guard summary.timestamps else { return "none: file order" }
    guard let times = summary.times else { return "yes" }
    return (times.areDates ? "\(times.days.first) to \(times.days.last)" : "numbers in their order")
        + "; \(grouped(times.tiedEvents)) events tied with others of the user, "
        + "\(grouped(times.exactDuplicates)) exact duplicates"
}
