import FileSupport
import Interactions

/// Prints the interpretation of the times, and a warning where they hardly determine the order.
func sayOfTimes(_ times: TimeSummary, _ summary: DatasetSummary, tiesAreIn order: String) {
    printError("times: \(times.meaning)" + (times.areDates ? ", from \(times.days.first) to \(times.days.last)" : ""))
    if times.mostlyTiedUsers * 20 >= summary.users {
        printError(
            "recblr: warning: for \(grouped(times.mostlyTiedUsers)) of \(counted(summary.users, "user")) at least half of the events "
                + "have the same time as another; these are in \(order)")
    }
}

/// A description of a dataset in a few lines.
func describe(_ summary: DatasetSummary) -> String {
    var lines = [
        "Users     \(grouped(summary.users))",
        "Items     \(grouped(summary.items))",
        "Events    \(grouped(summary.events)) (\(fixed(Double(summary.events) / Double(summary.users), 1)) per user, "
            + "density \(fixed(100 * summary.density, 3)) %)",
        "Times     \(describeTimes(summary))",
    ]
    if let source = summary.source { lines.append("Source    \(source)") }
    if let report = summary.report {
        let duplicates = [
            (report.droppedDuplicates, "exact duplicate"), (report.droppedRepeats, "consecutive repeat"),
        ]
        lines.append(
            "Dropped   \(counted(report.read.skippedLines, "malformed line")), "
                + "\(counted(report.read.droppedByRating, "event")) by rating, "
                + (report.read.droppedByCondition.map { "\(grouped($0)) by condition, " } ?? "")
                + duplicates.map { count, what in count.map { counted($0, what) + ", " } ?? "" }.joined()
                + "\(grouped(report.droppedByCore)) by fewest events (\(counted(report.coreRounds, "round")))")
    }
    lines.append("Mark      \(summary.mark)")
    return lines.joined(separator: "\n")
}

private func describeTimes(_ summary: DatasetSummary) -> String {
    guard summary.timestamps else { return "none: file order" }
    guard let times = summary.times else { return "yes" }
    return (times.areDates ? "\(times.days.first) to \(times.days.last)" : "numbers in their order")
        + "; \(counted(times.tiedEvents, "event")) tied with others of the user, "
        + "\(counted(times.exactDuplicates, "exact duplicate"))"
}

/// The files of a log that arguments name: files, folders of parts, - for standard input. Says what is left out.
func logSources(_ arguments: [String]) throws(DatasetError) -> [LogSource] {
    var leftOut: [String] = []
    let sources = try LogSource.expanded(
        arguments.map { $0 == "-" ? .standardInput : .file(fileURL($0)) }, leftOut: { leftOut.append($0) })
    if !leftOut.isEmpty {
        let more = leftOut.count > 5 ? ", … (\(grouped(leftOut.count)) in all)" : ""
        printError("recblr: note: left out: " + leftOut.prefix(5).joined(separator: ", ") + more)
    }
    return sources
}
