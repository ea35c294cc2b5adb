public import FileSupport
import Foundation
public import Identifiers

/// A dataset of interactions: for each user a sequence of items in order of time.
///
/// In memory or mapped from a prepared folder. Immutable.
public struct Dataset: @unchecked Sendable {
    /// Raw ids of users, by index from 0; nil for data made in memory.
    public let users: Vocabulary?
    /// Raw ids and titles of items, each at its ``ItemID/row``; nil for data made in memory.
    public let items: Vocabulary?
    /// The content of `dataset.json`.
    public let summary: DatasetSummary
    let events: UnsafeBufferPointer<ItemID>
    let starts: UnsafeBufferPointer<Int64>
    let times: UnsafeBufferPointer<Int64>?
    /// Owns the memory behind the pointers.
    private let owners: [AnyObject & Sendable]

    init(
        users: Vocabulary?, items: Vocabulary?, summary: DatasetSummary, events: UnsafeBufferPointer<ItemID>,
        starts: UnsafeBufferPointer<Int64>, times: UnsafeBufferPointer<Int64>?, owners: [AnyObject & Sendable]
    ) {
        self.users = users
        self.items = items
        self.summary = summary
        self.events = events
        self.starts = starts
        self.times = times
        self.owners = owners
    }

    /// A dataset in memory: one sequence of items for each user and, where given, the time of each event in nanoseconds. Items must be
    /// numbered 1 ... `itemCount`. O(events).
    public init(sequences: [[ItemID]], itemCount: Int, timestamps: [[Int64]]? = nil) {
        if let timestamps {
            precondition(timestamps.map(\.count) == sequences.map(\.count), "there must be as many times as items")
        }
        precondition(
            sequences.joined().allSatisfy { (0..<itemCount).contains($0.row) }, "items are numbered 1 ... itemCount")
        var starts: [Int64] = [0]
        for sequence in sequences { starts.append(starts.last! + Int64(sequence.count)) }
        let events = Column(Array(sequences.joined()))
        let startColumn = Column(starts)
        let times = timestamps.map { Column(Array($0.joined())) }
        var summary = DatasetSummary(
            users: sequences.count, items: itemCount, events: events.values.count,
            fingerprint: fingerprint(events.values, startColumn.values))
        summary.timestamps = times != nil
        summary.contents = contents(times: times?.values, items: nil)
        self.init(
            users: nil, items: nil, summary: summary, events: events.values, starts: startColumn.values,
            times: times?.values, owners: [events, startColumn] + (times.map { [$0] } ?? []))
    }

    /// Raw ids and titles of items; for data made in memory their numbers.
    package var identifiers: Vocabulary { items ?? Vocabulary(ids: (1...itemCount).map(String.init))! }
    /// U: number of users.
    public var userCount: Int { starts.count - 1 }
    /// V: number of items.
    public var itemCount: Int { summary.items }
    /// Number of events.
    public var eventCount: Int { events.count }
    /// Whether events have times.
    public var hasTimestamps: Bool { times != nil }
    /// Whether events have times that are dates, not mere numbers in their order. (Datasets of 0.3.0 and before do not say: theirs count as dates.)
    public var hasDates: Bool { hasTimestamps && summary.times?.areDates ?? true }

    /// Number of events of a user, who is numbered 0 ..< ``userCount``. O(1).
    public func length(ofUser user: Int) -> Int { withExtendedLifetime(owners) { rows(user, nil).count } }

    /// Items of a user in order of time, all or those at `positions`. O(their number).
    public func sequence(ofUser user: Int, _ positions: Range<Int>? = nil) -> [ItemID] {
        withExtendedLifetime(owners) { Array(events[rows(user, positions)]) }
    }

    /// The item of a user's event at `position`, from 0. O(1).
    public func item(ofUser user: Int, at position: Int) -> ItemID {
        withExtendedLifetime(owners) { events[rows(user, position..<position + 1).lowerBound] }
    }

    /// Times of a user's events, ascending, all or those at `positions`; nil where the data has none.
    ///
    /// They are nanoseconds since 1970-01-01 UTC. Numbers in a log count as seconds, milli-, micro- or nanoseconds by the
    /// largest of them (up to 9.2 · 10⁹, 10¹², 10¹⁵ and beyond), ordinals as seconds.
    public func timestamps(ofUser user: Int, _ positions: Range<Int>? = nil) -> [Int64]? {
        withExtendedLifetime(owners) { times.map { Array($0[rows(user, positions)]) } }
    }

    /// The time of a user's event at `position`, as in ``timestamps(ofUser:_:)``. O(1).
    public func timestamp(ofUser user: Int, at position: Int) -> Int64? {
        withExtendedLifetime(owners) { times.map { $0[rows(user, position..<position + 1).lowerBound] } }
    }

    private func rows(_ user: Int, _ positions: Range<Int>?) -> Range<Int> {
        precondition(user >= 0 && user < userCount, "there is no such user")
        let (start, end) = (Int(starts[user]), Int(starts[user + 1]))
        guard let positions else { return start..<end }
        precondition(
            positions.lowerBound >= 0 && positions.upperBound <= end - start, "positions outside the user's sequence")
        return start + positions.lowerBound..<start + positions.upperBound
    }
}

/// A summary of a dataset, `dataset.json`: its size, its source and how it was prepared.
public struct DatasetSummary: Sendable, Codable, Equatable {
    /// Version of the folder's layout.
    public var format = 2
    /// U: number of users.
    public var users: Int
    /// V: number of items.
    public var items: Int
    /// Number of events.
    public var events: Int
    /// Whether `timestamps.i64` is there (`timestamps.f64` in format 1).
    public var timestamps = false
    /// A summary of the times; nil where there are none, and in format 1.
    public var times: TimeSummary?
    /// Name of the file it was prepared from.
    public var source: String?
    /// The filters that were applied to the log.
    public var filters = Filters()
    /// Counts of what was read and dropped while preparing.
    public var report: PrepareReport?
    /// A 64-bit hash of items and starts, in hexadecimal.
    public var fingerprint: String
    /// The same of times and items' identifiers. Files of 0.6.0 and before do not have it: there it is computed when they are opened.
    public var contents: String?
    /// Length and checksum of each of the folder's other files; nil in format 1.
    public var files: FileChecksums?
    /// Checksum of `dataset.json` itself, see ``SealedJSON``; nil except while it is written.
    var checksum: String?

    init(users: Int, items: Int, events: Int, fingerprint: String) {
        self.users = users
        self.items = items
        self.events = events
        self.fingerprint = fingerprint
    }

    /// Tells this data from other data by all that training and evaluation depend on: sequences, times and items' identifiers.
    public var mark: String { contents.map { "\(fingerprint)-\($0)" } ?? fingerprint }

    /// Whether a record of a training names this data. Records of 0.6.0 and before know the ``fingerprint`` alone.
    public func isNamed(by mark: String) -> Bool { mark == self.mark || mark == fingerprint }

    /// Events / (users × items).
    public var density: Double { Double(events) / (Double(users) * Double(items)) }
}

/// The memory of one column.
final class Column<Element: BitwiseCopyable>: @unchecked Sendable {
    let values: UnsafeBufferPointer<Element>

    init(_ array: [Element]) {
        let memory = UnsafeMutableBufferPointer<Element>.allocate(capacity: max(1, array.count))
        _ = memory.initialize(from: array)
        values = UnsafeBufferPointer(rebasing: memory[0..<array.count])
    }

    deinit { values.deallocate() }
}

/// A 64-bit hash of parts of a dataset: FNV-1a over numbers.
struct Fingerprint {
    private var hash: UInt64 = 0xCBF2_9CE4_8422_2325

    mutating func add(_ values: some Sequence<Int64>) { for value in values { add(UInt64(bitPattern: value)) } }

    mutating func add(items: some Sequence<ItemID>) {
        for item in items { add(UInt64(UInt32(bitPattern: item.rawValue))) }
    }

    /// Adds the bytes of an identifier and its end.
    mutating func add(id: some Sequence<UInt8>) {
        for byte in id { add(UInt64(byte)) }
        add(256)
    }

    private mutating func add(_ value: UInt64) { hash = (hash ^ value) &* 0x100_0000_01B3 }

    /// The hash in hexadecimal.
    var text: String {
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

/// The fingerprint of a dataset in memory.
func fingerprint(_ events: UnsafeBufferPointer<ItemID>, _ starts: UnsafeBufferPointer<Int64>) -> String {
    var fingerprint = Fingerprint()
    fingerprint.add(starts)
    fingerprint.add(items: events)
    return fingerprint.text
}

/// ``DatasetSummary/contents``: of the times, then of the items' identifiers.
func contents(times: UnsafeBufferPointer<Int64>?, items: Vocabulary?) -> String {
    var contents = Fingerprint()
    if let times { contents.add(times) }
    if let items { for id in items.ids { contents.add(id: id.utf8) } }
    return contents.text
}
