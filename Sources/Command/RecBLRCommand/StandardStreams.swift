import Report

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Results that did not reach standard output.
enum OutputError: Error, CustomStringConvertible {
    /// The other end of the pipe was closed, as `head` does: nobody wants the rest.
    case readerIsGone
    /// What the system said.
    case failed(reason: String)

    var description: String {
        switch self {
        case .readerIsGone: "standard output: nobody reads it any more"
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

/// A message on standard error, without control characters but ends of lines. One that cannot be written is lost: messages never end what they are about.
func printError(_ text: String) {
    Terminal.clearLine()
    writeError(
        text.split(separator: "\n", omittingEmptySubsequences: false).map { printable(String($0)) }.joined(
            separator: "\n") + "\n")
}

/// The same without the end of the line.
func writeError(_ text: String) { _ = write(text, to: STDERR_FILENO) }

/// Writes everything, waiting where the descriptor does not block. Returns the system's error, or 0.
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
