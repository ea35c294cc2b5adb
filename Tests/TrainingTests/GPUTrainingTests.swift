import CPUBackend
import CUDABackend
import EmulatedGPU
import Evaluation
import Foundation
import Interactions
import Layers
import Models
import Tensors
import Testing
import Training

/// Whole runs on a GPU: of the emulated one, and of a real one where it is asked for.
@Suite struct GPUTrainingTests {
    /// Losses, options and parts of the model.
    struct Run: Sendable, CustomTestStringConvertible {
        var loss = TrainingOptions.LossKind.full
        var objective = TrainingOptions.Objective.everyPosition
        var clipNorm: Float?
        var weightDecay: Float?
        var repeatAware = false
        var transitions = false
        var usesTime = false
        var testDescription: String {
            "\(loss), \(objective), clip \(clipNorm ?? 0), decay \(weightDecay ?? 0), "
                + "repeats \(repeatAware), transitions \(transitions), time \(usesTime)"
        }

        func data(users: Int) -> Dataset { usesTime ? TimeTests.dataset(users: users) : randomDataset(users: users) }

        var options: TrainingOptions {
            var options = TrainingOptions()
            options.epochs = 2
            options.batchTokens = 120
            options.warmupSteps = 5
            options.maximumLength = 17
            options.negatives = 7
            options.threads = 1
            (options.loss, options.objective) = (loss, objective)
            (options.clipNorm, options.weightDecay) = (clipNorm, weightDecay)
            return options
        }
    }

    static let runs = [
        Run(), Run(weightDecay: 0.3, repeatAware: true), Run(clipNorm: 0.5), Run(loss: .sampled, repeatAware: true),
        Run(repeatAware: true, usesTime: true), Run(loss: .bpr), Run(objective: .lastPosition, repeatAware: true),
        Run(repeatAware: true, transitions: true),
        Run(loss: .sampled, transitions: true),
    ]

    /// The masks of dropout are the same, so that the curves are, but for rounding.
    @Test(arguments: runs, TestGPU.backends.indices)
    func theCurveLiesOnThatOfTheCPU(run: Run, backend: Int) throws {
        let data = run.data(users: 25)
        let (expected, weights) = try train(run, data, on: CPUBackend(precision: .float32))
        let (own, ownWeights) = try train(run, data, on: TestGPU.backends[backend])
        #expect(own.epochs.count == 2 && expected.epochs.count == 2)
        for (a, b) in zip(own.epochs, expected.epochs) {
            #expect(abs(a.loss - b.loss) < 1e-4 * b.loss, "epoch \(b.epoch)")
            #expect(a.step == b.step)
            let (x, y) = (try #require(a.validation).unmasked.at10.ndcg, try #require(b.validation).unmasked.at10.ndcg)
            #expect(abs(x - y) < 0.02, "NDCG@10 of epoch \(b.epoch): \(x), not \(y)")
        }
        let movement = zip(ownWeights, weights).map { abs($0 - $1) }.max()!
        #expect(movement < 2e-4, "weights differ by \(movement)")
    }

    @Test(arguments: runs.prefix(5), TestGPU.backends.indices)
    func interruptedAndResumedIsUninterrupted(run: Run, backend: Int) throws {
        let data = run.data(users: 20)
        let gpu = TestGPU.backends[backend]
        let (whole, weights) = try train(run, data, on: gpu)
        #expect(try train(run, data, on: gpu).weights == weights, "the same run twice")

        let folder = try temporaryFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        var left = 3
        for interruptions in 0..<100 {
            let trainer = try Trainer(
                data, .leaveOneOut(data), shape(run, data), run.options, backend: gpu, checkpointFolder: folder)
            let outcome = try trainer.run(
                resuming: true,
                shouldStop: {
                    left -= 1
                    return left == 0
                })
            left = 4
            guard case .finished(let model, let record) = outcome else { continue }
            #expect(gpu.download(model.weights.flat) == weights)
            #expect(record.epochs.map(\.loss) == whole.epochs.map(\.loss))
            #expect(interruptions >= 1)
            return
        }
        Issue.record("it never came to its end")
    }

    /// It goes through the model in chunks, and is not padded.
    @Test(arguments: TestGPU.backends.indices) func aHistoryLongerThanAnyPiece(backend: Int) throws {
        let data = Dataset(sequences: randomSequences([66_700, 9, 12], items: 5, seed: 8), itemCount: 5)
        var options = Run().options
        (options.epochs, options.batchTokens, options.maximumLength) = (1, 512, 1_000_000)
        var shape = ModelConfiguration(itemCount: 5)
        (shape.hiddenSize, shape.layerCount) = (4, 1)
        func loss(_ backend: any Backend) throws -> Double {
            let trainer = try Trainer(data, .leaveOneOut(data), shape, options, backend: backend)
            return try trainer.run().finished().record.epochs[0].loss
        }
        let (own, expected) = (try loss(TestGPU.backends[backend]), try loss(CPUBackend(precision: .float32)))
        #expect(abs(own - expected) < 1e-4 * expected)
    }

    /// Adam leaves alone what only padding names: a catalogue of which a step meets little.
    @Test(arguments: [TrainingOptions.LossKind.sampled, .bpr], TestGPU.backends.indices)
    func paddingMovesNothing(loss: TrainingOptions.LossKind, backend: Int) throws {
        let (data, run) = (randomDataset(users: 8, items: 300), Run(loss: loss))
        let (_, expected) = try train(run, data, on: CPUBackend(precision: .float32))
        let (_, weights) = try train(run, data, on: TestGPU.backends[backend])
        let difference = zip(weights, expected).map { abs($0 - $1) }.max()!
        #expect(difference < 1e-5)
    }

    /// A device is one replica, whatever the options say of threads.
    @Test(arguments: TestGPU.backends.indices) func threadsAreTheProcessors(backend: Int) throws {
        let data = randomDataset(users: 20)
        var options = Run().options
        var all: [[Float]] = []
        for threads in [1, 2] {
            options.threads = threads
            let trainer = try Trainer(
                data, .leaveOneOut(data), smallShape(items: data.itemCount), options, backend: TestGPU.backends[backend]
            )
            let (model, record) = try trainer.run().finished()
            #expect(record.backend.hasSuffix(", 1 replica"))
            all.append(model.backend.download(model.weights.flat))
        }
        #expect(all[0] == all[1])
    }

    /// Every epoch has new workspaces, in the memory of the old ones.
    @Test(.enabled(if: TestGPU.emulatorFolder != nil)) func moreEpochsTakeNoMoreMemory() throws {
        let folder = try #require(TestGPU.emulatorFolder)
        let gpu = try CUDABackend(searching: [folder], cacheFolder: nil)  // whose memory nobody else takes
        let data = randomDataset(users: 20)
        let peaks = try [1, 3].map { (epochs: Int) throws -> Int in
            var options = Run().options
            (options.epochs, options.batchTokens) = (epochs, 4096)
            func train() throws -> Int {
                try Trainer(data, .leaveOneOut(data), smallShape(items: data.itemCount), options, backend: gpu)
                    .run().finished().record.epochs.count
            }
            var done: Result<Int, any Error>?
            let bytes = gpu.peakBytes { done = Result(catching: train) }
            #expect(try #require(done).get() == epochs)
            return bytes
        }
        // The first has the memory, too, through which all scans exchange results.
        #expect(peaks[0] > 0 && peaks[1] <= peaks[0], "\(peaks)")
    }

    private func shape(_ run: Run, _ data: Dataset) -> ModelConfiguration {
        var shape = smallShape(items: data.itemCount)
        (shape.repeatAware, shape.transitions, shape.usesTime) = (run.repeatAware, run.transitions, run.usesTime)
        return shape
    }

    private func train(
        _ run: Run, _ data: Dataset, on backend: any Backend
    ) throws -> (record: TrainingRecord, weights: [Float]) {
        let trainer = try Trainer(data, .leaveOneOut(data), shape(run, data), run.options, backend: backend)
        let (model, record) = try trainer.run().finished()
        return (record, backend.download(model.weights.flat))
    }
}
