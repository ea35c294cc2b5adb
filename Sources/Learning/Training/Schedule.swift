#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension TrainingOptions {
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
