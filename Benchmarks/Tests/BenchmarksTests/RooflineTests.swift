import CPUBackend
import Identifiers
import Layers
import Models
import Operations
import Tensors
import Testing

@testable import Benchmarks

/// Counts of arithmetic and traffic against numbers worked out by hand.
@Suite struct RooflineTests {
    /// D = 4, H = 8, inner 16, V = 10, L = 2, pieces of 16 tokens in steps of 32.
    private let step: StepOperations = {
        var shape = ModelConfiguration(itemCount: 10)
        shape.hiddenSize = 4
        return StepOperations(shape, tokens: 16, stepTokens: 32, backend: CPUBackend())
    }()

    private func row(_ name: String) throws -> StepOperations.Row {
        try #require(step.rows.first { $0.name == name }, "\(name)")
    }

    /// Bytes of so many floats.
    private func bytes(_ floats: Int...) -> Int { 4 * floats.reduce(0, +) }

    @Test func products() throws {
        let (rows, weight) = (16, 8 * 16)
        let forward = try row("gates 8 → 16")
        #expect(forward.operation.flops == 4096, "2 · 16 · 8 · 16")
        #expect(forward.arguments.bytes == bytes(rows * 8, weight, rows * 16))
        #expect(forward.calls == 2 && forward.flopsPerToken == 512 && forward.bytesPerToken == 256)
        let added = bytes(rows * 16, rows * 8, 2 * weight)
        #expect(try row("gates 8 → 16, weight gradient").arguments.bytes == added)
        let addedToo = bytes(rows * 16, weight, 2 * rows * 8)
        #expect(try row("gates 8 → 16, input gradient").arguments.bytes == addedToo)
        let written = bytes(rows * 4, 4 * 8, rows * 8)
        #expect(try row("output projection 8 → 4, input gradient").arguments.bytes == written)
    }

    @Test func chains() throws {
        let rows = 16
        let convolution = try row("convolution + SiLU")
        #expect(convolution.arguments.bytes == bytes(rows * 8, 4 * 8, 8, rows * 8), "only U is read, half of a row")
        #expect(convolution.operation.flops == 1536, "16 · 8 · (2 · 4 + 4)")
        let scan = try row("gated scan")
        #expect(scan.arguments.bytes == bytes(rows * 16, rows * 8, rows * 8, 16, 8, 2 * rows * 8))
        #expect(scan.operation.flops == 3072, "16 · 8 · 24")
        let norm = try row("dropout + residual + norm")
        #expect(norm.calls == 5)
        #expect(norm.arguments.bytes == bytes(3 * 4, rows * 4, rows * 4, rows, 2 * rows * 4))
        let softmax = try row("softmax over 10 items, both ways")
        #expect(softmax.operation.flops == 4480, "16 · 10 · (6 · 4 + 4)")
        #expect(softmax.arguments.bytes == bytes(rows * 4, 10 * 4, rows * 4, 2 * 10 * 4))
        let adam = try row("Adam, once a step")
        let weights = step.shape.layout.count
        #expect(adam.arguments.bytes == bytes(7 * weights) && adam.bytesPerToken == Double(7 * 4 * weights) / 32)
        #expect(adam.operation.flops == 12 * weights)
    }

    /// The table holds every product of a step once: together they are what the limit of training is made of.
    @Test func productsSumToTheStep() {
        let products = step.rows.filter { $0.name.contains("→") }
        #expect(products.count == 15)
        let softmax = 6 * 10.0 * 4
        #expect(products.reduce(0) { $0 + $1.flopsPerToken } + softmax == trainingFLOPs(step.shape))
    }

    /// The table is what the model calls, product by product: forward and backward of a batch.
    @Test func theTableHoldsWhatAStepCalls() throws {
        let counting = CountingBackend(CPUBackend())
        let model = try SequenceModel(initializing: step.shape, seed: 1, on: counting)
        let learner = Learner(model, tokens: step.tokens, sequences: 1)
        let events = PackedBatch([(0..<step.tokens).map { ItemID(row: $0 % 10) }])
        let dropout = DropoutSettings(rate: 0.2, seed: 1, step: 1)
        _ = learner.learn(
            TrainingBatch(events, targets: events.items), dropout: dropout, scale: 1, into: model.makeGradients())
        let listed = CountingBackend(CPUBackend())
        for row in step.rows where row.tokens == step.tokens {
            let call = row.operation.prepare(Arguments(measuring: listed))
            for _ in 0..<row.calls { call() }
        }
        #expect(counting.calls == listed.calls)
    }

    @Test func rowsHoldTheLargerOfBothLimits() throws {
        let timer = OperationTimer(step)
        timer.round()
        let limits = Limits(CPUBackend())
        let rows = timer.rows(limits, Machine())
        #expect(rows.count == step.rows.count && rows.allSatisfy { $0.nanoseconds > 0 && $0.limitNanoseconds > 0 })
        let cleared = try #require(rows.last)
        #expect(!cleared.limitedByArithmetic && cleared.flops == 0)
        let rate = limits.copyRate(workingSet: 4 * step.shape.layout.count)
        #expect(abs(cleared.limitNanoseconds - cleared.bytes / rate * 1e9) < 1e-9)
    }

    @Test func ratesAreComparedWithinARound() throws {
        let data = syntheticDataset(users: 9, meanLength: 30, items: 20)
        let timer = TrainingTimer(data, threads: 2, precisions: [.float32], steps: [64])
        let limits: [Precision: Limits] = [.float32: Limits(CPUBackend())]
        for _ in 0..<3 { try timer.round(limits) }
        let rate = try #require(timer.results(limits).first)
        let one = try #require(timer.rates[.init(precision: .float32, tokens: 64, threads: 1)])
        let two = try #require(timer.rates[.init(precision: .float32, tokens: 64, threads: 2)])
        #expect(one.count == 3 && two.count == 3 && rate.oneThread == one.sorted()[1])
        #expect(rate.scaling == zip(two, one).map { $0 / $1 }.sorted()[1])
        #expect(rate.speedup == 1, "float32 beside itself")
        let times = timer.stepTimes
        #expect(times.count == 1 && times[.init(precision: .float32, tokens: 64, threads: 1)]?.count == 3)
        #expect(times.values.joined().allSatisfy { $0 > 0 })
        let products = trainingFLOPs(ModelConfiguration(itemCount: 20)) / rate.productPeak
        #expect(abs(rate.oneThreadShareOfPeak - products / rate.oneThreadNanoseconds) < 1e-9)
    }
}
