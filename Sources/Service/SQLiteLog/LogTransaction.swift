import Events
import Foundation
import GRDB
import Identifiers

/// Carries out the changes of one group within a transaction. Counters of the log, of users and of names change in memory and are written once, at
/// the end; where the transaction fails, all of this goes with it.
final class LogTransaction {
    /// A user whom the group has met.
    struct User {
        var number, eventCount, revision: Int64
        /// The last event.
        var last: EventOrder?
        /// Whether there is a row, and whether it is as it should be.
        var isStored = false, isWritten = false
    }

    /// What is counted in memory.
    private struct Counts {
        var eventCount, nextPosition, nextUser: Int64
        var users: [RawID: User] = [:]
        var names: [RawID: Int64] = [:]
        /// By how many the events that use a name become more, or fewer.
        var uses: [Int64: Int64] = [:]
    }

    let database: Database
    let log: LogSnapshot
    private let now: Timestamp
    private var counts: Counts

    init(_ database: Database, now: Timestamp) throws(EventLogError) {
        (self.database, self.now) = (database, now)
        log = LogSnapshot(database: database)
        let select = try Query(database, "SELECT event_count, next_position, next_user FROM counters")
        guard let counters = try select.first(read: { ($0.integer(0), $0.integer(1), $0.integer(2)) }) else {
            throw .damaged("\(database.logPath) is damaged: it does not say how many events it holds")
        }
        counts = Counts(eventCount: counters.0, nextPosition: counters.1, nextUser: counters.2)
    }

    func carryOut(_ change: LogChange) throws(EventLogError) -> Result<ChangeOutcome, ChangeRefusal> {
        switch change {
        case .append(let events, let replaced): return try append(events, replacing: replaced)
        case .deleteUser(let user): return try deleteUser(user)
        case .deleteEvents(let user, let selectors): return try deleteEvents(of: user, selectors)
        case .checkpoint(let user, let model, let checkpoint): return try keep(checkpoint, of: user, model: model)
        case .changeProfiles(let changes): for change in changes { try carryOut(change) }
        case .annotate(let changes):
            var annotated: [AnnotatedItem] = []
            for change in changes { annotated.append(try annotate(change)) }
            return .success(.annotated(annotated))
        case .keepCheckpoints(let models): try keepCheckpoints(ofModels: models)
        case .set(let key, let value): try Query(database, "REPLACE INTO facts VALUES (?, ?)").run(key, value)
        }
        return .success(.done)
    }

    /// Writes what has been counted.
    func finish() throws(EventLogError) {
        for user in counts.users.keys { try write(user) }
        try writeNames()
        try removeCheckpoints()
        try Query(database, "UPDATE counters SET event_count = ?, next_position = ?, next_user = ?")
            .run(counts.eventCount, counts.nextPosition, counts.nextUser)
    }

    // MARK: Events

    private func append(_ events: [NewEvent]) throws(EventLogError) -> Result<ChangeOutcome, ChangeRefusal> {
        switch try Admission.decide(events, now: now, position: counts.nextPosition, in: self) {
        case .failure(let refusal): return .failure(refusal)
        case .success(let admitted):
            for event in admitted where !event.isDuplicate { try insert(event) }
            return .success(.appended(admitted))
        }
    }

    /// Forgets what is replaced and appends, or does neither.
    private func append(
        _ events: [NewEvent], replacing replaced: [RawID: [EventSelector]]
    ) throws(EventLogError) -> Result<ChangeOutcome, ChangeRefusal> {
        guard !replaced.isEmpty else { return try append(events) }
        let before = counts
        try Query(database, "SAVEPOINT replacement").run()
        for (user, selectors) in replaced { _ = try deleteEvents(of: user, selectors) }
        let result = try append(events)
        if case .failure = result {
            try Query(database, "ROLLBACK TO replacement").run()
            counts = before
        }
        try Query(database, "RELEASE replacement").run()
        return result
    }

    private func insert(_ event: AppendedEvent) throws(EventLogError) {
        let (new, order) = (event.stored.event, event.stored.order)
        var user = try self.user(new.user) ?? newUser(revision: event.revision)
        let (item, type) = (try number(new.item), try number(RawID(new.type)))
        try Query(database, "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?)").run(
            user.number, order.time.microseconds, order.position, item, type, new.value, new.id, new.recommendation)
        if event.isLate { try dropCheckpoints(of: user.number, from: order) }
        count(item, 1)
        count(type, 1)
        user.eventCount += 1
        user.revision = event.revision
        if !event.isLate { user.last = order }
        set(user, new.user)
        countEvents(1)
        counts.nextPosition = order.position + 1
    }

    // MARK: Users

    /// A user as the group has left it; nil where there is none.
    func user(_ id: RawID) throws(EventLogError) -> User? {
        if let known = counts.users[id] { return known }
        guard let row = try log.userRow(id) else { return nil }
        let user = User(
            number: row.number, eventCount: row.eventCount, revision: row.revision, last: try log.last(of: row.number),
            isStored: true, isWritten: true)
        counts.users[id] = user
        return user
    }

    /// A user without events, not stored yet.
    func newUser(revision: Int64) -> User {
        defer { counts.nextUser += 1 }
        return User(number: counts.nextUser, eventCount: 0, revision: revision, last: nil)
    }

    /// Keeps what has changed about a user.
    func set(_ user: User, _ id: RawID) {
        counts.users[id] = user
        counts.users[id]?.isWritten = false
    }

    /// Writes what has changed about a user.
    func write(_ id: RawID) throws(EventLogError) {
        guard let user = counts.users[id], !user.isWritten else { return }
        if user.isStored {
            try Query(database, "UPDATE users SET event_count = ?, revision = ? WHERE name = ?")
                .run(user.eventCount, user.revision, id)
        } else {
            try Query(database, "INSERT INTO users VALUES (?, ?, ?, ?, NULL)")
                .run(id, user.number, user.eventCount, user.revision)
        }
        counts.users[id]?.isStored = true
        counts.users[id]?.isWritten = true
    }

    /// Forgets the row of a user.
    func forget(_ id: RawID) throws(EventLogError) {
        counts.users[id] = nil
        try Query(database, "DELETE FROM users WHERE name = ?").run(id)
    }

    /// A place in the log that is no event's: that of a change of the past.
    func takePosition() -> Int64 {
        defer { counts.nextPosition += 1 }
        return counts.nextPosition
    }

    // MARK: Names

    /// The number of a name, a new one if it is new.
    private func number(_ name: RawID) throws(EventLogError) -> Int64 {
        if let number = counts.names[name] { return number }
        var number = try log.number(of: name)
        if number == nil {
            try Query(database, "INSERT INTO names (name, uses) VALUES (?, 0)").run(name)
            number = database.lastInsertedRowID
        }
        counts.names[name] = number
        return number ?? 0
    }

    /// Notes that `change` more events are in the log.
    func countEvents(_ change: Int) { counts.eventCount += Int64(change) }

    /// Notes that `change` more events use a name.
    func count(_ name: Int64, _ change: Int64) { counts.uses[name, default: 0] += change }

    /// Writes how many events use each name, and forgets names that none does.
    private func writeNames() throws(EventLogError) {
        for (number, change) in counts.uses {
            if change != 0 {
                try Query(database, "UPDATE names SET uses = uses + ? WHERE number = ?").run(change, number)
            }
            if change <= 0 { try Query(database, "DELETE FROM names WHERE number = ? AND uses = 0").run(number) }
        }
    }
}

extension LogTransaction: AdmissionLookup {
    func tail(of user: RawID) throws(EventLogError) -> UserTail? {
        try self.user(user).map { UserTail(last: $0.last, revision: $0.revision) }
    }

    func event(of user: RawID, id: RawID) throws(EventLogError) -> StoredEvent? {
        guard let row = try self.user(user) else { return nil }
        return try log.event(of: user, row.number, .id(id))
    }
}
