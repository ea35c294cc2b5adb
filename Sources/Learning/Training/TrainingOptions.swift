/// Options of training, which do not include the model's hyperparameters (``ModelConfiguration``).
public struct TrainingOptions: Sendable, Codable, Equatable {
    /// Passes over the training events.
    public var epochs = 25
    /// Number of the epoch after which training ends, while the schedule of the learning rate is that of all `epochs`; nil for the last.
    public var lastEpoch: Int?
    /// The largest number of events of a step's batch.
    public var batchTokens = 1024
    /// Peak learning rate of Adam.
    public var learningRate: Float = 2e-3
    /// Optimiser steps over which the learning rate rises from zero.
    public var warmupSteps = 100
    /// What the learning rate does after its warm-up.
    public var schedule: Schedule = .cosine
    /// Probability of dropout.
    public var dropout: Float = 0.2
    /// Which positions are predicted.
    public var objective: Objective = .everyPosition
    /// What is minimised.
    public var loss: LossKind = .full
    /// Number of negatives for the loss `sampled`; every 128 targets have new ones.
    public var negatives = 512
    /// λ of decoupled weight decay (AdamW): a step first multiplies the weights that it updates by 1 − learning rate · λ; with a sampled
    /// loss these do not include the embeddings of items that do not occur in it. Nil: no weight decay.
    public var weightDecay: Float?
    /// Largest norm of the gradient; nil does not clip.
    public var clipNorm: Float?
    /// Epochs after which training stops where none had a better validation NDCG@10, nor a better mean of it over five epochs; nil never stops
    /// early.
    public var patience: Int?
    /// Largest number of events of a training sequence; longer histories are divided, at other positions in each epoch. Memory hardly
    /// depends on it.
    public var maximumLength = 512
    /// Seed of weights, order, dropout and negatives.
    public var seed: UInt64 = 1
    /// Threads of the processor, each with a replica of the workspace; a GPU is one replica.
    public var threads = 2
    /// The numbers of threads that can be asked for.
    package static let threadRange = 1...1024

    /// What the learning rate does after its warm-up.
    public enum Schedule: String, Sendable, Codable, CaseIterable {
        /// Stays at its peak.
        case constant
        /// Falls to zero along a half cosine over all epochs.
        case cosine
    }

    /// Which positions are predicted.
    public enum Objective: String, Sendable, Codable, CaseIterable {
        /// Every event of a history predicts the next one, all in one pass (docs/design.md, "Training").
        case everyPosition = "every-position"
        /// Each prefix of a history is a sample of its own with the next item as its only target, as in the paper. Much slower.
        case lastPosition = "last-position"
    }

    /// What is minimised.
    public enum LossKind: String, Sendable, Codable, CaseIterable {
        /// Cross-entropy over the whole catalogue.
        case full
        /// Cross-entropy over shared negatives drawn by the root of popularity, with logQ correction.
        case sampled
        /// Bayesian personalised ranking with one uniformly drawn negative for each target.
        case bpr
    }

    /// The defaults for dense data.
    public init() {}

    /// Throws where a value is out of range.
    public func validate() throws(TrainingError) {
        func check(_ holds: Bool, _ what: String) throws(TrainingError) { if !holds { throw .option(what) } }
        try check((1...100_000).contains(epochs), "epochs must lie in 1 ... 100000")
        try check(lastEpoch.map { (1...epochs).contains($0) } ?? true, "the last epoch must lie in 1 ... \(epochs)")
        try check((1...10_000_000).contains(batchTokens), "batch tokens must lie in 1 ... 10000000")
        try check(learningRate > 0 && learningRate < 10, "the learning rate must lie in (0, 10)")
        try check(
            (0...1_000_000_000).contains(warmupSteps), "warm-up steps must lie in 0 ... 1000000000")
        try check(dropout >= 0 && dropout < 1, "dropout must lie in [0, 1)")
        try check((1...10_000_000).contains(negatives), "negatives must lie in 1 ... 10000000")
        try check(weightDecay.map { $0 >= 0 && $0 < 10 } ?? true, "weight decay must lie in [0, 10)")
        try check(clipNorm.map { $0 > 0 && $0.isFinite } ?? true, "the clip norm must be a positive number")
        try check(
            patience.map { (1...1_000_000).contains($0) } ?? true, "patience must lie in 1 ... 1000000")
        try check((1...10_000_000).contains(maximumLength), "the maximum length must lie in 1 ... 10000000")
        try check(
            Self.threadRange.contains(threads),
            "threads must lie in \(Self.threadRange.lowerBound) ... \(Self.threadRange.upperBound)")
    }
}
