import Evaluation
public import Foundation
public import Interactions
import Layers
public import Models
public import Tensors

/// An event that is reported during training.
public enum TrainingEvent: Sendable {
    /// Training continues from a checkpoint after `step` steps.
    case resumed(epoch: Int, step: Int)
    /// A step is finished.
    case step(Progress)
    /// An epoch is finished and validated.
    case epoch(EpochRecord)

    /// The progress of training.
    public struct Progress: Sendable {
        /// Number of the epoch, from 1, and of all epochs.
        public var epoch, epochs: Int
        /// Finished batches of this epoch, and of all its batches.
        public var batch, batches: Int
        /// Mean loss of this epoch so far. On a GPU it is read every few steps only; 0 before that.
        public var loss: Double
        /// Events per second in this epoch.
        public var tokensPerSecond: Double
    }
}

/// How a run ended.
public enum TrainingOutcome: Sendable {
    /// Training ended after the last epoch, or early because of `patience`; the model has the weights of the best epoch.
    case finished(SequenceModel, TrainingRecord)
    /// `shouldStop` returned true; a checkpoint was written if there is a folder for it.
    case interrupted(epoch: Int, step: Int)
}

/// Trains one model on one dataset, once. The main loop is ``run(resuming:shouldStop:report:)``.
public struct Trainer: ~Copyable {
    /// The model that the run starts from; nil where weights start at random.
    public let origin: TrainingOrigin?
    private let dataset: Dataset
    let split: Split
    private let options: TrainingOptions
    private let replicas: Replicas
    let optimizer: Optimizer
    private let assembler: BatchAssembler
    let identity: RunIdentity
    let checkpointURL: URL?

    /// Prepares a run on a device. With a `checkpointFolder` (which must exist when it runs) the run can be interrupted and resumed.
    ///
    /// Weights start at random, or where a `start` is given at those of that model, whose shape `configuration` must have. Throws where
    /// options or sizes are invalid, there are no training events, the data has no item of `start`, or there is not enough memory. `teachers` are
    /// for the full softmax on a CPU: half of each target is what they predict.
    public init(
        _ dataset: Dataset, _ split: Split, _ configuration: ModelConfiguration, _ options: TrainingOptions,
        from start: StartingModel? = nil, teachers: [Teacher] = [], on device: ComputeDevice,
        checkpointFolder: URL? = nil
    ) throws(TrainingError) {
        try self.init(
            dataset, split, configuration, options, from: start, teachers: teachers, backend: device.backend,
            checkpointFolder: checkpointFolder)
    }

    /// The same on a backend.
    package init(
        _ dataset: Dataset, _ split: Split, _ configuration: ModelConfiguration, _ options: TrainingOptions,
        from start: StartingModel? = nil, teachers: [Teacher] = [], backend: any Backend, checkpointFolder: URL? = nil
    ) throws(TrainingError) {
        try Self.check(dataset, split, configuration, options, teachers, backend)
        let model: SequenceModel
        do {
            model = try SequenceModel(
                initializing: configuration,
                transitions: configuration.transitions ? trainingTransitions(dataset, split) : nil,
                seed: options.seed, on: backend)
        } catch { throw .configuration(error) }
        origin = try start.map { start throws(TrainingError) in try start.initialize(model, for: dataset) }
        self.dataset = dataset
        self.split = split
        self.options = options
        replicas = Replicas(
            model, teachers: teachers.map(\.model), count: backend.isQueued ? 1 : options.threads)
        optimizer = Optimizer(model)
        let sampler = options.loss == .full ? nil : NegativeSampler(dataset, split, sample: options.negatives)
        assembler = BatchAssembler(
            dataset: dataset, options: options, sampler: sampler,
            sampling: options.loss == .sampled ? sampler?.sampling(on: backend) : nil,
            repeatWindow: ([configuration] + teachers.map(\.model.configuration)).map(\.repeatWindow).max()!,
            usesTime: configuration.usesTime,
            microBatchTokens: BatchPlan.microBatchTokens(on: backend),
            pads: backend.isQueued)
        identity = RunIdentity(
            configuration: configuration, options: options, dataset: dataset.summary.mark,
            split: split.fingerprint, origin: origin?.model,
            teachers: teachers.isEmpty ? nil : teachers.map(\.fingerprint),
            backend: "\(backend.name), \(replicas.count) replica\(replicas.count == 1 ? "" : "s")")
        checkpointURL = checkpointFolder?.appendingPathComponent(Checkpoint.fileName)
    }

    /// The backend and the number of its replicas, as in ``TrainingRecord/backend``.
    public var backendName: String { identity.backend }

    /// Trains until the last epoch, an early stop (`patience`), or until `shouldStop`, which is called after every step, returns true.
    ///
    /// Where `resuming`, and a checkpoint exists, training continues from it, with the same result, bit for bit, as if it had not
    /// been interrupted. Throws where losses or weights are not finite any more, a device fails, or a checkpoint cannot be read or written.
    public consuming func run(
        resuming: Bool = false, shouldStop: () -> Bool = { false }, report: (TrainingEvent) -> Void = { _ in }
    ) throws(TrainingError) -> TrainingOutcome {
        var state = Checkpoint()
        if resuming, let checkpointURL, FileManager.default.fileExists(atPath: checkpointURL.path) {
            state = try Checkpoint.read(
                checkpointURL, into: model, optimizer, identity, validationCases: split.validation.count)
            report(.resumed(epoch: state.epochs.count + 1, step: state.step))
        }
        let runClock = RunClock(earlierSeconds: state.epochs.last?.seconds ?? 0)
        var totalSteps: Int?
        while !options.isOver(after: state.epochs) {
            let epoch = state.epochs.count + 1
            let plan = plan(epoch: epoch)
            // Epochs differ by a few steps because segments are random: the first one's count is used for all.
            let total = totalSteps ?? (epoch == 1 ? plan : self.plan(epoch: 1)).steps.count * options.epochs
            totalSteps = total
            guard state.batch <= plan.steps.count else {
                throw .damagedCheckpoint(
                    path: checkpointURL?.path ?? "", reason: "it has more batches than the epoch")
            }
            let capacity = assembler.capacity(for: plan)
            replicas.reserve(tokens: capacity.tokens, sequences: capacity.sequences)
            replicas.lossSum = state.lossSum
            var (clock, meanLoss) = (Stopwatch(), state.lossSum / Double(max(1, state.lossCount)))
            while state.batch < plan.steps.count {
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

    /// One optimiser step; returns its number of tokens.
    private func step(_ state: inout Checkpoint, _ plan: BatchPlan, _ total: Int) -> Int {
        let batches = assembler.batches(plan, plan.steps[state.batch], step: state.step)
        let touched = model.touchedRanges(by: batches.joined())
        let rows = model.touchedRows(by: assembler.sampling)
        let adam = adamStep(state.step + 1, total)
        let (replicas, optimizer, clipNorm) = (replicas, optimizer, options.clipNorm)
        let dropout = DropoutSettings(
            rate: options.dropout, seed: options.seed, step: UInt32(truncatingIfNeeded: state.step))
        replicas.step(batches, dropout) {
            optimizer.update(replicas.gradients, in: touched, rows: rows, adam, clipNorm: clipNorm)
        }
        state.step += 1
        state.batch += 1
        state.lossCount += batches.joined().reduce(0) { $0 + $1.targetCount }
        return batches.joined().reduce(0) { $0 + $1.tokenCount }
    }

    private func adamStep(_ number: Int, _ total: Int) -> AdamStep {
        AdamStep(
            number: number, learningRate: options.learningRate(step: number, total: total),
            weightDecay: options.weightDecay ?? 0, decayedCount: model.network.layout.decayedCount)
    }

    private func plan(epoch: Int) -> BatchPlan {
        BatchPlan(
            dataset, split, options, epoch: epoch, replicas: replicas.count,
            microBatchTokens: assembler.microBatchTokens)
    }

    var model: SequenceModel { replicas.model }
    private var isQueued: Bool { model.backend.isQueued }

    /// Steps between two readings of the loss from a queued device; each reading waits for the device.
    private static let stepsBetweenLosses = 32

    private func isTimeToRead(_ state: Checkpoint, _ plan: BatchPlan) -> Bool {
        !isQueued || state.batch % Self.stepsBetweenLosses == 0 || state.batch == plan.steps.count
    }

    /// Updates the checkpoint's sum of losses; returns the mean loss of the epoch so far.
    private func readLoss(_ state: inout Checkpoint) throws(TrainingError) -> Double {
        state.lossSum = replicas.lossSum
        if let failure = model.backend.failure { throw .device(failure) }
        guard state.lossSum.isFinite else { throw .diverged(epoch: state.epochs.count + 1, step: state.step) }
        return state.lossSum / Double(max(1, state.lossCount))
    }

    /// Validates the epoch in progress and adds its record.
    private func finish(
        _ state: inout Checkpoint, _ total: Int, _ clock: Stopwatch, _ runClock: RunClock
    ) throws(TrainingError) -> EpochRecord {
        let rate = clock.tokensPerSecond
        var validation: SettingMetrics?
        if !split.validation.isEmpty {
            let ranker = ModelRanker(model, items: knownItems(dataset, split), threads: options.threads)
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
        if record.isBest { state.best = model.backend.download(model.weights.flat) }
        state.epochs.append(record)
        (state.batch, state.lossSum, state.lossCount) = (0, 0, 0)
        return record
    }

    private func finished(_ state: Checkpoint) throws(TrainingError) -> TrainingOutcome {
        if let best = state.best { model.backend.upload(best, to: model.weights.flat) }
        if let failure = model.backend.failure { throw .device(failure) }  // the weights are not valid then
        let bestEpoch = state.epochs.last { $0.isBest }
        guard try isSound(model, dataset, split, threads: options.threads) else {
            throw .diverged(epoch: bestEpoch?.epoch ?? 0, step: bestEpoch?.step ?? state.step)
        }
        let record = TrainingRecord(
            version: programVersion, options: options, dataset: identity.dataset, origin: origin,
            teachers: identity.teachers, backend: identity.backend,
            epochs: state.epochs, bestEpoch: bestEpoch?.epoch ?? 0)
        return .finished(model, record)
    }

    private func writeCheckpoint(_ state: Checkpoint) throws(TrainingError) {
        if let checkpointURL { try state.write(model, optimizer, identity, to: checkpointURL) }
    }

    private func progress(
        _ state: Checkpoint, _ plan: BatchPlan, _ meanLoss: Double, _ clock: Stopwatch
    ) -> TrainingEvent.Progress {
        TrainingEvent.Progress(
            epoch: state.epochs.count + 1, epochs: options.end, batch: state.batch,
            batches: plan.steps.count,
            loss: meanLoss, tokensPerSecond: clock.tokensPerSecond)
    }
}

/// The transitions between the training events of a split.
func trainingTransitions(_ dataset: Dataset, _ split: Split) -> TransitionCounts {
    TransitionCounts(
        itemCount: dataset.itemCount,
        (0..<dataset.userCount).lazy.map { dataset.sequence(ofUser: $0, 0..<split.trainingEnd[$0]) })
}
