import Events
import GRDB

/// The tables of a log.
///
/// Users, items and types are numbers in `events`, which lie user by user in the order of their history. `names` counts the events that use
/// each item and type, so that a name goes with the last of them. Everything that is asked for all the time is counted where it changes.
enum Schema {
    /// "RBLR": says that a database is a log.
    static let application: Int64 = 0x5242_4c52
    /// The version of these tables.
    static let version: Int64 = 1
    /// So few that the first byte of a page tells pages of B-trees from others, which `CSecureDelete` relies on. 128 GB.
    static let maximumPages = (1 << 25) - 1

    static let statements = [
        """
        CREATE TABLE counters (
            event_count INTEGER NOT NULL, next_position INTEGER NOT NULL, next_user INTEGER NOT NULL) STRICT
        """,
        """
        CREATE TABLE users (
            name TEXT NOT NULL PRIMARY KEY, number INTEGER NOT NULL, event_count INTEGER NOT NULL, revision INTEGER NOT NULL,
            profile TEXT) WITHOUT ROWID, STRICT
        """,
        "CREATE TABLE names (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, uses INTEGER NOT NULL) STRICT",
        """
        CREATE TABLE events (
            user INTEGER NOT NULL, time INTEGER NOT NULL, position INTEGER NOT NULL, item INTEGER NOT NULL, type INTEGER NOT NULL,
            value REAL, id TEXT, recommendation TEXT, PRIMARY KEY (user, time, position)) WITHOUT ROWID, STRICT
        """,
        "CREATE UNIQUE INDEX event_ids ON events (user, id) WHERE id IS NOT NULL",
        "CREATE TABLE models (number INTEGER PRIMARY KEY, name TEXT UNIQUE) STRICT",
        """
        CREATE TABLE checkpoints (
            model INTEGER NOT NULL, user INTEGER NOT NULL, time INTEGER NOT NULL, position INTEGER NOT NULL,
            event_count INTEGER NOT NULL, revision INTEGER NOT NULL, state BLOB NOT NULL, PRIMARY KEY (model, user)
            ) WITHOUT ROWID, STRICT
        """,
        """
        CREATE TABLE annotations (
            item TEXT NOT NULL PRIMARY KEY, title TEXT, categories TEXT NOT NULL, hidden INTEGER NOT NULL, time INTEGER,
            labels TEXT, comment TEXT) WITHOUT ROWID, STRICT
        """,
        "CREATE TABLE facts (key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID, STRICT",
    ]

    /// Makes an empty log of an empty database.
    static func create(in database: Database) throws {
        try database.execute(sql: "PRAGMA auto_vacuum = NONE; PRAGMA encoding = 'UTF-8'")
        try database.inTransaction {
            for statement in statements { try database.execute(sql: statement) }
            try database.execute(sql: "INSERT INTO counters VALUES (0, 1, 1)")
            try database.execute(sql: "PRAGMA application_id = \(application); PRAGMA user_version = \(version)")
            return .commit
        }
    }

    /// Throws unless a database is a log of this version. Reads the first pages only.
    static func check(_ database: Database) throws {
        let path = database.logPath
        let (application, version) = (
            try Int64.fetchOne(database, sql: "PRAGMA application_id"),
            try Int64.fetchOne(database, sql: "PRAGMA user_version")
        )
        guard application == Self.application else {
            throw EventLogError.notALog("\(path) is a database, but not an event log")
        }
        guard version == Self.version else {
            throw EventLogError.notALog(
                "\(path) is an event log of version \(version ?? 0); this program knows version \(Self.version)")
        }
        let found = try String.fetchAll(database, sql: "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL")
        guard Set(found) == Set(statements) else {
            throw EventLogError.damaged("\(path) is damaged: its tables are not those of an event log")
        }
        guard try Int64.fetchOne(database, sql: "SELECT event_count FROM counters WHERE event_count >= 0") != nil else {
            throw EventLogError.damaged("\(path) is damaged: it does not say how many events it holds")
        }
    }
}
