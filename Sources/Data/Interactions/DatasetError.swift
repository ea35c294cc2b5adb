import FileSupport

/// Why interactions cannot be read or used.
public enum DatasetError: Error, Equatable, CustomStringConvertible {
    /// The system refused.
    case file(FileError)
    /// One line is not what it should be.
    case line(path: String, number: Int, reason: String)
    /// The whole file is not what it should be.
    case malformed(path: String, reason: String)
    /// A filter or a split leaves nothing, or needs what the data has not.
    case unusable(String)

    /// One sentence for people.
    public var description: String {
        switch self {
        case .file(let error): error.description
        case .line(let path, let number, let reason): "\(path), line \(number): \(reason)"
        case .malformed(let path, let reason): "\(path): \(reason)"
        case .unusable(let reason): reason
        }
    }
}

extension DatasetError: FileFailure {
    /// The file's error, if this is one.
    public var fileError: FileError? { if case .file(let error) = self { error } else { nil } }
}

/// Runs `body`, turning file errors into this module's.
func withFileErrors<Value: ~Copyable>(_ body: () throws(FileError) -> Value) throws(DatasetError) -> Value {
    do { return try body() } catch { throw .file(error) }
}
