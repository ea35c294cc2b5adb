import CSecureDelete
import Dispatch
import Events
import GRDB
import GRDBSQLite
import Synchronization

/// How connections to a log are set up.
enum LogConnections {
    /// For all of them. What a connection has deleted is zeroed, nothing goes to temporary files, and an append waits for a short while where
    /// another process looks at the log in a way that excludes it.
    static var configuration: Configuration {
        var configuration = Configuration()
        configuration.label = "recblr-log"
        configuration.maximumReaderCount = 8
        configuration.busyMode = .timeout(5)
        configuration.prepareDatabase { database in
            try database.execute(sql: "PRAGMA temp_store = MEMORY")
            try Schema.check(database)
            // Readers, of which there are many, leave pages to the system's cache.
            guard !database.configuration.readonly else { return }
            try database.execute(
                sql: """
                    PRAGMA cache_size = -8000; PRAGMA secure_delete = ON; PRAGMA max_page_count = \(Schema.maximumPages);
                    PRAGMA journal_size_limit = 67108864; PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON
                    """)
        }
        return configuration
    }

    /// Makes an empty log at a path.
    static func create(at path: String) throws {
        var configuration = Configuration()
        configuration.label = "recblr-log"
        let database = try DatabaseQueue(path: path, configuration: configuration)
        try database.writeWithoutTransaction { try Schema.create(in: $0) }
        try database.close()
    }

    /// Prepares SQLite for this process, once.
    static func prepareProcess() throws(EventLogError) {
        guard recblr_register_secure_delete() == SQLITE_OK else { throw .unavailable("SQLite does not start") }
    }
}

/// Moves what was committed from the write-ahead log into the database's file, on a connection of its own, so that no append waits for it but
/// for a moment at the end.
final class WALCheckpoints: Sendable {
    /// The log is moved when it has so many pages: 16 MB.
    private static let pages = 4000
    private let database: DatabaseQueue
    private let queue = DispatchQueue(label: "recblr-log.checkpoints")
    private let isRunning = Atomic(false)
    /// The number of pages in the log after the last commit, which SQLite keeps up to date.
    private let size = Box()

    private final class Box: Sendable { let pages = Atomic(0) }

    init(_ path: String) throws {
        var configuration = LogConnections.configuration
        configuration.busyMode = .timeout(0.1)
        database = try DatabaseQueue(path: path, configuration: configuration)
        try database.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
    }

    /// Counts the pages that the writer's connection commits, and keeps SQLite from moving them within a commit. The connection must not
    /// outlive this object.
    func observe(_ writer: Database) {
        sqlite3_wal_hook(
            writer.sqliteConnection,
            { box, _, _, pages in
                Unmanaged<Box>.fromOpaque(box!).takeUnretainedValue().pages.store(Int(pages), ordering: .relaxed)
                return SQLITE_OK
            }, Unmanaged.passUnretained(size).toOpaque())
    }

    /// Starts moving where the log has grown large.
    func startIfNeeded(_ writer: DatabasePool) {
        guard size.pages.load(ordering: .relaxed) >= Self.pages, !isRunning.exchange(true, ordering: .acquiring) else {
            return
        }
        queue.async { [self] in
            // Where it fails, the log grows on, and the next commit tries again.
            try? database.writeWithoutTransaction { _ = try $0.checkpoint(.passive) }
            // What came meanwhile is little. With it moved, the next commit writes at the log's beginning again.
            try? writer.writeWithoutTransaction { _ = try $0.checkpoint(.passive) }
            isRunning.store(false, ordering: .releasing)
        }
    }

    /// Moves everything and empties the log's file. Throws where a reader still needs it.
    func empty() throws {
        // One connection at a time may move: SQLite refuses another one at once, however long it is ready to wait.
        try queue.sync {
            try database.writeWithoutTransaction {
                try $0.checkpoint(.passive)
                try $0.checkpoint(.truncate)
            }
        }
    }

    /// Returns when nothing is being moved.
    func finish() { queue.sync {} }

    /// Closes the connection, after the writer's.
    func close() throws { try database.close() }

    /// What the connection says about itself, for tests.
    func pragma(_ name: String) throws -> Int64? {
        try database.writeWithoutTransaction { try Int64.fetchOne($0, sql: "PRAGMA \(name)") }
    }
}
