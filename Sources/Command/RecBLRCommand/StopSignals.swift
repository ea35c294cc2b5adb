import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Turns the first Ctrl-C, TERM or HUP into a question that training asks after every step; the second ends the program.
enum StopSignals {
    private static let asked = Atomic<Bool>(false)
    /// What the first of them is answered with; set before there is a handler.
    nonisolated(unsafe) private static var answer: StaticString = ""

    /// Whether one of them came.
    static var wereReceived: Bool { asked.load(ordering: .relaxed) }

    /// From now on, saying `text` to the first. HUP stays ignored where it was, as nohup asks.
    static func catchFromNowOn(
        saying text: StaticString = "Stopping with a checkpoint; Ctrl-C again ends at once, without one.\n"
    ) {
        answer = text
        _ = wereReceived  // makes the flag before a handler needs it
        _ = Terminal.moves
        var wanted = sigset_t()
        sigemptyset(&wanted)
        for number in [SIGINT, SIGTERM, SIGHUP] {
            sigaddset(&wanted, number)
            let before = signal(number, receive)
            if number == SIGHUP, isIgnored(before) { signal(number, SIG_IGN) }
        }
        pthread_sigmask(SIG_UNBLOCK, &wanted, nil)  // a parent's mask is inherited
    }

    /// A signal handler: it may do no more than what POSIX calls async-signal-safe. Handlers of `exit` are not, as libraries may
    /// still be at work on other threads.
    private static let receive: @convention(c) (Int32) -> Void = { _ in
        if asked.exchange(true, ordering: .relaxed) { _exit(ExitStatus.interrupted.rawValue) }
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
