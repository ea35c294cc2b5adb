import FileSupport
import Foundation
import Identifiers

extension InteractionLog {
    /// Writes starts, items and times of the remaining events, user by user in order of time; returns the hashes of a dataset and, where
    /// there are times, their summary.
    func writeEvents(
        _ numbering: Numbering, _ core: KCore, to folder: URL
    ) throws(DatasetError) -> (fingerprint: String, contents: String, times: TimeSummary?) {
        var columns = try withFileErrors { () throws(FileError) in
            try EventColumns(folder, numbering.starts, hasTimes: hasTimestamps)
        }
        var times = meaningOfTimes.map(TimeSummary.init)
        try forEachUser(numbering, core) { (rows) throws(FileError) in
            times?.add(rows)
            try columns.append(rows)
        }
        do {
            var (fingerprint, contents) = try columns.commit()
            for item in numbering.items { contents.add(id: itemIDs.string(item).utf8) }
            return (fingerprint.text, contents.text, times)
        } catch { throw .file(error) }
    }

    /// Calls `body` with the remaining events of each user, in order of time, ties in file order.
    ///
    /// A counting sort of as many users at a time as the memory limit allows: each pass over the log selects their events.
    func forEachUser(
        _ numbering: Numbering, _ core: KCore,
        _ body: (UnsafeMutableBufferPointer<EventRow>) throws(FileError) -> Void
    ) throws(DatasetError) {
        let starts = numbering.starts
        var users = 0..<0
        while users.upperBound < numbering.users.count {
            var end = users.upperBound + 1
            let limit = starts[users.upperBound] + Int64(memory.ordering)
            while end < numbering.users.count, starts[end + 1] <= limit { end += 1 }
            users = users.upperBound..<end
            var rows = try orderedRows(of: users, numbering, core)
            do {
                try rows.withUnsafeMutableBufferPointer { (rows) throws(FileError) in
                    for user in users {
                        let own =
                            Int(
                                starts[user] - starts[users.lowerBound])..<Int(
                                starts[user + 1] - starts[users.lowerBound])
                        var part = UnsafeMutableBufferPointer(rebasing: rows[own])
                        if hasTimestamps { part.sort { $0.time < $1.time } }  // It is stable: ties keep file order.
                        try body(part)
                    }
                }
            } catch { throw .file(error) }
        }
    }

    /// The events of some of the users, in the order of the file.
    private func orderedRows(
        of users: Range<Int>, _ numbering: Numbering, _ core: KCore
    ) throws(DatasetError) -> [EventRow] {
        let first = numbering.starts[users.lowerBound]
        let starts = numbering.starts[users.lowerBound...users.upperBound].map { Int($0 - first) }
        /// For each user of the log the row of the next event, −1 for users that are not selected.
        var next = [Int](repeating: -1, count: userIDs.count)
        for (user, start) in zip(numbering.users[users], starts) { next[Int(user)] = start }
        var rows = [EventRow](repeating: EventRow(time: 0, item: 0, position: 0), count: starts.last!)
        try events.forEach { event, position in
            let row = next[Int(event.user)]
            guard row >= 0, core.contains(event, position) else { return }
            rows[row] = EventRow(
                time: event.time, item: numbering.newItem[Int(event.item)],
                position: UInt32(truncatingIfNeeded: position))
            next[Int(event.user)] = row + 1
        }
        return rows
    }
}

/// The files of starts, items and times while they are written.
private struct EventColumns: ~Copyable {
    private var items: FileWriter
    private var times: FileWriter?
    /// Of starts and items, and of times.
    private var (fingerprint, contents) = (Fingerprint(), Fingerprint())

    init(_ folder: URL, _ starts: [Int64], hasTimes: Bool) throws(FileError) {
        var file = try FileWriter(folder.appendingPathComponent(DatasetFile.starts))
        try file.append(values: starts)
        try file.commit()
        let items = try FileWriter(folder.appendingPathComponent(DatasetFile.items))
        let times = hasTimes ? try FileWriter(folder.appendingPathComponent(DatasetFile.times)) : nil
        fingerprint.add(starts)
        self.items = items
        self.times = times
    }

    mutating func append(_ rows: UnsafeMutableBufferPointer<EventRow>) throws(FileError) {
        let items = rows.map(\.item)
        fingerprint.add(items: items.lazy.map(ItemID.init(rawValue:)))
        try self.items.append(values: items)
        guard times != nil else { return }
        contents.add(rows.lazy.map(\.time))
        try times?.append(values: rows.map(\.time))
    }

    /// Returns the hash of starts and items, and that of times.
    consuming func commit() throws(FileError) -> (Fingerprint, contents: Fingerprint) {
        let hashes = (fingerprint, contents: contents)
        try items.commit()
        try times?.commit()
        return hashes
    }
}
