import ArgumentParser
import CPUBackend
import Evaluation
import FileSupport
import Foundation
import Interactions
import RecBLR
import Serving
import Tensors
import Training

struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure training and serving beside this machine's limits.",
        discussion: """
            Everything runs on data made here, the default model and 3,416 items, in the shape of MovieLens-1M. The limit \
            of training is the FLOPs of its products divided by what the BLAS reaches on one thread (in the same run) \
            times the threads. Ratios travel between machines; times do not.

            Example:

              recblr bench --threads 2
            """)

    @OptionGroup var threads: ThreadsOption
    @OptionGroup var precision: PrecisionOption
    @OptionGroup var json: JSONFlag

    func run() throws {
        try reportingErrors {
            let backend = try precision.backend()
            let data = syntheticDataset(users: 1200, meanLength: 165, items: 3416)
            var result = BenchResult(backend: backend.name, threads: threads.count)
            // The machine's speed drifts: the limit is measured between the epochs that are compared with it.
            for tokens in [4096, 1024] { result.training.append(try training(data, tokens, backend)) }
            result.productGFLOPS = median(result.training.map(\.productGFLOPS))
            result.operations = operationTimes(backend)
            let model = try Model(
                initializing: RecBLR.Configuration(itemCount: data.itemCount), seed: 1, on: backend)
            result.evaluationSeconds = try evaluation(model)
            (result.stepMicroseconds, result.recommendMicroseconds) = serving(model)
            result.peakMegabytes = peakMemory()
            if json.isOn { try printJSON(result) } else { print(result.text) }
        }
    }

    private func training(
        _ data: Dataset, _ tokens: Int, _ backend: CPUBackend
    ) throws -> BenchResult.Training {
        var options = TrainingOptions()
        options.epochs = 5
        options.batchTokens = tokens
        options.threads = threads.count
        let shape = RecBLR.Configuration(itemCount: data.itemCount)
        let split = Split(
            trainingEnd: (0..<data.userCount).map { data.length(ofUser: $0) }, validation: [], test: [])
        var (rates, products) = ([Double](), [productRate()])
        _ = try Trainer(data, split, shape, options, backend: backend).run(report: { event in
            guard case .epoch(let record) = event else { return }
            rates.append(record.tokensPerSecond)
            products.append(productRate())
        })
        let product = median(products)
        return BenchResult.Training(
            tokensAStep: tokens, tokensPerSecond: median(rates), productGFLOPS: product,
            limit: product * 1e9 * Double(threads.count) / trainingFLOPs(shape))
    }

    /// Seconds for 6,040 users of 165 events.
    private func evaluation(_ model: Model) throws -> Double {
        let data = syntheticDataset(users: 6040, meanLength: 165, items: model.configuration.itemCount)
        let split = Split.leaveOneOut(data)
        let start = ContinuousClock.now
        _ = try ModelRanker(model, threads: threads.count).rank(split.test, in: data)
        return seconds(since: start)
    }

    private func serving(_ model: Model) -> (step: Double, recommend: Double) {
        let encoder = Encoder(model, tokens: 1, sequences: 1)
        var state = model.initialState()
        let items = Vocabulary(ids: (1...model.configuration.itemCount).map(String.init))!
        let recommender = Recommender(model, items: items, tokens: 1)
        var live = model.initialState()
        let step = medianTime(of: 2000) { _ = encoder.step(&state, item: Int32($0 % 3000 + 1)) }
        let both = medianTime(of: 2000) { _ = recommender.step(&live, item: Int32($0 % 3000 + 1), k: 10) }
        return (step * 1e6, both * 1e6)
    }
}

/// Multiplications and additions of all products of one training step, a token: forward, and twice that backward.
func trainingFLOPs(_ shape: RecBLR.Configuration) -> Double {
    let (d, h) = (Double(shape.hiddenSize), Double(shape.recurrenceSize))
    let layer = 2 * (d * 2 * h + h * 2 * h + h * d + 2 * d * Double(shape.innerSize))
    return 3 * (Double(shape.layerCount) * layer + 2 * Double(shape.itemCount) * d)
}

/// GFLOP/s of the BLAS on one thread, at the shape of the widest layer.
private func productRate() -> Double {
    let backend = CPUBackend()
    let (m, n, k) = (8192, 256, 64)
    let (a, b, c) = (backend.allocate(m * k), backend.allocate(n * k), backend.allocate(m * n))
    let time = medianTime(of: 30) { _ in
        backend.multiply(
            a.tensor.reshaped(m, k), transposed: false, b.tensor.reshaped(n, k), transposed: true,
            into: c.tensor.reshaped(m, n), accumulate: false)
    }
    return 2 * Double(m * n * k) / time / 1e9
}

/// Random sequences of 20 to about 2 · `meanLength` − 20 events, popular items more often.
func syntheticDataset(users: Int, meanLength: Int, items: Int) -> Dataset {
    var generator = SeededGenerator(seed: 5)
    let sequences = (0..<users).map { _ in
        (0..<Int.random(in: 20...2 * meanLength - 20, using: &generator)).map { _ in
            Int32(Double(items) * pow(generator.uniform(), 2)) + 1
        }
    }
    return Dataset(sequences: sequences, itemCount: items)
}

func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

/// Median seconds of `body`, after a tenth of the runs to warm up.
func medianTime(of runs: Int, _ body: (Int) -> Void) -> Double {
    for run in 0..<max(1, runs / 10) { body(run) }
    return median(
        (0..<runs).map { run in
            let start = ContinuousClock.now
            body(run)
            return seconds(since: start)
        })
}

func seconds(since start: ContinuousClock.Instant) -> Double { (ContinuousClock.now - start) / .seconds(1) }

/// What `bench` prints.
struct BenchResult: Encodable {
    struct Training: Encodable {
        var tokensAStep: Int
        var tokensPerSecond: Double
        var productGFLOPS: Double
        /// Tokens/s if products were all there is and ran at the BLAS's rate.
        var limit: Double
    }
    struct Operation: Encodable {
        var name: String
        /// One thread, a training token of one layer (of all, for embedding, softmax and Adam).
        var nanosecondsAToken: Double
    }

    var backend: String
    var threads: Int
    var productGFLOPS = 0.0
    var training: [Training] = []
    var operations: [Operation] = []
    var evaluationSeconds = 0.0
    var stepMicroseconds = 0.0
    var recommendMicroseconds = 0.0
    var peakMegabytes = 0.0

    init(backend: String, threads: Int) {
        self.backend = backend
        self.threads = threads
    }

    var text: String {
        var trainingTable = TextTable(["Training, \(threads) threads", "tokens/s", "limit", "share"])
        for entry in training {
            trainingTable.add([
                "\(grouped(entry.tokensAStep)) tokens a step", grouped(Int(entry.tokensPerSecond)),
                grouped(Int(entry.limit)), fixed(100 * entry.tokensPerSecond / entry.limit, 0) + " %",
            ])
        }
        var operationTable = TextTable(["Operation, one thread, 512 tokens", "ns/token"])
        for operation in operations { operationTable.add([operation.name, fixed(operation.nanosecondsAToken, 0)]) }
        return """
            \(backend), BLAS \(fixed(productGFLOPS, 0)) GFLOP/s a thread

            \(trainingTable.text)

            \(operationTable.text)

            Evaluation of 6,040 users, 3,416 items   \(fixed(evaluationSeconds, 2)) s
            One step of one user, median             \(fixed(stepMicroseconds, 1)) µs
            Step and top 10 of 3,416, median         \(fixed(recommendMicroseconds, 1)) µs
            Peak memory of all this                  \(fixed(peakMegabytes, 0)) MB
            """
    }
}
