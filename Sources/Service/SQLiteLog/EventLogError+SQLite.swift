import Events
import FileSupport
import GRDB
import GRDBSQLite

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension EventLogError {
    /// The last error of a connection.
    init(connection: OpaquePointer?) {
        self.init(
            code: sqlite3_extended_errcode(connection), system: sqlite3_system_errno(connection),
            message: String(cString: sqlite3_errmsg(connection)), path: logPath(connection))
    }

    /// An error that GRDB, or this module within GRDB's calls, has thrown.
    init(_ error: any Error, path: String) {
        switch error {
        case let error as EventLogError: self = error
        case let error as FileError: self = .unavailable(error.description)
        case let error as DatabaseError:
            self.init(
                code: error.extendedResultCode.rawValue, system: 0, message: error.message ?? "unknown error",
                path: path)
        default: self = .unavailable("\(path): \(error)")
        }
    }

    /// One of SQLite's result codes, and the system's error behind it.
    private init(code: Int32, system: Int32, message: String, path: String) {
        let text = "\(path): \(message)"
        switch code & 0xff {
        case SQLITE_FULL: self = .full("\(path): no room is left on the disk")
        // The last one: the memory that SQLite's connections share has no room in its file.
        case SQLITE_IOERR where system == ENOSPC || system == EDQUOT || code == SQLITE_IOERR | 19 << 8:
            self = .full("\(path): no room is left on the disk")
        case SQLITE_IOERR: self = .unavailable(text + Self.reason(system))
        case SQLITE_CORRUPT, SQLITE_ERROR, SQLITE_CONSTRAINT, SQLITE_SCHEMA, SQLITE_MISMATCH, SQLITE_FORMAT:
            self = .damaged("\(path) is damaged: \(message)")
        case SQLITE_NOTADB: self = .notALog("\(path) is not an event log")
        default: self = .unavailable(text)
        }
    }

    private static func reason(_ system: Int32) -> String {
        system == 0 ? "" : ": " + String(cString: strerror(system))
    }
}

extension Database {
    /// The path of the log's file.
    var logPath: String { SQLiteLog.logPath(sqliteConnection) }
}

private func logPath(_ connection: OpaquePointer?) -> String {
    sqlite3_db_filename(connection, "main").map { String(cString: $0) } ?? "the log"
}
