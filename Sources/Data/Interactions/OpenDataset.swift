public import FileSupport
public import Foundation
import Identifiers

extension Dataset {
    /// The kind of a dataset's folder.
    public static let folder = DatasetFile.folder

    /// Maps a prepared folder and validates every length, number and checksum. O(events).
    ///
    /// Where the folder is replaced meanwhile, the result is the old dataset or the new one, never a mixture.
    public static func open(_ url: URL) throws(DatasetError) -> Dataset {
        try FolderReader.read(url, marker: DatasetFile.summary, wrap: DatasetError.file) {
            (folder) throws(DatasetError) in try open(folder)
        }
    }

    private static func open(_ folder: FolderReader) throws(DatasetError) -> Dataset {
        var summary = try readSummary(folder)
        let (eventFile, events) = try column(
            folder, DatasetFile.items, summary, count: summary.events, of: ItemID.self)
        let (startFile, starts) = try column(
            folder, DatasetFile.starts, summary, count: summary.users + 1, of: Int64.self)
        try check(events, starts, summary, folder.url)
        let times = try times(folder, summary)
        if let times { try check(times.values, starts, folder.url.appendingPathComponent(summary.timesName)) }
        guard fingerprint(events, starts) == summary.fingerprint else {
            throw .malformed(
                path: folder.url.path, reason: "the data does not match its fingerprint \(summary.fingerprint)")
        }
        let itemIDs = try vocabulary(folder, DatasetFile.itemVocabulary, summary, count: summary.items)
        let contents = Interactions.contents(times: times?.values, items: itemIDs)
        guard summary.contents ?? contents == contents else {
            throw .malformed(
                path: folder.url.path,
                reason: "times or identifiers do not match their hash in \(DatasetFile.summary)")
        }
        summary.contents = contents
        return Dataset(
            users: try vocabulary(folder, DatasetFile.userVocabulary, summary, count: summary.users), items: itemIDs,
            summary: summary, events: events, starts: starts, times: times?.values,
            owners: [eventFile, startFile] + (times.map { [$0.owner] } ?? []))
    }

    /// Throws unless every user's events are a range of them all and every item has an id.
    private static func check(
        _ events: UnsafeBufferPointer<ItemID>, _ starts: UnsafeBufferPointer<Int64>, _ summary: DatasetSummary,
        _ url: URL
    ) throws(DatasetError) {
        guard starts.first == 0, starts.last == Int64(summary.events),
            zip(starts, starts.dropFirst()).allSatisfy({ $0 <= $1 })
        else {
            throw .malformed(
                path: url.appendingPathComponent(DatasetFile.starts).path,
                reason: "starts must rise from 0 to \(summary.events)")
        }
        guard events.allSatisfy({ (0..<summary.items).contains($0.row) }) else {
            throw .malformed(
                path: url.appendingPathComponent(DatasetFile.items).path,
                reason: "an item lies outside 1 ... \(summary.items)")
        }
    }

    /// Nanoseconds since 1970, and what keeps them alive; nil where the dataset has no times.
    private static func times(
        _ folder: FolderReader, _ summary: DatasetSummary
    ) throws(DatasetError) -> (owner: any AnyObject & Sendable, values: UnsafeBufferPointer<Int64>)? {
        guard summary.timestamps else { return nil }
        guard summary.format == 1 else {
            let (file, values) = try column(folder, summary.timesName, summary, count: summary.events, of: Int64.self)
            return (file, values)
        }
        let (file, values) = try column(folder, summary.timesName, summary, count: summary.events, of: Double.self)
        let converted = try withExtendedLifetime(file) { () throws(DatasetError) in
            Column(try nanoseconds(values, folder.url.appendingPathComponent(summary.timesName)))
        }
        return (converted, converted.values)
    }

    /// Throws unless each user's times are ascending.
    private static func check(
        _ times: UnsafeBufferPointer<Int64>, _ starts: UnsafeBufferPointer<Int64>, _ url: URL
    ) throws(DatasetError) {
        for (start, end) in zip(starts, starts.dropFirst()) {
            var previous = Int64.min
            for time in times[Int(start)..<Int(end)] {
                guard time >= previous else {
                    throw .malformed(path: url.path, reason: "the times of a user must never fall")
                }
                previous = time
            }
        }
    }

    /// Converts the times of format 1, in seconds or another unit since 1970, which is inferred from the largest as in a log.
    private static func nanoseconds(_ times: UnsafeBufferPointer<Double>, _ url: URL) throws(DatasetError) -> [Int64] {
        let largest = times.reduce(0) { max($0, abs($1)) }
        guard times.allSatisfy(\.isFinite), let factor = [1e9, 1e6, 1e3, 1].first(where: { largest * $0 < 0x1p63 })
        else {
            throw .malformed(path: url.path, reason: "a time is no number of 64 bits; prepare the dataset anew")
        }
        return times.map { Int64(($0 * factor).rounded()) }
    }

    private static func readSummary(_ folder: FolderReader) throws(DatasetError) -> DatasetSummary {
        let path = folder.url.appendingPathComponent(DatasetFile.summary).path
        func malformed(_ reason: String) -> DatasetError { .malformed(path: path, reason: reason) }
        let file = try withFileErrors { () throws(FileError) in try folder.file(DatasetFile.summary) }
        let bytes = file.copy()
        guard var summary = try? JSONDecoder().decode(DatasetSummary.self, from: Data(bytes)) else {
            throw malformed("expected the JSON of a prepared dataset")
        }
        guard (1...2).contains(summary.format) else {
            throw malformed("format \(summary.format); this program reads formats 1 and 2")
        }
        if let problem = summary.problem { throw malformed(problem) }
        if summary.format == 1 {
            (summary.files, summary.contents) = (nil, nil)
        } else if summary.files == nil || !SealedJSON.isIntact(bytes) {
            throw malformed("it is not as it was written: its checksum does not fit")
        }
        summary.checksum = nil
        return summary
    }

    private static func column<Element: BitwiseCopyable>(
        _ folder: FolderReader, _ name: String, _ summary: DatasetSummary, count: Int, of type: Element.Type
    ) throws(DatasetError) -> (MappedFile, UnsafeBufferPointer<Element>) {
        let file = try withFileErrors { () throws(FileError) in try folder.file(name, summary.files) }
        let expected = count * MemoryLayout<Element>.size
        guard file.bytes.count == expected else {
            throw .malformed(
                path: folder.url.appendingPathComponent(name).path,
                reason: "\(file.bytes.count) bytes, expected \(expected)")
        }
        return (file, file.bytes.bindMemory(to: Element.self))
    }

    private static func vocabulary(
        _ folder: FolderReader, _ name: String, _ summary: DatasetSummary, count: Int
    ) throws(DatasetError) -> Vocabulary {
        let path = folder.url.appendingPathComponent(name).path
        let vocabulary = try withFileErrors { () throws(FileError) in
            try Vocabulary.read(try folder.file(name, summary.files), path: path)
        }
        guard vocabulary.count == count else {
            throw .malformed(path: path, reason: "\(vocabulary.count) ids, expected \(count)")
        }
        return vocabulary
    }
}

extension DatasetSummary {
    fileprivate var timesName: String { format == 1 ? DatasetFile.floatingTimes : DatasetFile.times }

    /// What is invalid in the numbers; nil where nothing is.
    fileprivate var problem: String? {
        let limit = Int(Int32.max)
        let fits =
            (1...limit).contains(users) && (1...limit).contains(items)
            && (1...Int.max / 16).contains(events)
        let filtered = filters.minimumUserEvents >= 1 && filters.minimumItemEvents >= 1
        let counts = [
            report?.read.lines, report?.read.skippedLines, report?.read.droppedByRating,
            report?.droppedByCore, report?.coreRounds,
        ]
        return fits && filtered && counts.allSatisfy({ $0 ?? 0 >= 0 }) ? nil : "a count is out of range"
    }
}
