import CPUBackend
import Evaluation
import FileSupport
import Identifiers
import Interactions
import Models
import Serving
import Tensors
import Training

/// Everything that `recblr bench` measures.
struct BenchReport: Encodable, Sendable {
    /// The machine.
    let machine: Machine
    /// Of training, evaluation.
    let threads: Int
    /// One entry for each step size and precision.
    let training: [TrainingRate]
    /// Speed-up of products on all threads over one thread. Threads share cores, clock and caches; training cannot scale better.
    let productScaling: Double
    /// On one thread.
    let operations: OperationTable
    /// Time of one step of a user's state, on one core.
    let stepMicroseconds: Double
    /// Without the repeat-aware head, and with it.
    let serving: [ServingBench]
    /// Largest resident size of the process.
    let peakMegabytes: Double

    /// Number of items of the synthetic data.
    static let items = 3416
    /// Rounds over which medians are taken.
    static let rounds = 5

    /// Measures; about a minute. `precision` is that of the table of operations.
    init(threads: Int, precision: Precision) throws {
        self.threads = threads
        machine = Machine()
        let precisions = Precision.allCases.filter(\.isAvailable)
        let limits = Dictionary(uniqueKeysWithValues: precisions.map { ($0, Limits(CPUBackend(precision: $0))) })
        let timer = TrainingTimer(
            syntheticDataset(users: 400, meanLength: 165, items: Self.items), threads: threads, precisions: precisions,
            steps: [4096, 1024])
        let shape = ModelConfiguration(itemCount: Self.items)
        let operationTimer = OperationTimer(
            StepOperations(shape, tokens: 512, stepTokens: 1024, backend: CPUBackend(precision: precision)))
        var scalings: [Double] = []
        for _ in 0..<Self.rounds {
            scalings.append(limits[.float32]!.productScaling(threads: threads))
            try timer.round(limits)
            operationTimer.round()
        }
        productScaling = median(scalings)
        training = timer.results(limits)
        let oneThread = TrainingTimer.Setting(precision: precision, tokens: 1024, threads: 1)
        operations = OperationTable(
            operationTimer, limits[precision]!, machine, precision: precision,
            stepNanoseconds: median(timer.stepTimes[oneThread]!))
        let model = try SequenceModel(initializing: shape, seed: 1, on: CPUBackend())
        stepMicroseconds = Self.step(model)
        serving = try [false, true].map { try ServingBench(items: Self.items, repeatAware: $0, threads: threads) }
        peakMegabytes = peakMemory()
    }

    private static func step(_ model: SequenceModel) -> Double {
        let encoder = SequenceEncoder(model, tokens: 1, sequences: 1)
        var state = model.initialState()
        return medianTime(of: 2000) { _ = try! encoder.step(&state, item: ItemID(row: $0 % 3000)) } * 1e6
    }
}
