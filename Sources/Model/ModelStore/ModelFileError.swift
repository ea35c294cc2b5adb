public import ErrorSupport
public import FileSupport
public import Models

/// A model's file that could not be read, understood or written.
public enum ModelFileError: UserFacingError, Equatable {
    /// The system refused.
    case file(FileError)
    /// The content is not what it should be.
    case malformed(path: String, reason: String)
    /// `config.json` describes no possible model.
    case configuration(path: String, ConfigurationError)

    /// The reference code has no such model.
    case notOfReference(String)
    /// The device that holds the weights failed.
    case device(String)

    /// One sentence for people.
    public var description: String {
        switch self {
        case .file(let error): error.description
        case .device(let reason): reason
        case .malformed(let path, let reason): "\(path): \(reason)"
        case .notOfReference(let reason): "the paper's reference code has no such model: \(reason)"
        case .configuration(let path, let error): "\(path): \(error)"
        }
    }

    /// The file's, the device's, that of what cannot be, else that of bad data.
    public var exitStatus: ExitStatus {
        switch self {
        case .file(let error): error.exitStatus
        case .malformed, .configuration: .badData
        case .notOfReference: .usage
        case .device: .unavailable
        }
    }
}

/// Runs `body` and wraps its file errors in this module's error.
func withFileErrors<Value>(_ body: () throws(FileError) -> Value) throws(ModelFileError) -> Value {
    do { return try body() } catch { throw .file(error) }
}

extension ModelFileError: FileFailure {
    /// The file's error, if this is one.
    public var fileError: FileError? { if case .file(let error) = self { error } else { nil } }
}
