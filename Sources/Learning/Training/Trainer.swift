import Evaluation
import Foundation
import Interactions
import Models
import Tensors

/// What a listener hears while a model is trained.
public enum TrainingEvent: Sendable {
    /// A checkpoint was found and training goes on after `step` steps.
    case resumed(epoch: Int, step: Int)
    /// A step is done.
    case step(Progress)
    /// An epoch is done and validated.
    case epoch(EpochRecord)

    /// Where training is.
    public struct Progress: Sendable {
        /// From 1, of how many.
        public var epoch, epochs: Int
        /// Batches of this epoch done, of how many.
        public var batch, batches: Int
        /// Mean loss of this epoch so far; where a device has to be waited for, as of when it was last read, 0 before.
        public var loss: Double
        /// Events a second in this epoch.
        public var tokensPerSecond: Double
    }
}

/// How a run ended.
public enum TrainingOutcome: Sendable {
    /// All epochs are done, or patience was out: the weights of the best epoch.
    case finished(SequenceModel, TrainingRecord)
    /// It was asked to stop; a checkpoint was written if there is a folder for it.
    case interrupted(epoch: Int, step: Int)
}

/// Trains one model on one dataset. The main loop is ``run(resuming:shouldStop:report:)``.
public struct Trainer {
    private let dataset: Dataset
    private let split: Split
    private let options: TrainingOptions
    private let group: ReplicaGroup
    private let sampler: NegativeSampler?
    private let identity: RunIdentity
    private let checkpointURL: URL?

    /// Prepares a run. With a `checkpointFolder` (which must exist when it runs) the run can be interrupted and resumed.
    package init(
        _ dataset: Dataset, _ split: Split, _ configuration: ModelConfiguration, _ options: TrainingOptions,
        backend: any Backend, checkpointFolder: URL? = nil
    ) throws(TrainingError) {
        try options.validate()
        guard split.trainingEnd.contains(where: { $0 >= 2 }) else { throw .nothingToLearn }
        guard configuration.itemCount == dataset.itemCount else {
            throw .evaluation(.itemCount(model: configuration.itemCount, dataset: dataset.itemCount))
        }
        do { try configuration.validate() } catch { throw .configuration(error) }
        if configuration.repeatAware, options.loss == .bpr {
            throw .option("a repeat-aware model is trained with a softmax loss: full or sampled")
        }
        try Self.checkMemory(configuration, options, backend)
        let model: SequenceModel
        do {
            model = try SequenceModel(initializing: configuration, seed: options.seed, on: backend)
        } catch { throw .configuration(error) }
        self.dataset = dataset
        self.split = split
        self.options = options
        group = ReplicaGroup(model, replicas: backend.isQueued ? 1 : options.threads)
        sampler = options.loss == .full ? nil : NegativeSampler(dataset, split, sample: options.negatives)
        identity = RunIdentity(
            configuration: configuration, options: options, dataset: dataset.summary.fingerprint,
            split: split.fingerprint,
            backend: "\(backend.name), \(group.count) replica\(group.count == 1 ? "" : "s")")
        checkpointURL = checkpointFolder?.appendingPathComponent(Checkpoint.fileName)
    }

    /// Throws where the blocks that grow with the model are more than the machine has: better than to be killed later.
    private static func checkMemory(
        _ configuration: ModelConfiguration, _ options: TrainingOptions, _ backend: any Backend
    ) throws(TrainingError) {
        // Weights, two moments and a checkpoint's copies of them, the best weights, gradients of each replica.
        let blocks = 7 + options.threads
        let count = WeightLayout(configuration).count
        let most = (1 << 31) - (1 << 20)  // what a GPU's threads can number
        if backend.isQueued, count >= most {
            throw .device("a GPU trains less than \(most) weights; this model has \(count)")
        }
        let bytes = Int(clamping: UInt(count) * 4 * UInt(blocks))
        let threads = backend.isQueued ? 1 : options.threads
        if let (needed, limit) = MemoryLimit.exceeded(by: bytes, addresses: threads * backend.addressesPerThread) {
            throw .memory(neededBytes: needed, limit)
        }
    }

    /// Trains until the last epoch, the end of patience, or until `shouldStop` (asked after every step) says so.
    ///
    /// Where `resuming`, and a checkpoint exists, training goes on after it, with the same bits as if it had never
    /// stopped.
    public func run(
        resuming: Bool = false, shouldStop: () -> Bool = { false }, report: (TrainingEvent) -> Void = { _ in }
    ) throws(TrainingError) -> TrainingOutcome {
        var state = Checkpoint()
        if resuming, let checkpointURL, FileManager.default.fileExists(atPath: checkpointURL.path) {
            state = try Checkpoint.read(
                checkpointURL, into: group, identity, validationCases: split.validation.count)
            report(.resumed(epoch: state.epochs.count + 1, step: state.step))
        }
        let runClock = RunClock(earlierSeconds: state.epochs.last?.seconds ?? 0)
        var totalSteps: Int?
        while !options.isOver(after: state.epochs) {
            let epoch = state.epochs.count + 1
            let plan = BatchPlan(dataset, split, options, epoch: epoch)
            let total = totalSteps ?? self.totalSteps()
            totalSteps = total
            guard state.batch <= plan.batches.count else {
                throw .file(
                    .malformed(path: checkpointURL?.path ?? "", reason: "it has more batches than the epoch"))
            }
            reserve(for: plan)
            group.lossSum = state.lossSum
            var (clock, meanLoss) = (Stopwatch(), state.lossSum / Double(max(1, state.lossCount)))
            while state.batch < plan.batches.count {
                clock.tokens += step(&state, plan, total)
                let stops = shouldStop()
                if stops || isTimeToRead(state, plan) { meanLoss = try readLoss(&state) }
                report(.step(progress(state, plan, meanLoss, clock)))
                if stops {
                    try writeCheckpoint(state)
                    return .interrupted(epoch: epoch, step: state.step)
                }
            }
            let record = try finish(&state, total, clock, runClock)
            try writeCheckpoint(state)
            report(.epoch(record))
        }
        return try finished(state)
    }

    /// One optimiser step; returns its tokens.
    private func step(_ state: inout Checkpoint, _ plan: BatchPlan, _ total: Int) -> Int {
        let batch = plan.batches[state.batch]
        var generator = SeededGenerator(
            seed: options.seed, stream: RandomStream.negatives.rawValue, UInt64(state.step))
        var shares = plan.deal(batch, to: group.count).map { positions in
            plan.pieces(positions, of: pieceTokens).map {
                Share($0, of: plan, dataset, window: group.model.configuration.repeatWindow)
            }
        }
        for i in shares.indices {
            for j in shares[i].indices {
                // What is longer than a piece is one sequence, which goes through in chunks.
                if isQueued, shares[i][j].tokenCount <= pieceTokens {
                    shares[i][j].pad(toMultipleOf: paddedTokens, itemCount: dataset.itemCount)
                }
                shares[i][j].loss = self.loss(shares[i][j], &generator)
            }
        }
        let adam = AdamStep(
            number: state.step + 1, learningRate: options.learningRate(step: state.step + 1, total: total),
            weightDecay: options.weightDecay ?? 0, decayedCount: group.model.weights.layout.decayedCount)
        group.step(
            shares, dropout: options.dropout, seed: options.seed, step: state.step, adam: adam,
            clipNorm: options.clipNorm)
        state.step += 1
        state.batch += 1
        state.lossCount += shares.joined().reduce(0) { $0 + $1.targetCount }
        return shares.joined().reduce(0) { $0 + $1.tokenCount }
    }

    private var isQueued: Bool { group.model.backend.isQueued }
    private var pieceTokens: Int { BatchPlan.pieceTokens(on: group.model.backend) }
    /// Pieces are padded to multiples of this.
    private var paddedTokens: Int { min(options.batchTokens, pieceTokens) }

    /// Steps of a queued device between two looks at the loss, for which it has to be waited for.
    private static let stepsBetweenLosses = 32

    private func isTimeToRead(_ state: Checkpoint, _ plan: BatchPlan) -> Bool {
        !isQueued || state.batch % Self.stepsBetweenLosses == 0 || state.batch == plan.batches.count
    }

    /// Brings the checkpoint's sum of losses up to date; the mean loss of the epoch so far.
    private func readLoss(_ state: inout Checkpoint) throws(TrainingError) -> Double {
        state.lossSum = group.lossSum
        if let failure = group.model.backend.failure { throw .device(failure) }
        guard state.lossSum.isFinite else { throw .diverged(epoch: state.epochs.count + 1, step: state.step) }
        return state.lossSum / Double(max(1, state.lossCount))
    }

    /// A share's loss, with fresh negatives where it has any: enough for a piece; a longer history meets them again.
    private func loss(_ share: Share, _ generator: inout SeededGenerator) -> Loss {
        switch options.loss {
        case .full: return .full
        case .sampled:
            let needed = (share.targets.items.count + Loss.targetsPerSample - 1) / Loss.targetsPerSample
            let samples = min(needed, pieceTokens / Loss.targetsPerSample)
            return .sampled(
                samples: (0..<samples).map { _ in sampler!.popular(using: &generator) }, logQ: sampler!.logQ)
        case .bpr: return .pairwise(negatives: sampler!.uniform(otherThan: share.targets.items, using: &generator))
        }
    }

    /// Validates the epoch in progress and makes it a finished one.
    private func finish(
        _ state: inout Checkpoint, _ total: Int, _ clock: Stopwatch, _ runClock: RunClock
    ) throws(TrainingError) -> EpochRecord {
        let rate = clock.tokensPerSecond
        var validation: SettingMetrics?
        if !split.validation.isEmpty {
            let ranker = ModelRanker(group.model, threads: options.threads)
            do { validation = SettingMetrics(try ranker.rank(split.validation, in: dataset)) } catch .notANumber {
                throw .diverged(epoch: state.epochs.count + 1, step: state.step)
            } catch {
                throw .evaluation(error)
            }
        }
        var record = EpochRecord(
            epoch: state.epochs.count + 1, step: state.step, loss: state.lossSum / Double(max(1, state.lossCount)),
            learningRate: options.learningRate(step: state.step, total: total), tokensPerSecond: rate,
            seconds: runClock.seconds, validation: validation, isBest: false)
        record.isBest = record.isBetter(than: state.epochs.last { $0.isBest })
        if record.isBest { state.best = group.model.backend.download(group.model.weights.flat) }
        state.epochs.append(record)
        (state.batch, state.lossSum, state.lossCount) = (0, 0, 0)
        return record
    }

    private func finished(_ state: Checkpoint) throws(TrainingError) -> TrainingOutcome {
        if let best = state.best { group.model.backend.upload(best, to: group.model.weights.flat) }
        if let failure = group.model.backend.failure { throw .device(failure) }  // then these are not the best
        let bestEpoch = state.epochs.last { $0.isBest }
        guard try isSound(group.model, dataset, split, threads: options.threads) else {
            throw .diverged(epoch: bestEpoch?.epoch ?? 0, step: bestEpoch?.step ?? state.step)
        }
        let record = TrainingRecord(
            version: programVersion, options: options, dataset: identity.dataset, backend: identity.backend,
            epochs: state.epochs, bestEpoch: bestEpoch?.epoch ?? 0)
        return .finished(group.model, record)
    }

    private func writeCheckpoint(_ state: Checkpoint) throws(TrainingError) {
        if let checkpointURL { try state.write(group, identity, to: checkpointURL) }
    }

    /// Steps of all epochs: the first one's, times their number. (Cuts and order make epochs differ by a few.)
    private func totalSteps() -> Int {
        BatchPlan(dataset, split, options, epoch: 1).batches.count * options.epochs
    }

    /// Room for the largest piece. A history longer than any piece goes through it in chunks.
    private func reserve(for plan: BatchPlan) {
        let shares = plan.batches.flatMap {
            plan.deal($0, to: group.count).flatMap { plan.pieces($0, of: pieceTokens) }
        }
        var tokens = min(shares.map { $0.reduce(0) { $0 + plan.segments[$1].tokens } }.max() ?? 1, pieceTokens)
        var sequences = max(1, shares.map(\.count).max() ?? 1)
        if isQueued {
            (tokens, sequences) = Share.paddedSize(tokens: tokens, sequences: sequences, multiple: paddedTokens)
        }
        group.reserve(tokens: max(1, tokens), sequences: sequences)
    }

    private func progress(
        _ state: Checkpoint, _ plan: BatchPlan, _ meanLoss: Double, _ clock: Stopwatch
    ) -> TrainingEvent.Progress {
        TrainingEvent.Progress(
            epoch: state.epochs.count + 1, epochs: options.end, batch: state.batch,
            batches: plan.batches.count,
            loss: meanLoss, tokensPerSecond: clock.tokensPerSecond)
    }
}
