import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A terminal without a person before it: what programs write to it is kept.
final class Terminal {
    private let master: FileHandle
    /// What a program gets as its standard error.
    let slave: FileHandle
    private let reader: Thread
    private let received = Received()

    private final class Received: @unchecked Sendable {
        let done = DispatchSemaphore(value: 0)
        var bytes = Data()
    }

    init(columns: UInt16) throws {
        let (descriptor, name) = try Self.openPair()
        var size = winsize(ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        let other = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC)
        guard other >= 0, ioctl(other, UInt(TIOCSWINSZ), &size) == 0 else { throw POSIXError(.ENOTTY) }
        (master, slave) = (FileHandle(fileDescriptor: descriptor), FileHandle(fileDescriptor: other))
        reader = Thread { [received] in
            var buffer = [UInt8](repeating: 0, count: 4096)
            while true {
                let count = read(descriptor, &buffer, buffer.count)
                if count <= 0 { break }  // an error where all others have closed it
                received.bytes.append(contentsOf: buffer[0..<count])
            }
            received.done.signal()
        }
        reader.start()
    }

    private static func openPair() throws -> (master: Int32, slave: String) {
        #if os(Linux)
            // Swift's Glibc has no posix_openpt; these are TIOCSPTLCK and TIOCGPTN.
            let master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
            var (isLocked, number) = (Int32(0), UInt32(0))
            guard master >= 0, ioctl(master, 0x4004_5431, &isLocked) == 0, ioctl(master, 0x8004_5430, &number) == 0
            else { throw POSIXError(.ENOTTY) }
            return (master, "/dev/pts/\(number)")
        #else
            let master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)
            guard master >= 0, grantpt(master) == 0, unlockpt(master) == 0, let name = ptsname(master) else {
                throw POSIXError(.ENOTTY)
            }
            return (master, String(cString: name))
        #endif
    }

    /// Everything that was written, when no program has the terminal any more.
    func text() throws -> String {
        try slave.close()
        received.done.wait()
        try master.close()
        return String(decoding: received.bytes, as: UTF8.self).replacing("\r\n", with: "\n")
    }
}
