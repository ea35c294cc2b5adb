import Report

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Results that could not be written to standard output.
enum OutputError: Error, CustomStringConvertible {
    /// The reader closed the pipe, as `head` does.
    case readerIsGone
    /// The system's message.
    case failed(reason: String)

    var description: String {
        switch self {
        case .readerIsGone: "standard output: the reader closed the pipe"
        case .failed(let reason): "standard output: cannot write: \(reason)"
        }
    }
}

/// Writes results to standard output, at once. Not for text that comes in many small parts: each call is a system call.
func printOutput(_ text: String, terminator: String = "\n") throws(OutputError) {
    let code = write(text + terminator, to: STDOUT_FILENO)
    switch code {
    case 0: return
    case EPIPE: throw .readerIsGone
    default: throw .failed(reason: String(cString: strerror(code)))
    }
}

/// Prints a message on standard error, without control characters except line ends. Errors of writing are ignored, so that messages
/// never stop the work.
func printError(_ text: String) {
    Terminal.clearLine()
    writeError(
        text.split(separator: "\n", omittingEmptySubsequences: false).map { printable(String($0)) }.joined(
            separator: "\n") + "\n")
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
