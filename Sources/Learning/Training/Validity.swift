import Evaluation

// Numbers from files are validated before anything is computed with them: a well-formed file may still be crafted or
// damaged.

/// The largest valid count: far beyond any training, far below where sums overflow.
private let largestCount = 1 << 53
/// The largest valid loss, rate or time.
private let largestNumber = 1e15

extension [EpochRecord] {
    /// What is invalid in the records of a run's epochs; nil where nothing is. `validationCases` is their number, nil where it is not
    /// known.
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
            if let metrics = record.validation, !metrics.isValid { return wrong("the validation") }
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
    /// The metric that decides which epoch is the best: validation NDCG@10, unmasked.
    var score: Double { validation?.unmasked.at10.ndcg ?? 0 }

    /// Whether this epoch is better than `best`, the best one before. Without validation every epoch is.
    func isBetter(than best: EpochRecord?) -> Bool {
        guard let best, validation != nil else { return true }
        return score > best.score
    }
}

extension Checkpoint {
    /// What is invalid in the counters and records; nil where nothing is.
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
    /// What is invalid in the record; nil where nothing is.
    var problem: String? {
        do { try options.validate() } catch { return error.description }
        if let problem = epochs.problem() { return problem }
        guard bestEpoch == epochs.last(where: \.isBest)?.epoch ?? 0 else {
            return "the best epoch is another one"
        }
        return reports.allSatisfy(\.isValid) ? nil : "a metric cannot be"
    }
}
