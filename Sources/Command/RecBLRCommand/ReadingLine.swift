import Interactions

/// Shows the progress of reading a long log on standard error: a line that is updated on a terminal, a new line every ten seconds
/// elsewhere. Ends the reading where the command has been asked to stop.
final class ReadingLine {
    private let line = StatusLine(plainInterval: .seconds(10))
    private let start = ContinuousClock.now
    private var wasShown = false

    func show(_ lines: Int, _ fraction: Double) throws(DatasetError) {
        if Console.current.isStopped() { throw .stopped }
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        guard seconds > 0.2 else { return }
        wasShown = line.show(choices(lines, fraction, seconds)) || wasShown
    }

    private func choices(_ lines: Int, _ fraction: Double, _ seconds: Double) -> [String] {
        let left = fraction > 0 ? ", \(duration(seconds * (1 - fraction) / fraction)) left" : ""
        return [
            rate(lines, seconds) + left, "Read \(counted(lines, "line"))\(left)", "\(counted(lines, "line"))",
            grouped(lines),
        ]
    }

    /// Ends the line, if one was shown.
    func finish(_ lines: Int) {
        guard wasShown else { return }
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        printError("\(rate(lines, seconds)), \(duration(seconds)). Ordering the events.")
    }

    private func rate(_ lines: Int, _ seconds: Double) -> String {
        "Read \(counted(lines, "line")), \(grouped(Int(Double(lines) / seconds))) a second"
    }
}
