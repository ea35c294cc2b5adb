import ArrowData
import CArrow
import ErrorSupport
import Identifiers
import Interactions

/// The events of a dataset as a table: user, item and, where there are times, timestamp. User after user, each in order of time.
struct EventTable {
    private let data: Dataset
    private var user = 0

    init(_ data: Dataset) { self.data = data }

    func export(to place: UnsafeMutablePointer<ArrowArrayStream>) {
        var columns: [(name: String, type: TableColumnType)] = [("user", .text), ("item", .text)]
        if data.hasTimestamps { columns.append(("timestamp", data.hasDates ? .timestamp : .int64)) }
        var rest = self
        TableStream.export(columns, to: place) { try rest.next() }
    }

    /// The events of some users: some ten thousand, or those of one.
    private mutating func next() throws -> TableBatch? {
        guard user < data.userCount else { return nil }
        var (users, items, times): ([String], [String], [Int64]) = ([], [], [])
        while user < data.userCount, items.count < 1 << 14 {
            let events = data.sequence(ofUser: user)
            users += repeatElement(data.users?.ids[user] ?? String(user + 1), count: events.count)
            items += try events.map(id)
            times += data.timestamps(ofUser: user) ?? []
            user += 1
        }
        var columns: [TableColumn] = [.text(users), .text(items)]
        if data.hasTimestamps {
            columns.append(data.hasDates ? .timestamps(times.map(Self.microseconds)) : .int64(times))
        }
        return TableBatch(columns)
    }

    /// Throws where there is no such item, as when somebody has written over the dataset's files.
    private func id(_ item: ItemID) throws(CallError) -> String {
        guard (0..<data.itemCount).contains(item.row) else {
            throw CallError(
                .badData, "the dataset's files were changed while they were read: there is no item \(item.rawValue)")
        }
        return data.items?.ids[item.row] ?? String(item.rawValue)
    }

    /// Of nanoseconds, rounded down.
    private static func microseconds(_ nanoseconds: Int64) -> Int64 {
        let (quotient, remainder) = nanoseconds.quotientAndRemainder(dividingBy: 1000)
        return remainder < 0 ? quotient - 1 : quotient
    }
}
