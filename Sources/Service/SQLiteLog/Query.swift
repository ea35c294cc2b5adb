import Events
import GRDB
import GRDBSQLite
import Identifiers

/// A prepared statement of a connection. It binds values and reads columns directly, where GRDB's rows and arguments would allocate for each
/// of them: an event takes about ten statements, and a rebuild reads millions of rows.
struct Query {
    private let statement: Statement
    private var handle: OpaquePointer { statement.sqliteStatement }

    /// A statement that the connection keeps for the next time.
    init(_ database: Database, _ sql: String) throws(EventLogError) {
        do { statement = try database.cachedStatement(sql: sql) } catch {
            throw EventLogError(error, path: database.logPath)
        }
    }

    /// Runs a statement without rows.
    func run<each Value: Bindable>(_ values: repeat each Value) throws(EventLogError) {
        defer { sqlite3_reset(handle) }
        try bind(repeat each values)
        while try step() {}
    }

    /// Reads the first row; nil where there is none.
    func first<Result, each Value: Bindable>(
        _ values: repeat each Value, read: (Columns) throws(EventLogError) -> Result
    ) throws(EventLogError) -> Result? {
        defer { sqlite3_reset(handle) }
        try bind(repeat each values)
        return try step() ? try read(Columns(handle: handle)) : nil
    }

    /// Reads all rows.
    func all<Result, each Value: Bindable>(
        _ values: repeat each Value, read: (Columns) throws(EventLogError) -> Result
    ) throws(EventLogError) -> [Result] {
        defer { sqlite3_reset(handle) }
        try bind(repeat each values)
        var results: [Result] = []
        while try step() { results.append(try read(Columns(handle: handle))) }
        return results
    }

    private func bind<each Value: Bindable>(_ values: repeat each Value) throws(EventLogError) {
        var index: Int32 = 1
        for value in repeat each values {
            guard value.bind(to: handle, at: index) == SQLITE_OK else { throw failure() }
            index += 1
        }
    }

    private func step() throws(EventLogError) -> Bool {
        switch sqlite3_step(handle) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        default: throw failure()
        }
    }

    private func failure() -> EventLogError { EventLogError(connection: sqlite3_db_handle(handle)) }
}

/// The columns of the row where a ``Query`` is.
struct Columns {
    fileprivate let handle: OpaquePointer

    func isNull(_ column: Int32) -> Bool { sqlite3_column_type(handle, column) == SQLITE_NULL }
    func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(handle, column) }
    func optionalInteger(_ column: Int32) -> Int64? { isNull(column) ? nil : integer(column) }
    func optionalDouble(_ column: Int32) -> Double? {
        isNull(column) ? nil : sqlite3_column_double(handle, column)
    }
    func optionalText(_ column: Int32) -> String? { isNull(column) ? nil : text(column) }
    func optionalID(_ column: Int32) -> RawID? { optionalText(column).map { RawID($0) } }
    func id(_ column: Int32) -> RawID { RawID(text(column)) }

    func text(_ column: Int32) -> String {
        guard let bytes = sqlite3_column_text(handle, column) else { return "" }
        let count = Int(sqlite3_column_bytes(handle, column))
        return String(decoding: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self)
    }

    func bytes(_ column: Int32) -> [UInt8] {
        guard let bytes = sqlite3_column_blob(handle, column) else { return [] }
        return [UInt8](UnsafeRawBufferPointer(start: bytes, count: Int(sqlite3_column_bytes(handle, column))))
    }

    /// Two columns, time and position.
    func order(_ column: Int32) -> EventOrder {
        EventOrder(time: Timestamp(microseconds: integer(column)), position: integer(column + 1))
    }
}

/// A value of a parameter of a ``Query``.
protocol Bindable {
    /// Binds a copy of the value; returns SQLite's result code.
    func bind(to statement: OpaquePointer, at index: Int32) -> Int32
}

/// SQLite copies what it is given.
private nonisolated(unsafe) let copied = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

extension Int64: Bindable {
    func bind(to statement: OpaquePointer, at index: Int32) -> Int32 { sqlite3_bind_int64(statement, index, self) }
}

extension Double: Bindable {
    func bind(to statement: OpaquePointer, at index: Int32) -> Int32 { sqlite3_bind_double(statement, index, self) }
}

extension RawID: Bindable {
    func bind(to statement: OpaquePointer, at index: Int32) -> Int32 {
        withBytes { bytes in
            guard let start = bytes.baseAddress, !bytes.isEmpty else {
                return sqlite3_bind_text(statement, index, "", 0, copied)
            }
            return sqlite3_bind_text(
                statement, index, start.assumingMemoryBound(to: CChar.self), Int32(bytes.count), copied)
        }
    }
}

extension String: Bindable {
    func bind(to statement: OpaquePointer, at index: Int32) -> Int32 { RawID(self).bind(to: statement, at: index) }
}

extension [UInt8]: Bindable {
    func bind(to statement: OpaquePointer, at index: Int32) -> Int32 {
        isEmpty
            ? sqlite3_bind_zeroblob(statement, index, 0)
            : sqlite3_bind_blob(statement, index, self, Int32(count), copied)
    }
}

extension Optional: Bindable where Wrapped: Bindable {
    func bind(to statement: OpaquePointer, at index: Int32) -> Int32 {
        self?.bind(to: statement, at: index) ?? sqlite3_bind_null(statement, index)
    }
}
