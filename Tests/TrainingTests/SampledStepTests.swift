import CPUBackend
import EmulatedGPU
import Foundation
import Identifiers
import Interactions
import Layers
import Models
import Tensors
import Testing

@testable import Training

/// Steps that touch a part of the catalogue only, and what they draw.
@Suite struct SampledStepTests {
    /// Lazy Adam is dense Adam whose changes to embeddings of items that the step did not meet are taken back.
    @Test(arguments: [1, 3], [nil, 0.01] as [Float?])
    func aStepIsDenseAdamOnWhatItMeets(replicas: Int, clipNorm: Float?) throws {
        let data = randomDataset(users: 40, items: 300)
        var options = TrainingOptions()
        options.batchTokens = 60
        options.threads = replicas
        options.loss = .sampled
        options.negatives = 9
        let plan = BatchPlan(
            data, .leaveOneOut(data), options, epoch: 1, replicas: replicas, microBatchTokens: 512)
        let assembler = BatchAssembler(
            dataset: data, options: options,
            sampler: NegativeSampler(data, .leaveOneOut(data), sample: options.negatives), repeatWindow: 0,
            microBatchTokens: 512, pads: false)
        let (lazy, dense) = (try Trainee(data, replicas), try Trainee(data, replicas))
        var met = Set<Int>()
        for step in 0..<6 {
            let batches = assembler.batches(plan, plan.steps[step], step: step)
            let adam = AdamStep(number: step + 1, learningRate: 1e-2)
            for each in [lazy, dense] {
                each.replicas.learn(batches, DropoutSettings(rate: 0.2, seed: 1, step: UInt32(step)))
            }
            met = Set(batches.joined().flatMap(rows))
            let before = dense.values
            dense.update(in: [0..<dense.model.network.layout.count], adam, clipNorm)
            dense.takeBack(before, except: met)
            lazy.update(in: lazy.model.touchedRanges(by: batches.joined()), adam, clipNorm)
            // The norm is summed in another order, so that a clipped step may be off by a rounding.
            for (own, right) in zip(lazy.values, dense.values) {
                #expect(clipNorm == nil ? own == right : zip(own, right).allSatisfy { abs($0 - $1) < 1e-5 })
            }
        }
        #expect(met.count > 30 && met.count < 200)
    }

    /// Items that a batch meets.
    private func rows(_ batch: TrainingBatch) -> [Int] {
        guard case .shared(let samples, _) = batch.negatives else { return [] }
        return (samples.joined() + batch.targets).map(Int.init) + batch.sequences.items.map(\.row)
    }

    /// A model, its replicas and the optimiser.
    private struct Trainee {
        let model: SequenceModel
        let replicas: Replicas
        let optimizer: Optimizer

        init(_ data: Dataset, _ count: Int) throws {
            model = try SequenceModel(initializing: smallShape(items: data.itemCount), seed: 1, on: CPUBackend())
            replicas = Replicas(model, count: count)
            replicas.reserve(tokens: 200, sequences: 50)
            optimizer = Optimizer(model)
        }

        func update(in ranges: [Range<Int>], _ step: AdamStep, _ clipNorm: Float?) {
            optimizer.update(replicas.gradients, in: ranges, step, clipNorm: clipNorm)
        }

        private var blocks: [Parameters] { [model.weights, optimizer.firstMoment, optimizer.secondMoment] }
        var values: [[Float]] { blocks.map { model.backend.download($0.flat) } }

        /// Puts back what the embeddings of all items but these were.
        func takeBack(_ before: [[Float]], except met: Set<Int>) {
            let width = model.configuration.hiddenSize
            let first = model.network.layout.range(of: model.network.embedding.table).lowerBound + width
            for (values, block) in zip(before, blocks) {
                let table = block.itemTable(model.network.embedding)
                for row in 0..<table.rows where !met.contains(row) {
                    let start = first + row * width
                    model.backend.upload(Array(values[start..<start + width]), to: table.rows(row..<row + 1))
                }
            }
        }
    }

    /// Drawn at once by many threads or one after the other.
    @Test(arguments: [1, 9, 100]) func samplesDoNotDependOnThreads(sample: Int) {
        let data = randomDataset(users: 30, items: 90)
        let sampler = NegativeSampler(data, .leaveOneOut(data), sample: sample)
        var generator = SeededGenerator(seed: 5)
        let firsts = (0..<40).map { _ in generator.uniform() }
        for threads in [1, 3, 64] {
            #expect(sampler.popular(firsts: firsts, threads: threads) == firsts.map(sampler.popular(first:)))
            #expect(sampler.popular(firsts: [], threads: threads) == [])
        }
    }

    /// A device finds the rows that the host does, with their probabilities, and marks them.
    @Test(arguments: TestGPU.backends.indices, [1, 3, 9, 85, 90, 300]) func aDeviceDrawsTheSameSamples(
        backend: Int, sample: Int
    ) throws {
        let backend = TestGPU.backends[backend]
        let data = randomDataset(users: 30, items: sample == 300 ? 700 : 90)
        let sampler = NegativeSampler(data, .leaveOneOut(data), sample: sample)
        var generator = SeededGenerator(seed: 6)
        let firsts = [0, 0x1p-53, 1 - 0x1p-53] + (0..<30).map { _ in generator.uniform() }
        let sampling = try #require(sampler.sampling(on: backend))
        let targets: [Int32] = [5, -1, 2, 5]
        let drawn = sampling.draw(firsts, targets: backend.staged(targets), items: [-1, 88, 7])
        let rows = firsts.map(sampler.popular(first:)).flatMap(\.self)
        #expect(backend.download(drawn.rows) == rows)
        #expect(backend.download(drawn.logQ) == rows.map { sampler.logQ[Int($0)] })
        #expect(backend.download(drawn.targetLogQ) == targets.map { $0 < 0 ? 0 : sampler.logQ[Int($0)] })
        let met = Set(rows + [5, 2, 88, 7])
        #expect(backend.download(sampling.marks) == (0..<Int32(data.itemCount)).map { met.contains($0) ? 1 : 0 })
    }

    /// Every item is drawn as often as its logQ says, and none twice.
    @Test(arguments: [1, 5, 12, 22, 23, 100])
    func samplesKeepTheirProbabilities(sample: Int) {
        let data = randomDataset(users: 3)  // some of the 23 items occur often, some never
        let sampler = NegativeSampler(data, .leaveOneOut(data), sample: sample)
        var generator = SeededGenerator(seed: 5)
        let draws = 20_000
        var counts = [Int](repeating: 0, count: 23)
        for _ in 0..<draws {
            let rows = sampler.popular(first: generator.uniform())
            #expect(rows.count == min(sample, 23))
            #expect(zip(rows, rows.dropFirst()).allSatisfy { $0 < $1 })
            for row in rows { counts[Int(row)] += 1 }
        }
        let expected = sampler.logQ.map { exp(Double($0)) * Double(draws) }
        for row in 0..<23 { #expect(abs(Double(counts[row]) - expected[row]) < 5 * expected[row].squareRoot()) }
        #expect(abs(expected.reduce(0, +) - Double(draws * min(sample, 23))) < 1)
    }
}
