import Evaluation
import Training

/// Shows the progress of training on standard error: a bar on a terminal, and one line for each epoch everywhere.
final class ProgressLine {
    private let line = StatusLine()
    private let start = ContinuousClock.now
    private var firstFraction: Double?

    func show(_ event: TrainingEvent) {
        Console.current.training?(event)
        switch event {
        case .resumed(let epoch, let step): printError("Going on in epoch \(epoch), after \(counted(step, "step")).")
        case .step(let progress): draw(progress)
        case .epoch(let record): finish(record)
        }
    }

    private func draw(_ progress: TrainingEvent.Progress) {
        let fraction =
            (Double(progress.epoch - 1) + Double(progress.batch) / Double(progress.batches)) / Double(progress.epochs)
        let first = firstFraction ?? fraction
        firstFraction = first
        let gained = fraction - first
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        let left = gained > 0.001 ? seconds * (1 - fraction) / gained : nil
        line.show(choices(progress, secondsLeft: left))
    }

    private func choices(_ progress: TrainingEvent.Progress, secondsLeft: Double?) -> [String] {
        let done = Double(progress.batch) / Double(max(1, progress.batches))
        let (epoch, percent) = ("\(progress.epoch)/\(progress.epochs)", "\(Int(100 * done)) %")
        let loss = "loss \(fixed(progress.loss, 4))"
        let rate = "\(grouped(Int(progress.tokensPerSecond))) tokens/s"
        let left = secondsLeft.map { "  \(duration($0)) left" } ?? ""
        let bars = [24, 16, 8].map { width in
            let full = Int(Double(width) * done)
            let bar = String(repeating: "█", count: full) + String(repeating: "░", count: width - full)
            return "Epoch \(epoch) \(bar) \(loss)  \(rate)\(left)"
        }
        return bars + [
            "Epoch \(epoch) \(percent)  \(loss)\(left)", "Epoch \(epoch) \(percent)  \(loss)",
            "Epoch \(epoch) \(percent)", "\(epoch) \(percent)", percent,
        ]
    }

    private func finish(_ record: EpochRecord) {
        var line =
            "Epoch \(record.epoch)  loss \(fixed(record.loss, 4))  \(grouped(Int(record.tokensPerSecond))) tokens/s"
        if let validation = record.validation {
            line +=
                "  validation NDCG@10 \(fixed(validation.unmasked.at10.ndcg, 4)) unmasked, "
                + "\(fixed(validation.masked.at10.ndcg, 4)) masked" + (record.isBest ? "  best" : "")
        }
        printError(line + "  \(duration(record.seconds))")
    }
}
