import Foundation
import Report
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Says on standard error how far something is: a line that is drawn again and again on a terminal, a plain line now and then
/// elsewhere.
final class StatusLine {
    private let isOnTerminal = Terminal.moves
    private let plainInterval: Duration?
    private var lastShown: ContinuousClock.Instant?

    /// Where there is no terminal, a plain line each `plainInterval`; nil for none.
    init(plainInterval: Duration? = nil) {
        self.plainInterval = plainInterval
        if !isOnTerminal { lastShown = .now }
    }

    /// What is said next takes the line's place.
    deinit { Terminal.clearLine() }

    /// Shows the first of `choices`, which get shorter, that fits into the terminal's width, if it is time for that,
    /// and says whether it was.
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

    /// The first that leaves the last column free, where some terminals begin a new row; the last is cut, if need be.
    static func fit(_ choices: [String], columns: Int) -> String {
        let room = max(1, columns - 1)
        if let fitting = choices.first(where: { displayWidth($0) <= room }) { return fitting }
        var (text, width) = ("", 0)
        for character in choices.last ?? "" {
            width += displayWidth(character)
            if width > room { break }
            text.append(character)
        }
        return text
    }
}

/// The terminal that standard error may be.
enum Terminal {
    /// Whether there is one that understands escape sequences.
    static let moves: Bool = {
        let kind = ProcessInfo.processInfo.environment["TERM"] ?? ""
        return isatty(STDERR_FILENO) == 1 && !["", "dumb", "unknown"].contains(kind)
    }()

    /// Its width now; it may change at any time.
    static var columns: Int {
        var size = winsize()
        if ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 { return Int(size.ws_col) }
        return ProcessInfo.processInfo.environment["COLUMNS"].flatMap(Int.init).map { max(1, $0) } ?? 80
    }

    private static let lineIsOpen = Atomic<Bool>(false)

    /// Draws a line in the place of the last one. The cursor goes back to its beginning, and stays there where a terminal that
    /// gets narrower breaks the line: everything from there on is erased, so no row is left behind.
    static func draw(_ line: String) {
        lineIsOpen.store(true, ordering: .relaxed)
        writeError("\r\u{1B}[J" + line + "\r")
    }

    /// Erases the line that was drawn last, if it is still there. Signal handlers may call this.
    static func clearLine() {
        guard lineIsOpen.exchange(false, ordering: .relaxed) else { return }
        let erase: StaticString = "\r\u{1B}[J"
        write(STDERR_FILENO, erase.utf8Start, erase.utf8CodeUnitCount)
    }
}
