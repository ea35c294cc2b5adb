public import Events
import FileSupport
public import Foundation
import GRDB

/// The log in a folder: an SQLite database that one process at a time changes, and others may read.
///
/// A group of changes is one transaction, and with ``Durability/full`` one wait for the disk.
public final class SQLiteEventLog: SQLiteEventReader, EventLog, @unchecked Sendable {
    private let lock: FileLock
    private let checkpoints: WALCheckpoints

    /// Opens the log in a folder, or makes an empty one where there is no folder or nothing in it. O(1), but for what a killed process left.
    public init(_ folder: URL, durability: Durability = .full) throws(EventLogError) {
        do { try makeFolder(folder) } catch { throw .unavailable(error.description) }
        lock = try Self.lock(folder)
        try LogConnections.prepareProcess()
        let path = folder.appendingPathComponent(Self.fileName).path
        let (pool, checkpoints) = try withLogErrors(path) {
            try Self.createIfNeeded(folder)
            let pool = try DatabasePool(path: path, configuration: LogConnections.configuration)
            let checkpoints = try WALCheckpoints(path)
            try pool.writeWithoutTransaction { database in
                // GRDB sets NORMAL when it turns the write-ahead log on.
                try database.execute(sql: "PRAGMA synchronous = \(durability == .full ? "FULL" : "NORMAL")")
                checkpoints.observe(database)
            }
            try Self.checkForDamage(pool, checkpoints)
            return (pool, checkpoints)
        }
        self.checkpoints = checkpoints
        super.init(pool)
    }

    deinit {
        checkpoints.finish()
        try? pool.close()
        try? checkpoints.close()
    }

    /// Carries out a group of changes in one transaction.
    public func commit(
        _ changes: [LogChange], now: Timestamp
    ) throws(EventLogError) -> [Result<ChangeOutcome, ChangeRefusal>] {
        let results = try withLogErrors(path) { try write(changes, now: now) }
        checkpoints.startIfNeeded(pool)
        return results
    }

    private func write(
        _ changes: [LogChange], now: Timestamp
    ) throws -> [Result<ChangeOutcome, ChangeRefusal>] {
        var results: [Result<ChangeOutcome, ChangeRefusal>] = []
        try pool.writeWithoutTransaction { database in
            do {
                try database.inTransaction(.immediate) {
                    let transaction = try LogTransaction(database, now: now)
                    for change in changes { results.append(try transaction.carryOut(change)) }
                    try transaction.finish()
                    return .commit
                }
            } catch {
                // Who never had the database to itself has written nothing.
                if (error as? DatabaseError)?.resultCode != .SQLITE_BUSY { forgetFailedCommit(database) }
                throw error
            }
        }
        return results
    }

    /// Where the disk failed at the very end of a commit, the group may be in the write-ahead log, though nobody was told so: after a crash it
    /// would be there again. Another commit overwrites it.
    private func forgetFailedCommit(_ database: Database) {
        try? database.execute(sql: "UPDATE counters SET event_count = event_count")
    }

    /// Makes sure that nothing deleted is left in any file.
    public func purgeDeleted() throws(EventLogError) {
        try withLogErrors(path) { try checkpoints.empty() }
    }

    // MARK: Opening

    /// The name of the file that the process which writes has locked.
    static let lockName = "log.lock"

    private static func lock(_ folder: URL) throws(EventLogError) -> FileLock {
        switch FileLock.attempt(folder.appendingPathComponent(lockName).path, creating: true) {
        case .held(let lock): return lock
        case .taken: throw .inUse("\(folder.path): another process uses this store")
        case .impossible:
            throw .unavailable("\(folder.path): cannot be locked, and a second process could write to it")
        }
    }

    /// Makes an empty log beside its place and moves it there: a file at its place is always whole, and one that is not is damaged.
    private static func createIfNeeded(_ folder: URL) throws {
        let place = folder.appendingPathComponent(fileName)
        let files = FileManager.default
        guard !files.fileExists(atPath: place.path) else { return }
        if files.fileExists(atPath: place.path + "-wal") {
            throw EventLogError.damaged("\(place.path) is missing, though \(fileName)-wal is there")
        }
        let new = folder.appendingPathComponent(fileName + ".new")
        for name in [new.path, new.path + "-journal"] where files.fileExists(atPath: name) {
            try files.removeItem(atPath: name)
        }
        try LogConnections.create(at: new.path)
        try files.moveItem(at: new, to: place)
        syncFolder(folder.path)
    }

    /// Throws where the file is shorter than it says, or where a small one has a page that cannot be right. Reads up to 64 MB.
    private static func checkForDamage(_ pool: DatabasePool, _ checkpoints: WALCheckpoints) throws {
        // With all pages in the file, its length must fit. Where somebody reads, this is left out.
        try? checkpoints.empty()
        try pool.writeWithoutTransaction { database in
            let size = try FileManager.default.attributesOfItem(atPath: pool.path)[.size] as? Int ?? 0
            guard size <= 64 << 20 else { return }
            let finding = try String.fetchOne(database, sql: "PRAGMA quick_check(1)")
            guard finding == "ok" else { throw EventLogError.damaged("\(pool.path) is damaged: \(finding ?? "")") }
        }
    }

    /// What each connection says about a setting, for tests: the writer's, a reader's, that of the connection which moves the log.
    func pragma(_ name: String) throws -> [Int64?] {
        [
            try pool.writeWithoutTransaction { try Int64.fetchOne($0, sql: "PRAGMA \(name)") },
            try pool.read { try Int64.fetchOne($0, sql: "PRAGMA \(name)") }, try checkpoints.pragma(name),
        ]
    }
}
