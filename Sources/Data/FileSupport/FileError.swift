import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A file that could not be read or written.
public struct FileError: Error, Equatable, CustomStringConvertible {
    /// Path as the caller gave it.
    public let path: String
    /// What was being done: "open", "write", …
    public let operation: String
    /// The system's message.
    public let reason: String

    /// An error with a reason of its own.
    public init(path: String, operation: String, reason: String) {
        self.path = path
        self.operation = operation
        self.reason = reason
    }

    /// The system's last error.
    static func system(_ path: String, _ operation: String, code: Int32 = errno) -> FileError {
        FileError(path: path, operation: operation, reason: String(cString: strerror(code)))
    }

    /// The same of a file that lies elsewhere; others stay as they are.
    func moved(from folder: String, to place: String) -> FileError {
        guard path.hasPrefix(folder + "/") else { return self }
        return FileError(path: place + path.dropFirst(folder.count), operation: operation, reason: reason)
    }

    /// One sentence for people.
    public var description: String { "\(path): cannot \(operation): \(reason)" }
}

/// An error of which one kind is a file's.
public protocol FileFailure: Error {
    /// The file's error, if this is one.
    var fileError: FileError? { get }
}

extension FileError: FileFailure {
    /// Itself.
    public var fileError: FileError? { self }
}
