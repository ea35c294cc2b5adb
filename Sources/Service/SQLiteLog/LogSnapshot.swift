import Events
import Foundation
import GRDB
import Identifiers

/// What a connection sees within a transaction.
struct LogSnapshot {
    let database: Database

    /// A row of `users`.
    struct UserRow {
        var number, eventCount, revision: Int64
        var profile: String?
    }

    func userRow(_ user: RawID) throws(EventLogError) -> UserRow? {
        try Query(database, "SELECT number, event_count, revision, profile FROM users WHERE name = ?").first(user) {
            UserRow(
                number: $0.integer(0), eventCount: $0.integer(1), revision: $0.integer(2), profile: $0.optionalText(3))
        }
    }

    func first(of user: Int64) throws(EventLogError) -> EventOrder? {
        try Query(database, "SELECT time, position FROM events WHERE user = ? ORDER BY time, position LIMIT 1")
            .first(user) { $0.order(0) }
    }

    func last(of user: Int64) throws(EventLogError) -> EventOrder? {
        try Query(
            database, "SELECT time, position FROM events WHERE user = ? ORDER BY time DESC, position DESC LIMIT 1"
        )
        .first(user) { $0.order(0) }
    }

    // MARK: Events

    /// Names are joined from the left: an event without its names is damage, which must not look like no event.
    private static let selectEvents = """
        SELECT e.time, e.position, i.name, t.name, e.value, e.id, e.recommendation FROM events AS e
        LEFT JOIN names AS i ON i.number = e.item LEFT JOIN names AS t ON t.number = e.type WHERE e.user = ?
        """

    private static let selectAfter =
        selectEvents + " AND (e.time, e.position) > (?, ?) ORDER BY e.time, e.position LIMIT ?"
    private static let selectBefore =
        selectEvents + " AND (e.time, e.position) < (?, ?) ORDER BY e.time DESC, e.position DESC LIMIT ?"

    private func stored(_ user: RawID, _ columns: Columns) throws(EventLogError) -> StoredEvent {
        guard !columns.isNull(2), !columns.isNull(3) else {
            throw .damaged("\(database.logPath) is damaged: an event has lost its item or type")
        }
        let order = columns.order(0)
        return StoredEvent(
            NewEvent(
                user: user, item: columns.id(2), type: columns.text(3), time: order.time,
                value: columns.optionalDouble(4), id: columns.optionalID(5), recommendation: columns.optionalID(6)),
            order: order)
    }

    func events(
        of user: RawID, _ number: Int64, after: EventOrder?, limit: Int
    ) throws(EventLogError) -> [StoredEvent] {
        try Query(database, Self.selectAfter).all(
            number, after?.time.microseconds ?? .min, after?.position ?? .min, Int64(limit)
        ) { (columns) throws(EventLogError) in try stored(user, columns) }
    }

    func events(
        of user: RawID, _ number: Int64, before: EventOrder?, limit: Int
    ) throws(EventLogError) -> [StoredEvent] {
        try Query(database, Self.selectBefore).all(
            number, before?.time.microseconds ?? .max, before?.position ?? .max, Int64(limit)
        ) { (columns) throws(EventLogError) in try stored(user, columns) }
    }

    func event(of user: RawID, _ number: Int64, _ selector: EventSelector) throws(EventLogError) -> StoredEvent? {
        let read = { (columns: Columns) throws(EventLogError) in try stored(user, columns) }
        switch selector {
        case .id(let id): return try event(where: "e.id = ?").first(number, id, read: read)
        case .position(let position): return try event(where: "e.position = ?").first(number, position, read: read)
        case .item(let item, let type):
            guard let item = try self.number(of: item) else { return nil }
            guard let type else { return try event(where: "e.item = ?").first(number, item, read: read) }
            guard let type = try self.number(of: RawID(type)) else { return nil }
            return try event(where: "e.item = ? AND e.type = ?").first(number, item, type, read: read)
        }
    }

    private func event(where condition: String) throws(EventLogError) -> Query {
        try Query(
            database, Self.selectEvents + " AND \(condition) ORDER BY e.time DESC, e.position DESC LIMIT 1")
    }

    func items(of user: Int64, types: Set<RawID>?) throws(EventLogError) -> [(item: RawID, last: Timestamp)] {
        var numbers: Set<Int64>?
        if let types {
            numbers = []
            for type in types { if let number = try number(of: type) { numbers!.insert(number) } }
        }
        var last: [Int64: Timestamp] = [:]
        _ = try Query(database, "SELECT item, time, type FROM events WHERE user = ? ORDER BY time, position").all(user)
        {
            guard numbers?.contains($0.integer(2)) ?? true else { return }
            last[$0.integer(0)] = Timestamp(microseconds: $0.integer(1))
        }
        var items: [(item: RawID, last: Timestamp)] = []
        items.reserveCapacity(last.count)
        for (number, time) in last { items.append((try name(number), time)) }
        return items
    }

    // MARK: Names

    func number(of name: RawID) throws(EventLogError) -> Int64? {
        try Query(database, "SELECT number FROM names WHERE name = ?").first(name) { $0.integer(0) }
    }

    private func name(_ number: Int64) throws(EventLogError) -> RawID {
        guard
            let name = try Query(database, "SELECT name FROM names WHERE number = ?").first(number, read: { $0.id(0) })
        else { throw .damaged("\(database.logPath) is damaged: an event has lost its item or type") }
        return name
    }

    // MARK: The rest

    func users(after: RawID?, limit: Int) throws(EventLogError) -> [(user: RawID, eventCount: Int)] {
        try rows("name, event_count", of: "users", by: "name", after: after, limit: limit) {
            (user: $0.id(0), eventCount: Int($0.integer(1)))
        }
    }

    /// Up to `limit` rows of a table by a key, after `after`.
    private func rows<Row>(
        _ columns: String, of table: String, by key: String, after: RawID?, limit: Int,
        read: (Columns) throws(EventLogError) -> Row
    ) throws(EventLogError) -> [Row] {
        let select = "SELECT \(columns) FROM \(table)"
        guard let after else {
            return try Query(database, "\(select) ORDER BY \(key) LIMIT ?").all(Int64(limit), read: read)
        }
        return try Query(database, "\(select) WHERE \(key) > ? ORDER BY \(key) LIMIT ?")
            .all(after, Int64(limit), read: read)
    }

    func checkpoint(of user: Int64, model: String) throws(EventLogError) -> StateCheckpoint? {
        try Query(
            database,
            """
            SELECT c.time, c.position, c.event_count, c.revision, c.state FROM models AS m
            JOIN checkpoints AS c ON c.model = m.number AND c.user = ? WHERE m.name = ?
            """
        ).first(user, model) {
            StateCheckpoint(
                last: $0.order(0), eventCount: Int($0.integer(2)), revision: $0.integer(3), state: $0.bytes(4))
        }
    }

    func annotation(of item: RawID) throws(EventLogError) -> ItemAnnotation? {
        try Query(
            database, "SELECT item, title, categories, hidden, time, labels, comment FROM annotations WHERE item = ?"
        ).first(item) { (columns) throws(EventLogError) in try annotation(columns).annotation }
    }

    func annotations(
        after: RawID?, limit: Int
    ) throws(EventLogError) -> [(item: RawID, annotation: ItemAnnotation)] {
        try rows(
            "item, title, categories, hidden, time, labels, comment", of: "annotations", by: "item", after: after,
            limit: limit
        ) { (columns) throws(EventLogError) in try annotation(columns) }
    }

    private func annotation(
        _ columns: Columns
    ) throws(EventLogError) -> (item: RawID, annotation: ItemAnnotation) {
        guard let categories = try? JSONDecoder().decode([String].self, from: Data(columns.text(2).utf8)) else {
            throw .damaged("\(database.logPath) is damaged: an item's categories cannot be read")
        }
        return (
            columns.id(0),
            ItemAnnotation(
                title: columns.optionalText(1), categories: categories, isHidden: columns.integer(3) != 0,
                time: columns.optionalInteger(4).map(Timestamp.init(microseconds:)), labels: columns.optionalText(5),
                comment: columns.optionalText(6))
        )
    }

    func value(of key: String) throws(EventLogError) -> String? {
        try Query(database, "SELECT value FROM facts WHERE key = ?").first(key) { $0.text(0) }
    }

    func eventCount() throws(EventLogError) -> Int {
        guard let count = try Query(database, "SELECT event_count FROM counters").first(read: { Int($0.integer(0)) })
        else {
            throw .damaged("\(database.logPath) is damaged: it does not say how many events it holds")
        }
        return count
    }

    /// The last place that was given to an event or a deletion.
    func lastPosition() throws(EventLogError) -> Int64 {
        try Query(database, "SELECT next_position - 1 FROM counters").first { $0.integer(0) } ?? 0
    }
}
