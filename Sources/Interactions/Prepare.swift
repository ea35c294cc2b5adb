import FileSupport
import Foundation

/// What is left out of a log, in this order: events below the rating threshold (while reading), then, again and again
/// until nothing changes, items and users with too few events.
public struct Filters: Sendable, Codable, Equatable {
    /// Lowest rating that stays; nil keeps all.
    public var minimumRating: Double?
    /// Fewest events of a user that stays.
    public var minimumUserEvents = 1
    /// Fewest events of an item that stays.
    public var minimumItemEvents = 1

    /// No filter.
    public init() {}
}

/// What preparing met.
public struct PrepareReport: Sendable, Codable, Equatable {
    /// From reading.
    public var read: ReadReport
    /// Events lost to the k-core.
    public var droppedByCore: Int
    /// Rounds until the k-core was stable.
    public var coreRounds: Int
}

extension InteractionLog {
    /// Filters, orders and indexes the log and writes it as a dataset's folder, whole or not at all. A dataset that is
    /// there already is replaced, anything else is left alone and an error thrown.
    ///
    /// Each user's events are sorted by time, ties in file order. Users and items are numbered by their first appearance
    /// in the file among what is left. O(events · log of the longest sequence).
    public func prepare(
        _ filters: Filters, titles: [String: String] = [:], source: String, to url: URL
    ) throws(DatasetError) -> DatasetSummary {
        let core = KCore(self, filters)
        let columns = try OrderedColumns(self, keeping: core.alive)
        let itemIDs = try names(columns.itemNumbers, self.itemIDs)
        let itemTitles = titles.isEmpty ? [] : itemIDs.map { titles[$0] ?? "" }
        guard let users = Vocabulary(ids: try names(columns.userNumbers, userIDs)),
            let items = Vocabulary(ids: itemIDs, titles: itemTitles)
        else { throw .unusable("\(source): an id occurs twice") }
        let mark = columns.events.withUnsafeBufferPointer { events in
            columns.starts.withUnsafeBufferPointer { fingerprint(events, $0) }
        }
        var summary = DatasetSummary(
            users: users.count, items: items.count, events: columns.events.count, fingerprint: mark)
        summary.timestamps = !columns.times.isEmpty
        summary.source = source
        summary.filters = filters
        summary.report = PrepareReport(
            read: report, droppedByCore: count - columns.events.count, coreRounds: core.rounds)
        let finished = summary
        try writeFolder(url, replaceable: DatasetFile.all, wrap: DatasetError.file) { (folder) throws(DatasetError) in
            try withFileErrors { () throws(FileError) in
                try write(columns, finished, users: users, items: items, to: folder)
            }
        }
        return finished
    }

    private func names(_ numbers: [Int32], _ interner: Interner) throws(DatasetError) -> [String] {
        var names: [String] = []
        names.reserveCapacity(numbers.count)
        for number in numbers {
            guard let name = interner.string(number) else { throw .unusable("an id is not UTF-8") }
            names.append(name)
        }
        return names
    }

    private func write(
        _ columns: OrderedColumns, _ summary: DatasetSummary, users: Vocabulary, items: Vocabulary, to folder: URL
    ) throws(FileError) {
        try writeColumn(columns.events, to: folder.appendingPathComponent(DatasetFile.items))
        try writeColumn(columns.starts, to: folder.appendingPathComponent(DatasetFile.starts))
        if summary.timestamps { try writeColumn(columns.times, to: folder.appendingPathComponent(DatasetFile.times)) }
        try users.write(to: folder.appendingPathComponent(DatasetFile.userVocabulary))
        try items.write(to: folder.appendingPathComponent(DatasetFile.itemVocabulary))
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let summaryURL = folder.appendingPathComponent(DatasetFile.summary)
        guard let json = try? encoder.encode(summary) else {
            throw FileError(path: summaryURL.path, operation: "write", reason: "it cannot be written as JSON")
        }
        try writeFile(json + [0x0A], to: summaryURL)
    }
}

private func writeColumn<Element: BitwiseCopyable>(_ values: [Element], to url: URL) throws(FileError) {
    var writer = try FileWriter(url)
    for start in stride(from: 0, to: values.count, by: 1 << 16) {
        let piece = values[start..<min(start + 1 << 16, values.count)]
        try piece.withUnsafeBufferPointer { (buffer) throws(FileError) in try writer.append(values: buffer) }
    }
    try writer.commit()
}

/// Names of the files of a prepared dataset.
enum DatasetFile {
    static let items = "items.i32"
    static let starts = "starts.i64"
    static let times = "timestamps.f64"
    static let userVocabulary = "users.tsv"
    static let itemVocabulary = "items.tsv"
    static let summary = "dataset.json"
    static let all: Set = [items, starts, times, userVocabulary, itemVocabulary, summary]
}

/// Which users and items have enough events, each counted among the others that have.
private struct KCore {
    private(set) var aliveUsers: [Bool]
    private(set) var aliveItems: [Bool]
    private(set) var rounds = 0
    private let users: [Int32]
    private let items: [Int32]

    init(_ log: InteractionLog, _ filters: Filters) {
        users = log.users
        items = log.items
        aliveUsers = Array(repeating: true, count: log.userIDs.count)
        aliveItems = Array(repeating: true, count: log.itemIDs.count)
        var changed = filters.minimumUserEvents > 1 || filters.minimumItemEvents > 1
        while changed {
            rounds += 1
            var userEvents = [Int](repeating: 0, count: aliveUsers.count)
            var itemEvents = [Int](repeating: 0, count: aliveItems.count)
            for event in users.indices where alive(event) {
                userEvents[Int(users[event])] += 1
                itemEvents[Int(items[event])] += 1
            }
            changed = false
            func drop(_ alive: inout [Bool], _ events: [Int], _ minimum: Int) {
                for index in alive.indices where alive[index] && events[index] < minimum {
                    alive[index] = false
                    changed = true
                }
            }
            drop(&aliveUsers, userEvents, filters.minimumUserEvents)
            drop(&aliveItems, itemEvents, filters.minimumItemEvents)
        }
    }

    func alive(_ event: Int) -> Bool { aliveUsers[Int(users[event])] && aliveItems[Int(items[event])] }
}

/// What is left, numbered anew, user by user in order of time.
private struct OrderedColumns {
    var events: [Int32]
    var starts: [Int64] = [0]
    var times: [Double] = []
    /// Numbers in the log of users 0 ... and of items 1 ...
    var userNumbers: [Int32] = []
    var itemNumbers: [Int32] = []

    init(_ log: InteractionLog, keeping alive: (Int) -> Bool) throws(DatasetError) {
        var newUser = [Int32](repeating: -1, count: log.userIDs.count)
        var newItem = [Int32](repeating: -1, count: log.itemIDs.count)
        var lengths: [Int64] = []
        for event in 0..<log.count where alive(event) {
            let (user, item) = (Int(log.users[event]), Int(log.items[event]))
            if newUser[user] < 0 {
                newUser[user] = Int32(userNumbers.count)
                userNumbers.append(Int32(user))
                lengths.append(0)
            }
            if newItem[item] < 0 {
                itemNumbers.append(Int32(item))
                newItem[item] = Int32(itemNumbers.count)
            }
            lengths[Int(newUser[user])] += 1
        }
        for length in lengths { starts.append(starts.last! + length) }
        let total = Int(starts.last!)
        guard total > 0 else { throw .unusable("the filters leave no event of \(log.count)") }

        // A counting sort by user keeps file order.
        var next = starts
        events = Array(repeating: 0, count: total)
        if !log.timestamps.isEmpty { times = Array(repeating: 0, count: total) }
        for event in 0..<log.count where alive(event) {
            let user = Int(newUser[Int(log.users[event])])
            let row = Int(next[user])
            next[user] += 1
            events[row] = newItem[Int(log.items[event])]
            if !times.isEmpty { times[row] = log.timestamps[event] }
        }
        if !times.isEmpty { sortByTime() }
    }

    private mutating func sortByTime() {
        for user in 0..<starts.count - 1 {
            let rows = Int(starts[user])..<Int(starts[user + 1])
            if zip(rows, rows.dropFirst()).allSatisfy({ times[$0] <= times[$1] }) { continue }
            let order = rows.sorted { (times[$0], $0) < (times[$1], $1) }
            let (sortedEvents, sortedTimes) = (order.map { events[$0] }, order.map { times[$0] })
            events.replaceSubrange(rows, with: sortedEvents)
            times.replaceSubrange(rows, with: sortedTimes)
        }
    }
}
