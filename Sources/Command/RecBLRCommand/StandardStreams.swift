import Report

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Results that could not be written to standard output.
package enum OutputError: Error, CustomStringConvertible {
    /// The reader closed the pipe, as `head` does.
    case readerIsGone
    /// The system's message.
    case failed(reason: String)

    package var description: String {
        switch self {
        case .readerIsGone: "standard output: the reader closed the pipe"
        case .failed(let reason): "standard output: cannot write: \(reason)"
        }
    }
}

/// Writes a part of the result to standard output.
func writeOutput(_ text: String) throws(OutputError) {
    switch write(text, to: STDOUT_FILENO) {
    case 0: return
    case EPIPE: throw .readerIsGone
    case let code: throw .failed(reason: String(cString: strerror(code)))
    }
}

/// Writes a message to standard error. Errors of writing are ignored, so that messages never stop the work.
func writeMessage(_ text: String) {
    Terminal.clearLine()
    writeError(text + "\n")
}

/// The same without a line end.
func writeError(_ text: String) { _ = write(text, to: STDERR_FILENO) }

/// Writes all bytes, also to a non-blocking descriptor. Returns the system's error, or 0.
private func write(_ text: String, to descriptor: Int32) -> Int32 {
    var text = text
    return text.withUTF8 { bytes in
        var rest = UnsafeRawBufferPointer(bytes)
        while !rest.isEmpty {
            let count = write(descriptor, rest.baseAddress!, rest.count)
            if count >= 0 {
                rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
            } else if errno == EAGAIN || errno == EWOULDBLOCK {
                var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&entry, 1, -1)
            } else if errno != EINTR {
                return errno
            }
        }
        return 0
    }
}
