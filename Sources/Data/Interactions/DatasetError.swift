public import ErrorSupport
public import FileSupport

/// Why interactions cannot be read or used.
public enum DatasetError: UserFacingError, Equatable {
    /// The system refused.
    case file(FileError)
    /// One line is not what it should be.
    case line(path: String, number: Int, reason: String, remedies: [LogRemedy] = [])
    /// One row of a table, counted from 0, is not what it should be.
    case row(table: String, number: Int, reason: String, remedies: [LogRemedy] = [])
    /// The whole file is not what it should be.
    case malformed(path: String, reason: String, remedies: [LogRemedy] = [])
    /// A filter or a split leaves nothing, or needs what the data has not.
    case unusable(String, remedies: [LogRemedy] = [])
    /// Whoever was told of the progress wanted no more; nothing is written.
    case stopped

    /// One sentence for people.
    public var description: String {
        switch self {
        case .file(let error): error.description
        case .line(let path, let number, let reason, _): "\(path), line \(number): \(reason)"
        case .row(let table, let number, let reason, _): "\(table), row \(number) (counted from 0): \(reason)"
        case .malformed(let path, let reason, _): "\(path): \(reason)"
        case .unusable(let reason, _): reason
        case .stopped: "stopped while events were read; nothing is written"
        }
    }

    /// The file's, that of what was stopped, else that of bad data.
    public var exitStatus: ExitStatus {
        switch self {
        case .file(let error): error.exitStatus
        case .stopped: .interrupted
        case .line, .row, .malformed, .unusable: .badData
        }
    }

    /// What a reader of logs can be told.
    public var remedies: [any Remedy] {
        switch self {
        case .file(let error): error.remedies
        case .line(_, _, _, let remedies), .row(_, _, _, let remedies), .malformed(_, _, let remedies),
            .unusable(_, let remedies):
            remedies
        case .stopped: []
        }
    }
}

/// What can be told to ``ReadOptions`` or ``Filters``, or done to a log, so that it can be read and used.
public enum LogRemedy: Remedy, Equatable {
    /// Name the column, or the key, that has this role.
    case nameColumn(ColumnRole)
    /// Give the number of the column that has this role: its name occurs more than once.
    case numberColumn(ColumnRole)
    /// The table has no header: give numbers of its columns, from 1; these are what they look like. `time` is nil where no column
    /// looks like times: then the order of the lines is the order of time.
    case numberColumns(user: Int, item: Int, time: Int?)
    /// Take the order of the lines for the order of time.
    case fileOrder
    /// Say whether the first line names the columns.
    case tellHeader
    /// Do not say that there is no header.
    case keepHeader
    /// Name the format.
    case nameFormat
    /// Read it as this format, if that is what it is.
    case format(InputFormat)
    /// Read it as a table whose quotes mean nothing, with this delimiter.
    case withoutQuotes(Delimiter)
    /// Count malformed lines and pass over them.
    case skipBadLines
    /// Make a text of this format of it, which this command line of a shell writes to standard output. FILE stands for a file without
    /// a name.
    case convert(shell: String, to: InputFormat)
    /// Give what this expression in Python is, an Arrow table, to the Python package. FILE stands for a file without a name.
    case readInPython(table: String)
    /// Ask for fewer events of a user or an item.
    case fewerEvents
}

extension DatasetError: FileFailure {
    /// The file's error, if this is one.
    public var fileError: FileError? { if case .file(let error) = self { error } else { nil } }
}

/// Runs `body`, turning file errors into this module's.
func withFileErrors<Value: ~Copyable>(_ body: () throws(FileError) -> Value) throws(DatasetError) -> Value {
    do { return try body() } catch { throw .file(error) }
}
