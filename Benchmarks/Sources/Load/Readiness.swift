import CReadiness

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Says which connections have something to read, or room to write.
final class Readiness {
    let descriptor: Int32

    init() throws {
        descriptor = readiness_open()
        guard descriptor >= 0 else { throw ConnectionError.system("readiness") }
    }

    deinit { close(descriptor) }

    /// Begins with a connection; its end ends it.
    func watch(_ connection: Connection, _ number: Int) throws { try watch(connection, number, isNew: true) }

    /// After its ``Connection/hasOutput`` has changed.
    func watchAgain(_ connection: Connection, _ number: Int) throws { try watch(connection, number, isNew: false) }

    private func watch(_ connection: Connection, _ number: Int, isNew: Bool) throws {
        guard readiness_watch(descriptor, connection.descriptor, UInt32(number), connection.hasOutput, isNew) == 0
        else {
            throw ConnectionError.system("watch")
        }
    }
}
