import Foundation
import Report
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A status line on standard error: redrawn in place on a terminal, a plain line from time to time elsewhere.
final class StatusLine {
    private let isOnTerminal = Console.current.isOfProcess && Terminal.moves
    private let plainInterval: Duration?
    private var lastShown: ContinuousClock.Instant?

    /// Interval of plain lines where there is no terminal; nil for none.
    init(plainInterval: Duration? = nil) {
        self.plainInterval = plainInterval
        if !isOnTerminal { lastShown = .now }
    }

    /// Ends the line: the next output overwrites it.
    deinit { if isOnTerminal { Terminal.clearLine() } }

    /// Shows the first of `choices`, longest first, that fits the terminal's width, unless the last update was too recent; returns
    /// whether it did.
    @discardableResult func show(_ choices: @autoclosure () -> [String]) -> Bool {
        let now = ContinuousClock.now
        guard let interval = isOnTerminal ? .milliseconds(100) : plainInterval,
            lastShown.map({ now - $0 >= interval }) ?? true
        else { return false }
        lastShown = now
        let choices = choices()
        if isOnTerminal { Terminal.draw(Self.fit(choices, columns: Terminal.columns)) } else { printError(choices[0]) }
        return true
    }

    /// The first choice that leaves the last column free, where some terminals wrap; otherwise the last one, truncated.
    static func fit(_ choices: [String], columns: Int) -> String {
        let available = max(1, columns - 1)
        if let fitting = choices.first(where: { displayWidth($0) <= available }) { return fitting }
        var (text, width) = ("", 0)
        for character in choices.last ?? "" {
            width += displayWidth(character)
            if width > available { break }
            text.append(character)
        }
        return text
    }
}

/// The terminal that standard error may be.
enum Terminal {
    /// Whether standard error is a terminal that supports escape sequences.
    static let moves: Bool = {
        let kind = ProcessInfo.processInfo.environment["TERM"] ?? ""
        return isatty(STDERR_FILENO) == 1 && !["", "dumb", "unknown"].contains(kind)
    }()

    /// The current width, which may change at any time.
    static var columns: Int {
        var size = winsize()
        if ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 { return Int(size.ws_col) }
        return ProcessInfo.processInfo.environment["COLUMNS"].flatMap(Int.init).map { max(1, $0) } ?? 80
    }

    private static let lineIsOpen = Atomic<Bool>(false)

    /// Draws a line over the last one. The cursor returns to its start, where it stays if a terminal that becomes narrower wraps the
    /// line; everything from there on is erased, so that no row remains.
    static func draw(_ line: String) {
        lineIsOpen.store(true, ordering: .relaxed)
        writeError("\r\u{1B}[J" + line + "\r")
    }

    /// Erases the last line, if there is one. Safe in signal handlers.
    static func clearLine() {
        guard lineIsOpen.exchange(false, ordering: .relaxed) else { return }
        let erase: StaticString = "\r\u{1B}[J"
        write(STDERR_FILENO, erase.utf8Start, erase.utf8CodeUnitCount)
    }
}
