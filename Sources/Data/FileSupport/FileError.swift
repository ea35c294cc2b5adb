public import ErrorSupport
import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A file that could not be read or written.
public struct FileError: UserFacingError, Equatable {
    /// Path as the caller gave it.
    public let path: String
    /// What was being done.
    public let operation: Operation
    /// The system's message.
    public let reason: String

    /// An error with a reason of its own.
    public init(path: String, operation: Operation, reason: String) {
        self.path = path
        self.operation = operation
        self.reason = reason
    }

    /// The system's last error.
    static func system(_ path: String, _ operation: Operation, code: Int32 = errno) -> FileError {
        FileError(path: path, operation: operation, reason: String(cString: strerror(code)))
    }

    /// The same of a file that lies elsewhere; others stay as they are.
    func moved(from folder: String, to place: String) -> FileError {
        guard path.hasPrefix(folder + "/") else { return self }
        return FileError(path: place + path.dropFirst(folder.count), operation: operation, reason: reason)
    }

    /// One sentence for people.
    public var description: String { "\(path): cannot \(operation): \(reason)" }

    /// What to tell the caller of a program.
    public var exitStatus: ExitStatus {
        switch operation {
        case .inspect, .open, .map, .readFolder: .noInput
        case .read, .readLine, .use: .badData
        case .create, .write, .writeInto, .sync, .rename, .replace: .cannotCreate
        }
    }

    /// What can be done with a file or a folder, in words that follow "cannot".
    public enum Operation: Sendable, Equatable, CustomStringConvertible {
        case inspect, open, map, readFolder, read, readLine(Int)
        /// Its content is not what a checksum says.
        case use
        case create, write, writeInto, sync, rename, replace

        /// A verb.
        public var description: String {
            switch self {
            case .inspect: "inspect"
            case .open: "open"
            case .map: "map"
            case .readFolder: "read the folder"
            case .read: "read"
            case .readLine(let number): "read line \(number)"
            case .use: "use"
            case .create: "create"
            case .write: "write"
            case .writeInto: "write into"
            case .sync: "sync"
            case .rename: "rename to"
            case .replace: "replace"
            }
        }
    }
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
