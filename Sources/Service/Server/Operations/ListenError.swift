public import ErrorSupport
import NIOCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Why a server cannot listen where it should.
public struct ListenError: UserFacingError, Equatable {
    /// One sentence for people.
    public let description: String
    /// That of something that is not available, or that the system forbids.
    public let exitStatus: ExitStatus

    /// What an error means that ended the server on this address.
    init(_ error: any Error, host: String, port: Int) {
        let place = "port \(port) of \(host)"
        switch (error as? IOError)?.errnoCode {
        case EADDRINUSE?:
            self.init("\(place) is in use by another program: choose another with --port", .unavailable)
        case EADDRNOTAVAIL?:
            self.init("\(host) is no address of this machine: choose another with --host", .unavailable)
        case EACCES?, EPERM?:
            self.init("\(place) may not be used by this user: choose a --port above 1023", .systemError)
        case let code?: self.init("\(place): cannot listen: \(String(cString: strerror(code)))", .systemError)
        case nil where error is SocketAddressError:
            self.init("\(host) is no address that this machine knows: choose another with --host", .usage)
        case nil: self.init("\(place): the server ended: \(error)", .internalError)
        }
    }

    private init(_ description: String, _ exitStatus: ExitStatus) {
        (self.description, self.exitStatus) = (description, exitStatus)
    }
}
