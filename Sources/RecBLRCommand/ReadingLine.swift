import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Shows on standard error how far a long log is read: a line that changes on a terminal, one every ten seconds elsewhere.
final class ReadingLine {
    private let isTerminal = isatty(2) == 1
    private let start = ContinuousClock.now
    private var lastShown = ContinuousClock.now
    private var isOpen = false

    /// What is said next, an error maybe, begins a line of its own.
    deinit { if isOpen, isTerminal { writeError("\n") } }

    func show(_ lines: Int, _ fraction: Double) {
        let now = ContinuousClock.now
        guard now - lastShown > (isTerminal ? .milliseconds(200) : .seconds(10)) else { return }
        (lastShown, isOpen) = (now, true)
        let seconds = (now - start) / .seconds(1)
        let left = fraction > 0 ? ", \(duration(seconds * (1 - fraction) / fraction)) left" : ""
        write("\(rate(lines, seconds))\(left)", end: isTerminal ? "" : "\n")
    }

    /// Ends the line, if the log was long enough for one.
    func finish(_ lines: Int) {
        guard isOpen else { return }
        isOpen = false
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        write("\(rate(lines, seconds)), \(duration(seconds)). Ordering the events.", end: "\n")
    }

    private func rate(_ lines: Int, _ seconds: Double) -> String {
        "Read \(grouped(lines)) lines, \(grouped(Int(Double(lines) / seconds))) a second"
    }

    private func write(_ text: String, end: String) {
        writeError((isTerminal ? "\r\u{1B}[2K" : "") + text + end)
    }
}
