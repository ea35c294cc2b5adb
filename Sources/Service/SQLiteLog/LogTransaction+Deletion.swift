import Events
import Identifiers

extension LogTransaction {
    /// What a deletion needs to know of an event.
    private struct Key: Hashable {
        var order: EventOrder
        var item, type: Int64
    }

    func deleteUser(_ id: RawID) throws(EventLogError) -> Result<ChangeOutcome, ChangeRefusal> {
        guard let user = try self.user(id) else { return .failure(.notFound) }
        let names = try Query(database, "SELECT item, type FROM events WHERE user = ?").all(user.number) {
            ($0.integer(0), $0.integer(1))
        }
        for (item, type) in names {
            count(item, -1)
            count(type, -1)
        }
        try Query(database, "DELETE FROM events WHERE user = ?").run(user.number)
        try dropCheckpoints(of: user.number, from: EventOrder(time: Timestamp(microseconds: .min), position: .min))
        try forget(id)
        countEvents(-names.count)
        return .success(.deleted(names.count))
    }

    func deleteEvents(
        of id: RawID, _ selectors: [EventSelector]
    ) throws(EventLogError) -> Result<ChangeOutcome, ChangeRefusal> {
        guard var user = try self.user(id) else { return .failure(.notFound) }
        var keys = Set<Key>()
        for selector in selectors { keys.formUnion(try self.keys(of: user.number, selector)) }
        guard let first = keys.map(\.order).min() else { return .failure(.notFound) }
        for key in keys {
            try Query(database, "DELETE FROM events WHERE user = ? AND time = ? AND position = ?")
                .run(user.number, key.order.time.microseconds, key.order.position)
            count(key.item, -1)
            count(key.type, -1)
        }
        try dropCheckpoints(of: user.number, from: first)
        countEvents(-keys.count)
        user.eventCount -= Int64(keys.count)
        user.revision = takePosition()
        user.last = try log.last(of: user.number)
        set(user, id)
        try forgetIfEmpty(id)
        return .success(.deleted(keys.count))
    }

    private func keys(of user: Int64, _ selector: EventSelector) throws(EventLogError) -> [Key] {
        let select = "SELECT time, position, item, type FROM events WHERE user = ? AND "
        let read = { (columns: Columns) throws(EventLogError) in
            Key(order: columns.order(0), item: columns.integer(2), type: columns.integer(3))
        }
        switch selector {
        case .id(let id): return try Query(database, select + "id = ?").all(user, id, read: read)
        case .position(let position):
            return try Query(database, select + "position = ?").all(user, position, read: read)
        case .item(let item, let type):
            guard let item = try log.number(of: item) else { return [] }
            guard let type else { return try Query(database, select + "item = ?").all(user, item, read: read) }
            guard let type = try log.number(of: RawID(type)) else { return [] }
            return try Query(database, select + "item = ? AND type = ?").all(user, item, type, read: read)
        }
    }

    func carryOut(_ change: ProfileChange) throws(EventLogError) {
        let id = change.user
        let profile = change.change(try log.userRow(id)?.profile)
        if try user(id) == nil {
            guard profile != nil else { return }
            set(newUser(revision: takePosition()), id)
        }
        try write(id)
        try Query(database, "UPDATE users SET profile = ? WHERE name = ?").run(profile, id)
        try forgetIfEmpty(id)
    }

    /// Forgets a user of whom nothing is known.
    private func forgetIfEmpty(_ id: RawID) throws(EventLogError) {
        guard let user = try self.user(id), user.eventCount == 0 else { return }
        try write(id)
        if try log.userRow(id)?.profile == nil { try forget(id) }
    }
}
