import ErrorSupport
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Makes the first Ctrl-C, TERM or HUP a flag that is checked after every step or batch; the second ends the program.
enum StopSignals {
    private static let received = Atomic<Bool>(false)
    /// The message on the first signal; set before the handler is installed.
    nonisolated(unsafe) private static var answer: StaticString = ""

    /// Whether a signal was received.
    static var wereReceived: Bool { received.load(ordering: .relaxed) }

    /// Installs the handlers, if the process is the command's own; the first signal prints `text`. HUP stays ignored where it was, for nohup.
    static func catchFromNowOn(
        saying text: StaticString = "Stopping with a checkpoint; Ctrl-C again ends at once, without one.\n"
    ) {
        guard Console.current.isOfProcess else { return }
        answer = text
        _ = wereReceived  // initialises the flag before a handler needs it
        _ = Terminal.moves
        var wanted = sigset_t()
        sigemptyset(&wanted)
        for number in [SIGINT, SIGTERM, SIGHUP] {
            sigaddset(&wanted, number)
            let before = signal(number, receive)
            if number == SIGHUP, isIgnored(before) { signal(number, SIG_IGN) }
        }
        pthread_sigmask(SIG_UNBLOCK, &wanted, nil)  // the parent's mask is inherited
    }

    /// A signal handler: only async-signal-safe calls (POSIX), which excludes `exit` and its handlers.
    private static let receive: @convention(c) (Int32) -> Void = { _ in
        if received.exchange(true, ordering: .relaxed) { _exit(ExitStatus.interrupted.rawValue) }
        let before = errno
        Terminal.clearLine()
        write(STDERR_FILENO, answer.utf8Start, answer.utf8CodeUnitCount)
        errno = before
    }
}

#if canImport(Glibc)
    private func isIgnored(_ handler: __sighandler_t?) -> Bool { unsafeBitCast(handler, to: Int.self) == 1 }
#else
    private func isIgnored(_ handler: sig_t?) -> Bool { unsafeBitCast(handler, to: Int.self) == 1 }
#endif
