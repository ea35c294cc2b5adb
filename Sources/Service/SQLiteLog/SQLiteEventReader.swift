public import Events
import FileSupport
public import Foundation
import GRDB
public import Identifiers

/// Reads the log in a folder, also beside the process that writes it.
public class SQLiteEventReader: EventReader, @unchecked Sendable {
    /// The name of the log's file in its folder.
    public static let fileName = "log.sqlite"
    let pool: DatabasePool
    var path: String { pool.path }

    /// Opens the log in a folder. Nothing is changed there but SQLite's own files beside it.
    public init(_ folder: URL) throws(EventLogError) {
        let path = folder.appendingPathComponent(Self.fileName).path
        guard FileManager.default.fileExists(atPath: path) else {
            throw .notALog("\(folder.path) holds no event log: there is no \(Self.fileName)")
        }
        var configuration = LogConnections.configuration
        configuration.readonly = true
        pool = try withLogErrors(path) { try DatabasePool(path: path, configuration: configuration) }
    }

    init(_ pool: DatabasePool) { self.pool = pool }

    /// What is known of a user.
    public func user(_ user: RawID) throws(EventLogError) -> UserSummary? {
        try read { (log) throws(EventLogError) in
            guard let row = try log.userRow(user) else { return nil }
            return UserSummary(
                eventCount: Int(row.eventCount), first: try log.first(of: row.number),
                last: try log.last(of: row.number),
                profile: row.profile)
        }
    }

    /// Up to `limit` events of a user after `after`.
    public func events(of user: RawID, after: EventOrder?, limit: Int) throws(EventLogError) -> [StoredEvent] {
        try read { (log) throws(EventLogError) in
            guard let row = try log.userRow(user) else { return [] }
            return try log.events(of: user, row.number, after: after, limit: limit)
        }
    }

    /// Up to `limit` events of a user before `before`, the last one first.
    public func latestEvents(
        of user: RawID, before: EventOrder?, limit: Int
    ) throws(EventLogError) -> [StoredEvent] {
        try read { (log) throws(EventLogError) in
            guard let row = try log.userRow(user) else { return [] }
            return try log.events(of: user, row.number, before: before, limit: limit)
        }
    }

    /// The last event of a user that is meant.
    public func event(of user: RawID, _ selector: EventSelector) throws(EventLogError) -> StoredEvent? {
        try read { (log) throws(EventLogError) in
            guard let row = try log.userRow(user) else { return nil }
            return try log.event(of: user, row.number, selector)
        }
    }

    /// The items of a user's events.
    public func items(
        of user: RawID, types: Set<RawID>?
    ) throws(EventLogError) -> [(item: RawID, last: Timestamp)] {
        try read { (log) throws(EventLogError) in
            guard let row = try log.userRow(user) else { return [] }
            return try log.items(of: row.number, types: types)
        }
    }

    /// Up to `limit` users after `after`.
    public func users(after: RawID?, limit: Int) throws(EventLogError) -> [(user: RawID, eventCount: Int)] {
        try read { (log) throws(EventLogError) in try log.users(after: after, limit: limit) }
    }

    /// A checkpoint and what comes after it.
    public func history(of user: RawID, model: String, limit: Int) throws(EventLogError) -> UserHistory? {
        try read { (log) throws(EventLogError) in
            guard let row = try log.userRow(user) else { return nil }
            let checkpoint = try log.checkpoint(of: row.number, model: model)
            let wanted = limit < .max ? limit + 1 : limit
            let events = try log.events(of: user, row.number, after: checkpoint?.last, limit: wanted)
            return UserHistory(
                checkpoint: checkpoint, events: Array(events.prefix(limit)), hasMore: events.count > limit,
                revision: row.revision, position: try log.lastPosition())
        }
    }

    /// What programs have said about an item.
    public func annotation(of item: RawID) throws(EventLogError) -> ItemAnnotation? {
        try read { (log) throws(EventLogError) in try log.annotation(of: item) }
    }

    /// Up to `limit` annotated items after `after`.
    public func annotations(
        after: RawID?, limit: Int
    ) throws(EventLogError) -> [(item: RawID, annotation: ItemAnnotation)] {
        try read { (log) throws(EventLogError) in try log.annotations(after: after, limit: limit) }
    }

    /// A fact that was set.
    public func value(of key: String) throws(EventLogError) -> String? {
        try read { (log) throws(EventLogError) in try log.value(of: key) }
    }

    /// The number of events.
    public func eventCount() throws(EventLogError) -> Int {
        try read { (log) throws(EventLogError) in try log.eventCount() }
    }

    /// Reads at one moment of the log.
    private func read<Value>(
        _ body: (LogSnapshot) throws(EventLogError) -> Value
    ) throws(EventLogError) -> Value {
        try withLogErrors(path) {
            try pool.unsafeRead { database in
                try Query(database, "BEGIN").run()
                // A transaction that only reads ends well; where it does not, the connection says so at the next BEGIN.
                defer { try? Query(database, "COMMIT").run() }
                return try body(LogSnapshot(database: database))
            }
        }
    }
}

/// Calls `body`; what it throws becomes a log's error.
func withLogErrors<Value>(_ path: String, _ body: () throws -> Value) throws(EventLogError) -> Value {
    do { return try body() } catch { throw EventLogError(error, path: path) }
}
