import CPUBackend
import Foundation
import Interactions
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
        let plan = BatchPlan(data, .leaveOneOut(data), options, epoch: 1)
        let sampler = NegativeSampler(data, .leaveOneOut(data), sample: 9)
        let lazy = try group(data, replicas)
        let dense = try group(data, replicas)
        var generator = SeededGenerator(seed: 3)
        var met = Set<Int>()
        for step in 0..<6 {
            let batch = plan.batches[step]
            var shares = plan.deal(batch, to: replicas).map { [Share($0[...], of: plan, data, window: 0)] }
            for i in shares.indices {
                let samples = (0..<2).map { _ in sampler.popular(using: &generator) }
                shares[i][0].loss = .sampled(samples: samples, logQ: sampler.logQ)
            }
            let adam = AdamStep(number: step + 1, learningRate: 1e-2)
            for group in [lazy, dense] { group.learn(shares, dropout: 0.2, seed: 1, step: step) }
            met = Set(shares.joined().flatMap { items($0) })
            let before = blocks(dense)
            dense.reach = [0..<dense.model.weights.layout.count]
            dense.update(adam, clipNorm: clipNorm)
            takeBack(before, in: dense, except: met)
            lazy.update(adam, clipNorm: clipNorm)
            // The norm is summed in another order, so that a clipped step may be off by a rounding.
            for (own, right) in zip(blocks(lazy), blocks(dense)) {
                #expect(clipNorm == nil ? own == right : zip(own, right).allSatisfy { abs($0 - $1) < 1e-5 })
            }
        }
        #expect(met.count > 50 && met.count < 200)
    }

    private func group(_ data: Dataset, _ replicas: Int) throws -> ReplicaGroup {
        let model = try SequenceModel(initializing: smallShape(items: data.itemCount), seed: 1, on: CPUBackend())
        let group = ReplicaGroup(model, replicas: replicas)
        group.reserve(tokens: 200, sequences: 50)
        return group
    }

    private func items(_ share: Share) -> [Int] {
        guard case .sampled(let samples, _) = share.loss else { return [] }
        return (samples.joined() + share.batch.items + share.targets.items).map { Int($0) }
    }

    private func blocks(_ group: ReplicaGroup) -> [[Float]] {
        [group.model.weights, group.firstMoment, group.secondMoment].map { group.model.backend.download($0.flat) }
    }

    private func takeBack(_ before: [[Float]], in group: ReplicaGroup, except met: Set<Int>) {
        for (values, block) in zip(before, [group.model.weights, group.firstMoment, group.secondMoment]) {
            let (rows, width) = (block.embedding.rows, block.embedding.columns)
            for row in 0..<rows where !met.contains(row) {
                group.model.backend.upload(
                    Array(values[row * width..<(row + 1) * width]), to: block.embedding.rows(row..<row + 1))
            }
        }
    }

    /// Every item is drawn as often as its logQ says, and none twice.
    @Test(arguments: [1, 5, 12, 22, 23, 100])
    func samplesKeepTheirProbabilities(sample: Int) {
        let data = randomDataset(users: 3)  // some of the 23 items occur often, some never
        let sampler = NegativeSampler(data, .leaveOneOut(data), sample: sample)
        var generator = SeededGenerator(seed: 5)
        let draws = 20_000
        var counts = [Int](repeating: 0, count: 24)
        for _ in 0..<draws {
            let items = sampler.popular(using: &generator)
            #expect(items.count == min(sample, 23))
            #expect(zip(items, items.dropFirst()).allSatisfy { $0 < $1 })
            for item in items { counts[Int(item)] += 1 }
        }
        let expected = sampler.logQ.map { exp(Double($0)) * Double(draws) }
        for item in 1...23 { #expect(abs(Double(counts[item]) - expected[item]) < 5 * expected[item].squareRoot()) }
        #expect(abs(expected.dropFirst().reduce(0, +) - Double(draws * min(sample, 23))) < 1)
    }
}
