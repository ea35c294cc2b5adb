import Evaluation

// Numbers that come from files are tried before anything is computed with them: a file may be well-formed and still be
// crafted or damaged.

/// Largest count that is believed: far beyond any training, far below where sums overflow.
private let largestCount = 1 << 53
/// Largest loss, rate or time that is believed.
private let largestNumber = 1e15

extension [EpochRecord] {
    /// What about the records of a run's epochs is impossible; nil where nothing is. `validationCases` is how many there
    /// were, nil where that is not known.
    func problem(validationCases: Int? = nil) -> String? {
        var best: EpochRecord?
        var (step, seconds) = (0, 0.0)
        for (index, record) in enumerated() {
            func wrong(_ what: String) -> String { "\(what) of epoch \(index + 1) cannot be" }
            guard record.epoch == index + 1 else { return wrong("the number") }
            guard record.step > step, record.step <= largestCount else { return wrong("the steps") }
            guard abs(record.loss) < largestNumber else { return wrong("the loss") }
            guard record.learningRate >= 0, record.learningRate < 10 else {
                return wrong("the learning rate")
            }
            guard (0..<largestNumber).contains(record.tokensPerSecond) else { return wrong("the speed") }
            guard (seconds..<largestNumber).contains(record.seconds) else { return wrong("the time") }
            if let metrics = record.validation, !metrics.isPossible { return wrong("the validation") }
            if let validationCases, record.validation?.unmasked.cases ?? 0 != validationCases {
                return wrong("the number of validation cases")
            }
            guard record.isBest == record.isBetter(than: best) else {
                return wrong("the mark of the best")
            }
            if record.isBest { best = record }
            (step, seconds) = (record.step, record.seconds)
        }
        return nil
    }
}

extension EpochRecord {
    /// What is compared to find the best epoch.
    var score: Double { validation?.unmasked.at10.ndcg ?? 0 }

    /// Whether this is the best epoch after `best`, the best one before. Without validation every epoch is.
    func isBetter(than best: EpochRecord?) -> Bool {
        guard let best, validation != nil else { return true }
        return score > best.score
    }
}

extension Checkpoint {
    /// What about the counters and records is impossible; nil where nothing is.
    func problem(_ options: TrainingOptions, validationCases: Int) -> String? {
        guard [batch, step, lossCount].allSatisfy({ (0...largestCount).contains($0) }),
            abs(lossSum) < largestNumber
        else { return "the counters cannot be" }
        guard epochs.count <= options.end else {
            return "it has \(epochs.count) epochs of \(options.end)"
        }
        guard batch == 0 || epochs.count < options.end else {
            return "it goes on after the last epoch"
        }
        guard batch > 0 || (lossCount == 0 && lossSum == 0) else {
            return "there is a loss without a batch"
        }
        if let problem = epochs.problem(validationCases: validationCases) { return problem }
        guard step == (epochs.last?.step ?? 0) + batch else {
            return "steps and batches do not fit together"
        }
        guard (best == nil) == epochs.isEmpty else {
            return "the weights of the best epoch do not fit its epochs"
        }
        return nil
    }
}

extension TrainingRecord {
    /// What about the record is impossible; nil where nothing is.
    var problem: String? {
        do { try options.validate() } catch { return error.description }
        if let problem = epochs.problem() { return problem }
        guard bestEpoch == epochs.last(where: \.isBest)?.epoch ?? 0 else {
            return "the best epoch is another one"
        }
        let reports = (baselines ?? []) + (test.map { [$0] } ?? [])
        return reports.allSatisfy(\.isPossible) ? nil : "a metric cannot be"
    }
}
