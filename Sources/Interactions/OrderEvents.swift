import FileSupport
import Foundation

extension InteractionLog {
    /// Writes starts, items and times of what is left, user by user in order of time; returns the fingerprint.
    ///
    /// A counting sort of as many users at a time as memory is given for: a walk through the log picks their events.
    func writeEvents(_ numbering: Numbering, to folder: URL) throws(DatasetError) -> String {
        let starts = numbering.starts
        var columns = try withFileErrors { () throws(FileError) in
            try EventColumns(folder, starts, hasTimes: hasTimestamps)
        }
        var users = 0..<0
        while users.upperBound < numbering.users.count {
            var end = users.upperBound + 1
            let limit = starts[users.upperBound] + Int64(memory.ordering)
            while end < numbering.users.count, starts[end + 1] <= limit { end += 1 }
            users = users.upperBound..<end
            let rows = try orderedRows(of: users, numbering)
            try withFileErrors { () throws(FileError) in try columns.append(rows) }
        }
        do { return try columns.commit() } catch { throw .file(error) }
    }

    /// Items and times of some of the users.
    private func orderedRows(of users: Range<Int>, _ numbering: Numbering) throws(DatasetError) -> [Row] {
        let first = numbering.starts[users.lowerBound]
        let starts = numbering.starts[users.lowerBound...users.upperBound].map { Int($0 - first) }
        /// For each user of the log the row of the next event, −1 if it is none of these.
        var next = [Int](repeating: -1, count: userIDs.count)
        for (user, start) in zip(numbering.users[users], starts) { next[Int(user)] = start }
        var rows = [Row](repeating: Row(time: 0, item: 0), count: starts.last!)
        try events.forEach { event in
            let (row, item) = (next[Int(event.user)], numbering.newItem[Int(event.item)])
            guard row >= 0, item > 0 else { return }
            rows[row] = Row(time: event.time, item: item)
            next[Int(event.user)] = row + 1
        }
        if hasTimestamps {
            rows.withUnsafeMutableBufferPointer { rows in
                for (start, end) in zip(starts, starts.dropFirst()) {
                    var own = UnsafeMutableBufferPointer(rebasing: rows[start..<end])
                    own.sort { $0.time < $1.time }  // It is stable: ties keep file order.
                }
            }
        }
        return rows
    }
}

/// One event of a user.
private struct Row: BitwiseCopyable {
    var time: Int64
    var item: Int32
}

/// Starts, items and times while they are being written.
private struct EventColumns: ~Copyable {
    private var items: FileWriter
    private var times: FileWriter?
    private var mark: Fingerprint

    init(_ folder: URL, _ starts: [Int64], hasTimes: Bool) throws(FileError) {
        var file = try FileWriter(folder.appendingPathComponent(DatasetFile.starts))
        try file.append(values: starts)
        try file.commit()
        let items = try FileWriter(folder.appendingPathComponent(DatasetFile.items))
        let times = hasTimes ? try FileWriter(folder.appendingPathComponent(DatasetFile.times)) : nil
        mark = starts.withUnsafeBufferPointer { Fingerprint(starts: $0) }
        self.items = items
        self.times = times
    }

    mutating func append(_ rows: [Row]) throws(FileError) {
        for start in stride(from: 0, to: rows.count, by: 1 << 16) {
            let piece = rows[start..<min(start + 1 << 16, rows.count)]
            let items = piece.map(\.item)
            mark.add(items: items)
            try self.items.append(values: items)
            try times?.append(values: piece.map(\.time))
        }
    }

    /// Returns the fingerprint.
    consuming func commit() throws(FileError) -> String {
        let text = mark.text
        try items.commit()
        try times?.commit()
        return text
    }
}
