/// An error for people: every public error of the library is one.
///
/// `description` says what is wrong in one sentence, in terms of the data and the model. What can be done about it is data,
/// so that a program says it in terms of its own options, buttons or settings.
public protocol UserFacingError: Error, CustomStringConvertible {
    /// What a program that the error ends reports to its caller.
    var exitStatus: ExitStatus { get }
    /// What may help, the likeliest first; any one of them may be enough.
    var remedies: [any Remedy] { get }
}

extension UserFacingError {
    /// None.
    public var remedies: [any Remedy] { [] }
}

/// Something that people can do about an error. Each module that knows of some has an enumeration of its own.
public protocol Remedy: Sendable {}

/// How a program ended, by the codes of BSD's `sysexits.h`.
public enum ExitStatus: Int32, Sendable {
    /// Arguments or settings that cannot be.
    case usage = 64
    /// Input that is not what it should be, or numbers that are not finite any more.
    case badData = 65
    /// Input that is not there, or cannot be opened.
    case noInput = 66
    /// No such device, or one that failed.
    case unavailable = 69
    /// An error of the program itself.
    case internalError = 70
    /// A limit of the system.
    case systemError = 71
    /// Output that cannot be written.
    case cannotCreate = 73
    /// Stopped by the user; a training can go on.
    case interrupted = 75
}
