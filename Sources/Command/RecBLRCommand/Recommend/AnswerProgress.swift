/// Shows progress on standard error: a line that is updated on a terminal, a new line every ten seconds elsewhere.
final class AnswerProgress {
    private let line = StatusLine(plainInterval: .seconds(10))
    private let start = ContinuousClock.now
    private var seconds: Double { (ContinuousClock.now - start) / .seconds(1) }

    func show(_ count: Int, _ fraction: Double) {
        let seconds = seconds
        guard seconds > 0.2 else { return }
        let left = fraction > 0 ? ", \(duration(seconds * (1 - fraction) / fraction)) left" : ""
        line.show([
            rate(count, seconds) + left, rate(count, seconds), "Answered \(counted(count, "user"))", grouped(count),
        ])
    }

    func finish(_ count: Int) { printError("\(rate(count, seconds)), \(duration(seconds))") }

    private func rate(_ count: Int, _ seconds: Double) -> String {
        "Answered \(counted(count, "user")), \(grouped(Int(Double(count) / max(seconds, 1e-3)))) a second"
    }
}
