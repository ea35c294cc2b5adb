import FileSupport
public import Foundation
import Identifiers

/// Filters of a log, applied in this order: events below the rating threshold (while reading), duplicates, then items and users with
/// too few events, repeatedly until nothing changes (k-core).
public struct Filters: Sendable, Codable, Equatable {
    /// The lowest rating that is kept; nil keeps all.
    public var minimumRating: Double?
    /// Which duplicates are dropped; nil keeps all.
    public var duplicates: Deduplication?
    /// The least number of events of a user.
    public var minimumUserEvents = 1
    /// The least number of events of an item.
    public var minimumItemEvents = 1

    /// No filter.
    public init() {}
}

/// Counts of what was read, dropped and skipped while preparing a dataset.
public struct PrepareReport: Sendable, Codable, Equatable {
    /// Counts from reading.
    public var read: ReadReport
    /// Events dropped because an earlier one has the same user, item and time; nil without this filter.
    public var droppedDuplicates: Int?
    /// Events dropped because the user's previous event has the same item; nil without this filter.
    public var droppedRepeats: Int?
    /// Events dropped by the k-core filter.
    public var droppedByCore: Int
    /// Rounds until the k-core was stable.
    public var coreRounds: Int
}

extension InteractionLog {
    /// Filters, sorts and indexes the log and writes it as a dataset's folder, completely or not at all. An existing dataset is
    /// replaced; where anything else is there, an error is thrown.
    ///
    /// Each user's events are sorted by time, ties in file order. Users and items are numbered by their first appearance
    /// in the file among the remaining events. O(events · log of the longest sequence), with one pass over the log for every
    /// round of the filters and every 2²⁴ events. Memory grows with users, items and the longest sequence, not with the events.
    public func prepare(
        _ filters: Filters, titles: [String: String] = [:], source: String, to url: URL
    ) throws(DatasetError) -> DatasetSummary {
        let duplicates = try Duplicates(self, filters.duplicates)
        let core = try KCore(self, filters, without: duplicates.events)
        let numbering = try Numbering(self, core)
        let remaining = Int(numbering.starts.last!)
        guard remaining > 0 else { throw Self.nothingLeft(of: count, filters, core) }
        var summary = DatasetSummary(
            users: numbering.users.count, items: numbering.items.count, events: remaining, fingerprint: "")
        summary.timestamps = hasTimestamps
        summary.source = source
        summary.filters = filters
        summary.report = PrepareReport(
            read: report, droppedDuplicates: filters.duplicates.map { _ in duplicates.exact },
            droppedRepeats: filters.duplicates == .consecutive ? duplicates.consecutive : nil,
            droppedByCore: count - duplicates.events.count - remaining, coreRounds: core.rounds)
        try writeFolder(url, DatasetFile.folder, wrap: DatasetError.file) { (folder) throws(DatasetError) in
            (summary.fingerprint, summary.contents, summary.times) = try writeEvents(numbering, core, to: folder)
            try withFileErrors { () throws(FileError) in
                try writeVocabularies(numbering, titles, to: folder)
                summary.files = try FileChecksums(ofFilesIn: folder)
                try write(summary, to: folder.appendingPathComponent(DatasetFile.summary))
            }
        }
        return summary
    }

    private static func nothingLeft(of count: Int, _ filters: Filters, _ core: KCore) -> DatasetError {
        .unusable(
            "the filters leave no event of \(grouped(count)): users need \(counted(filters.minimumUserEvents, "event")), "
                + "items \(grouped(filters.minimumItemEvents)), counted among what is left; the longest history has "
                + "\(counted(core.most.user, "event")), the most frequent item \(grouped(core.most.item))",
            remedies: [.fewerEvents])
    }

    /// Throws where ``prepare(_:titles:source:to:)`` would refuse to write: to be called before a long log is read.
    public static func checkReplaceable(_ url: URL) throws(DatasetError) {
        _ = try withFileErrors { () throws(FileError) in try FolderDestination(url, DatasetFile.folder) }
    }

    private func writeVocabularies(
        _ numbering: Numbering, _ titles: [String: String], to folder: URL
    ) throws(FileError) {
        let itemTitles = titles.isEmpty ? [] : numbering.items.map { titles[itemIDs.string($0)] ?? "" }
        try Vocabulary.write(
            numbering.users, of: userIDs, to: folder.appendingPathComponent(DatasetFile.userVocabulary))
        try Vocabulary.write(
            numbering.items, of: itemIDs, titles: itemTitles,
            to: folder.appendingPathComponent(DatasetFile.itemVocabulary))
    }
}

private func write(_ summary: DatasetSummary, to url: URL) throws(FileError) {
    var summary = summary
    summary.checksum = SealedJSON.placeholder
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    guard let json = try? encoder.encode(summary) else {
        throw FileError(path: url.path, operation: .write, reason: "it cannot be written as JSON")
    }
    try writeFile(SealedJSON.seal(json + [0x0A]), to: url)
}

/// Names of the files of a prepared dataset.
enum DatasetFile {
    static let items = "items.i32"
    static let starts = "starts.i64"
    static let times = "timestamps.i64"
    static let userVocabulary = "users.tsv"
    static let itemVocabulary = "items.tsv"
    static let summary = "dataset.json"
    /// Times of format 1.
    static let floatingTimes = "timestamps.f64"
    static let folder = FolderKind(
        name: "dataset", files: [items, starts, times, floatingTimes, userVocabulary, itemVocabulary, summary],
        marker: summary,
        markerKeys: ["format", "fingerprint"])
}
