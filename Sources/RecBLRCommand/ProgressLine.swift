import Foundation
import Training

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Shows training on standard error: a bar that moves on a terminal, one plain line an epoch elsewhere.
final class ProgressLine {
    private let isTerminal = isatty(2) == 1
    private let start = ContinuousClock.now
    private var lastDrawn: ContinuousClock.Instant?
    private var firstFraction: Double?

    func show(_ event: TrainingEvent) {
        switch event {
        case .resumed(let epoch, let step): write("Going on in epoch \(epoch), after \(grouped(step)) steps.\n")
        case .step(let progress): draw(progress)
        case .epoch(let record): finish(record)
        }
    }

    private func draw(_ progress: TrainingEvent.Progress) {
        let now = ContinuousClock.now
        let fraction =
            (Double(progress.epoch - 1) + Double(progress.batch) / Double(progress.batches)) / Double(progress.epochs)
        if firstFraction == nil { firstFraction = fraction }
        guard isTerminal, lastDrawn.map({ now - $0 > .milliseconds(100) }) ?? true else { return }
        lastDrawn = now
        let width = 24
        let full = width * progress.batch / max(1, progress.batches)
        let bar = String(repeating: "█", count: full) + String(repeating: "░", count: width - full)
        let gained = fraction - (firstFraction ?? 0)
        let left = gained > 0 ? (now - start) / .seconds(1) * (1 - fraction) / gained : 0
        write(
            "\r\u{1B}[2KEpoch \(progress.epoch)/\(progress.epochs) \(bar) loss \(fixed(progress.loss, 4))  "
                + "\(grouped(Int(progress.tokensPerSecond))) tokens/s  \(gained > 0.001 ? duration(left) + " left" : "")"
        )
    }

    private func finish(_ record: EpochRecord) {
        var line =
            "Epoch \(record.epoch)  loss \(fixed(record.loss, 4))  \(grouped(Int(record.tokensPerSecond))) tokens/s"
        if let validation = record.validation {
            line +=
                "  validation NDCG@10 \(fixed(validation.unmasked.at10.ndcg, 4)) unmasked, "
                + "\(fixed(validation.masked.at10.ndcg, 4)) masked" + (record.isBest ? "  best" : "")
        }
        write((isTerminal ? "\r\u{1B}[2K" : "") + line + "  \(duration(record.seconds))\n")
    }

    private func write(_ text: String) { writeError(text) }
}
