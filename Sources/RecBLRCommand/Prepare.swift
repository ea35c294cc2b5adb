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
            if json.isOn { try printJSON(summary) } else { try printOutput(describe(summary)) }
        }
    }
}

/// A dataset in a few lines.
func describe(_ summary: DatasetSummary) -> String {
    var lines = [
        "Users     \(grouped(summary.users))",
        "Items     \(grouped(summary.items))",
        "Events    \(grouped(summary.events)) (\(fixed(Double(summary.events) / Double(summary.users), 1)) a user, "
            + "density \(fixed(100 * summary.density, 3)) %)",
        "Times     \(summary.timestamps ? "yes" : "none: file order")",
    ]
    if let source = summary.source { lines.append("Source    \(source)") }
    if let report = summary.report {
        lines.append(
            "Dropped   \(grouped(report.read.skippedLines)) malformed lines, "
                + "\(grouped(report.read.droppedByRating)) events by rating, "
                + "\(grouped(report.droppedByCore)) by fewest events (\(report.coreRounds) rounds)")
    }
    lines.append("Mark      \(summary.fingerprint)")
    return lines.joined(separator: "\n")
}
