#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Lets this process open as many connections as the system allows it to ask for.
func raiseConnectionLimit() {
    #if canImport(Glibc)
        let files = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    #else
        let files = RLIMIT_NOFILE
    #endif
    var limit = rlimit()
    guard getrlimit(files, &limit) == 0 else { return }
    limit.rlim_cur = limit.rlim_max
    setrlimit(files, &limit)
}

/// The address of a server on this machine.
struct ServerAddress: Sendable {
    /// A port on 127.0.0.1.
    let port: UInt16
}

/// Why a server cannot be asked.
struct ConnectionError: Error, CustomStringConvertible {
    let description: String

    /// The last error of the system, after what was tried.
    static func system(_ attempt: String) -> ConnectionError {
        ConnectionError(description: "\(attempt): \(String(cString: strerror(errno)))")
    }
}

/// A kept-alive HTTP/1.1 connection with at most one request under way. Nothing here waits, except `exchange`.
final class Connection {
    /// What a server answers. The body is valid until the next request.
    struct Reply {
        let status: Int
        let body: ArraySlice<UInt8>
    }

    let descriptor: Int32
    /// Whether part of the request waits for room in the socket.
    private(set) var hasOutput = false
    private var output: [UInt8] = []
    private var written = 0
    private var input = [UInt8](repeating: 0, count: 1 << 14)
    private var received = 0

    init(to address: ServerAddress) throws {
        #if canImport(Glibc)
            let stream = Int32(SOCK_STREAM.rawValue)
        #else
            let stream = SOCK_STREAM
        #endif
        descriptor = socket(AF_INET, stream, 0)
        guard descriptor >= 0 else { throw ConnectionError.system("socket") }
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = address.port.bigEndian
        name.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let connected = withUnsafePointer(to: &name) { name in
            name.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else {
            let error = ConnectionError.system("connect to port \(address.port)")
            close(descriptor)
            throw error
        }
        var on: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
    }

    deinit { close(descriptor) }

    /// Begins a request; the one before has been answered.
    func begin(_ request: ArraySlice<UInt8>) throws {
        output.removeAll(keepingCapacity: true)
        output.append(contentsOf: request)
        (written, received) = (0, 0)
        try continueSending()
    }

    /// Sends as much as the socket takes.
    func continueSending() throws {
        let count = output.withUnsafeBytes { bytes in
            send(descriptor, bytes.baseAddress! + written, bytes.count - written, Int32(MSG_NOSIGNAL))
        }
        if count >= 0 { written += count } else if errno != EAGAIN { throw ConnectionError.system("send") }
        hasOutput = written < output.count
    }

    /// Reads what has come; the reply once it is whole.
    func receive() throws -> Reply? {
        if received == input.count { input.append(contentsOf: repeatElement(0, count: input.count)) }
        let count = input.withUnsafeMutableBytes { bytes in
            recv(descriptor, bytes.baseAddress! + received, bytes.count - received, 0)
        }
        if count < 0, errno == EAGAIN { return nil }
        guard count > 0 else { throw count == 0 ? ConnectionError(description: "closed") : .system("receive") }
        received += count
        guard let head = try ReplyHead(input[..<received]) else { return nil }
        let end = head.length + head.bodyLength
        return received < end ? nil : Reply(status: head.status, body: input[head.length..<end])
    }

    /// Asks and waits for the answer.
    func exchange(_ request: [UInt8]) throws -> Reply {
        try begin(request[...])
        while true {
            var entry = pollfd(fd: descriptor, events: Int16(POLLIN | (hasOutput ? POLLOUT : 0)), revents: 0)
            guard poll(&entry, 1, -1) >= 0 || errno == EINTR else { throw ConnectionError.system("poll") }
            if hasOutput { try continueSending() }
            if let reply = try receive() { return reply }
        }
    }
}

/// What the first lines of a reply say, of as much as a load generator has to know.
struct ReplyHead {
    let status: Int
    /// Bytes up to the body.
    let length: Int
    let bodyLength: Int

    /// nil while the head is not whole. Throws unless it says the body's length.
    init?(_ bytes: ArraySlice<UInt8>) throws {
        guard let end = Self.end(of: bytes) else { return nil }
        length = end - bytes.startIndex
        let lines = bytes[..<end].split(whereSeparator: { $0 == 10 || $0 == 13 })
        guard let first = lines.first, first.starts(with: "HTTP/1.1 ".utf8),
            let status = Self.number(first.dropFirst(9).prefix(3))
        else { throw ConnectionError(description: "not HTTP") }
        self.status = status
        guard let length = lines.lazy.compactMap(Self.contentLength).first else {
            throw ConnectionError(description: "a reply without Content-Length")
        }
        bodyLength = length
    }

    private static func end(of bytes: ArraySlice<UInt8>) -> Int? {
        bytes.withUnsafeBufferPointer { buffer in
            guard buffer.count >= 4 else { return nil }
            for place in 0...buffer.count - 4 where buffer[place] == 13 {
                if buffer[place + 1] == 10, buffer[place + 2] == 13, buffer[place + 3] == 10 {
                    return bytes.startIndex + place + 4
                }
            }
            return nil
        }
    }

    private static func contentLength(_ line: ArraySlice<UInt8>) -> Int? {
        let name = "content-length:".utf8
        guard line.count > name.count, zip(line, name).allSatisfy({ $0 | 0x20 == $1 | 0x20 }) else { return nil }
        return number(line.dropFirst(name.count).drop { $0 == 32 })
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
        guard !digits.isEmpty, digits.allSatisfy({ (48...57).contains($0) }) else { return nil }
        return digits.reduce(0) { 10 * $0 + Int($1 - 48) }
    }
}
