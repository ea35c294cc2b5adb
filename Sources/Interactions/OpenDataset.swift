import FileSupport
import Foundation

extension Dataset {
    /// Maps a prepared folder. Every length and number is checked before it is trusted. O(events).
    public static func open(_ url: URL) throws(DatasetError) -> Dataset {
        let summary = try readSummary(url.appendingPathComponent(DatasetFile.summary))
        let itemsURL = url.appendingPathComponent(DatasetFile.items)
        let startsURL = url.appendingPathComponent(DatasetFile.starts)
        let (eventFile, events) = try column(itemsURL, count: summary.events, of: Int32.self)
        let (startFile, starts) = try column(startsURL, count: summary.users + 1, of: Int64.self)
        var owners: [AnyObject & Sendable] = [eventFile, startFile]
        var times: UnsafeBufferPointer<Double>?
        if summary.timestamps {
            let (file, values) = try column(
                url.appendingPathComponent(DatasetFile.times), count: summary.events, of: Double.self)
            owners.append(file)
            times = values
        }
        guard starts.first == 0, starts.last == Int64(summary.events),
            zip(starts, starts.dropFirst()).allSatisfy({ $0 <= $1 })
        else { throw .malformed(path: startsURL.path, reason: "starts must rise from 0 to \(summary.events)") }
        guard events.allSatisfy({ $0 >= 1 && $0 <= summary.items }) else {
            throw .malformed(path: itemsURL.path, reason: "an item lies outside 1 ... \(summary.items)")
        }
        if let times { try check(times, starts, url.appendingPathComponent(DatasetFile.times)) }
        guard fingerprint(events, starts) == summary.fingerprint else {
            throw .malformed(path: url.path, reason: "the data does not match its fingerprint \(summary.fingerprint)")
        }
        return Dataset(
            users: try vocabulary(url.appendingPathComponent(DatasetFile.userVocabulary), count: summary.users),
            items: try vocabulary(url.appendingPathComponent(DatasetFile.itemVocabulary), count: summary.items),
            summary: summary, events: events, starts: starts, times: times, owners: owners)
    }

    /// Throws unless every user's times are numbers that never fall.
    private static func check(
        _ times: UnsafeBufferPointer<Double>, _ starts: UnsafeBufferPointer<Int64>, _ url: URL
    ) throws(DatasetError) {
        for (start, end) in zip(starts, starts.dropFirst()) {
            var previous = -Double.greatestFiniteMagnitude
            for time in times[Int(start)..<Int(end)] {
                guard time.isFinite, time >= previous else {
                    throw .malformed(path: url.path, reason: "the times of a user must be numbers that never fall")
                }
                previous = time
            }
        }
    }

    private static func readSummary(_ url: URL) throws(DatasetError) -> DatasetSummary {
        let bytes = try withFileErrors { () throws(FileError) in try readFile(url) }
        guard let summary = try? JSONDecoder().decode(DatasetSummary.self, from: Data(bytes)) else {
            throw .malformed(path: url.path, reason: "expected the JSON that `recblr prepare` writes")
        }
        guard summary.format == 1 else {
            throw .malformed(path: url.path, reason: "format \(summary.format); this program reads format 1")
        }
        let limit = Int(Int32.max)
        guard (1...limit).contains(summary.users), (1...limit).contains(summary.items),
            (1...Int.max / 16).contains(summary.events)
        else { throw .malformed(path: url.path, reason: "a count is out of range") }
        return summary
    }

    private static func column<Element: BitwiseCopyable>(
        _ url: URL, count: Int, of type: Element.Type
    ) throws(DatasetError) -> (MappedFile, UnsafeBufferPointer<Element>) {
        let file = try withFileErrors { () throws(FileError) in try MappedFile(url) }
        let expected = count * MemoryLayout<Element>.size
        guard file.bytes.count == expected else {
            throw .malformed(path: url.path, reason: "\(file.bytes.count) bytes, expected \(expected)")
        }
        return (file, file.bytes.bindMemory(to: Element.self))
    }

    private static func vocabulary(_ url: URL, count: Int) throws(DatasetError) -> Vocabulary {
        let vocabulary = try withFileErrors { () throws(FileError) in try Vocabulary.read(url) }
        guard vocabulary.count == count else {
            throw .malformed(path: url.path, reason: "\(vocabulary.count) ids, expected \(count)")
        }
        return vocabulary
    }
}
