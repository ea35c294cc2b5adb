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
        /// Ask the system what it is.
        case inspect
        /// Open a file or a folder to read it.
        case open
        /// Map a file into memory.
        case map
        /// List the entries of a folder.
        case readFolder
        /// Read, or decompress, a file that is open.
        case read
        /// Understand the line with this number, from 1.
        case readLine(Int)
        /// Use content whose checksum is another.
        case use
        /// Make a new file or folder.
        case create
        /// Write to a file that is open.
        case write
        /// Write into a folder.
        case writeInto
        /// Make the system store what was written.
        case sync
        /// Move something to this path.
        case rename
        /// Put something in the place of what is there.
        case replace

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
