package import Interactions

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension TrainingOptions {
    /// Shortens the warm-up to a tenth of the steps of a cosine schedule: a training that is shorter than its warm-up would end before it came to its
    /// learning rate. A constant schedule may be lengthened later, and keeps its warm-up. O(events).
    package mutating func shortenWarmup(_ dataset: Dataset, _ split: Split) {
        guard schedule == .cosine, (try? validate()) != nil else { return }
        // Replicas and micro-batches divide steps, of which there are as many without.
        let plan = BatchPlan(dataset, split, self, epoch: 1, replicas: 1, microBatchTokens: batchTokens)
        warmupSteps = min(warmupSteps, max(1, plan.steps.count * epochs / 10))
    }

    /// Learning rate of the step numbered `step` (from 1) of about `total`.
    func learningRate(step: Int, total: Int) -> Float {
        if step <= warmupSteps { return learningRate * Float(step) / Float(warmupSteps) }
        switch schedule {
        case .constant: return learningRate
        case .cosine:
            let progress = Double(step - warmupSteps) / Double(max(1, total - warmupSteps))
            return learningRate * Float(0.5 * (1 + cos(.pi * min(1, progress))))
        }
    }
}
