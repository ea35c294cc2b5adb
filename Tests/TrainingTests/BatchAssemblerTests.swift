import CPUBackend
import Evaluation
import Foundation
import Identifiers
import Interactions
import Layers
import Models
import Tensors
import Testing

@testable import Training

/// How steps are filled and partitioned, and the batches that become of them.
@Suite struct BatchAssemblerTests {
    /// Nothing more would have fitted: into a batch the first segment of the next, into a micro-batch its neighbour's first; and
    /// replicas have about as much to do.
    @Test func batchesAreFull() {
        let data = randomDataset()
        var options = TrainingOptions()
        (options.maximumLength, options.batchTokens) = (9, 100)
        let plan = BatchPlan(data, .leaveOneOut(data), options, epoch: 1, replicas: 3, microBatchTokens: 14)
        func tokens(_ positions: some Sequence<Int>) -> Int { positions.reduce(0) { $0 + plan.segments[$1].tokens } }
        #expect(plan.steps.count > 5)
        for (step, next) in zip(plan.steps, plan.steps.dropFirst()) {
            let first = next.joined().joined().min()!
            #expect(tokens(step.joined().joined()) + plan.segments[first].tokens > 100)
            #expect(step.joined().joined().max()! == first - 1)
        }
        for step in plan.steps {
            for replica in step {
                #expect(Array(replica.joined()) == replica.joined().sorted())
                for (own, next) in zip(replica, replica.dropFirst()) {
                    #expect(tokens(own) + plan.segments[next.first!].tokens > 14)
                }
            }
            let loads = step.map { tokens($0.joined()) }
            #expect(loads.max()! - loads.min()! <= 9, "\(loads)")
        }
        let microBatches = plan.steps.joined().joined()
        #expect(plan.largestTokens == microBatches.map(tokens).max())
        #expect(plan.largestSequences == microBatches.map(\.count).max())
        // Tokens are numbered through within their batch, in the order of the segments.
        for step in plan.steps {
            var next: Int32 = 0
            for position in step.joined().joined().sorted() {
                #expect(plan.firstTokens[position] == next)
                next += Int32(plan.segments[position].tokens)
            }
        }
    }

    /// Exactly full is not too full.
    @Test func whatJustFitsIsOneBatch() {
        let data = Dataset(sequences: randomSequences([12, 12, 12, 12], items: 5, seed: 1), itemCount: 5)
        var options = TrainingOptions()
        (options.maximumLength, options.batchTokens) = (100, 18)  // nine inputs train of each
        let plan = BatchPlan(data, .leaveOneOut(data), options, epoch: 1, replicas: 1, microBatchTokens: 9)
        #expect(plan.segments.map(\.tokens) == [9, 9, 9, 9])
        #expect(plan.steps.map { $0.map { $0.map(Array.init) } } == [[[[0], [1]]], [[[2], [3]]]])
        options.batchTokens = 17
        let smaller = BatchPlan(data, .leaveOneOut(data), options, epoch: 1, replicas: 1, microBatchTokens: 18)
        #expect(smaller.steps.map { $0.map { $0.map(Array.init) } } == [[[[0]]], [[[1]]], [[[2]]], [[[3]]]])
        options.batchTokens = 36
        let larger = BatchPlan(data, .leaveOneOut(data), options, epoch: 1, replicas: 1, microBatchTokens: 18)
        #expect(larger.steps.map { $0.map { $0.map(Array.init) } } == [[[[0, 1], [2, 3]]]])
    }

    private func assembled(
        _ data: Dataset, _ options: TrainingOptions, microBatchTokens: Int, pads: Bool, step: Int = 0
    ) -> (plan: BatchPlan, assembler: BatchAssembler, batches: [TrainingBatch]) {
        let split = Split.leaveOneOut(data)
        let plan = BatchPlan(data, split, options, epoch: 1, replicas: 2, microBatchTokens: microBatchTokens)
        let assembler = BatchAssembler(
            dataset: data, options: options,
            sampler: options.loss == .full ? nil : NegativeSampler(data, split, sample: options.negatives),
            repeatWindow: 5, microBatchTokens: microBatchTokens, pads: pads)
        return (plan, assembler, plan.steps.flatMap { Array(assembler.batches(plan, $0, step: step).joined()) })
    }

    /// What a device with a queue gets: few different shapes, which hold the same events, targets and numbers as without padding.
    @Test(arguments: TrainingOptions.Objective.allCases, [TrainingOptions.LossKind.full, .bpr])
    func paddingRoundsShapesUp(objective: TrainingOptions.Objective, loss: TrainingOptions.LossKind) {
        let data = randomDataset()
        var options = TrainingOptions()
        (options.maximumLength, options.batchTokens, options.objective, options.loss) = (9, 64, objective, loss)
        let (_, _, bare) = assembled(data, options, microBatchTokens: 400, pads: false)
        let (plan, assembler, padded) = assembled(data, options, microBatchTokens: 400, pads: true)
        let capacity = assembler.capacity(for: plan)
        #expect(bare.count == padded.count && bare.count > 5)
        for (own, batch) in zip(padded, bare) {
            let (tokens, sequences) = (own.sequences.tokenCount, own.sequences.sequenceCount)
            let extra = (own.targetRows?.count ?? 0) - (batch.targetRows?.count ?? 0)
            #expect(tokens % 64 == 0 && tokens - batch.sequences.tokenCount - extra < 64)
            #expect(tokens <= capacity.tokens && sequences <= capacity.sequences)
            #expect(sequences == max(32, powerOfTwo(above: batch.sequences.sequenceCount)))
            #expect(own.tokenCount == batch.tokenCount && own.targetCount == batch.targetCount)
            #expect(Array(own.sequences.items.prefix(batch.tokenCount)) == batch.sequences.items)
            #expect(own.sequences.items.dropFirst(batch.tokenCount).allSatisfy { (1...23).contains($0.rawValue) })
            #expect(Array(own.sequences.starts.prefix(batch.sequences.starts.count)) == batch.sequences.starts)
            #expect(own.sequences.starts.last! == tokens && own.sequences.earlier == batch.sequences.earlier)
            #expect(own.sequences.earlierStarts.starts(with: batch.sequences.earlierStarts))
            #expect(own.sequences.earlierStarts.count == own.sequences.starts.count)
            #expect(own.sequences.earlierStarts.last! == own.sequences.earlier.count)
            #expect(own.tokenNumbers.count == tokens && own.tokenNumbers.starts(with: batch.tokenNumbers))
            #expect(own.targets.starts(with: batch.targets))
            #expect(own.targets.dropFirst(batch.targets.count).allSatisfy { $0 == TrainingBatch.noTarget })
            if let rows = own.targetRows, let bareRows = batch.targetRows {
                #expect(rows.count == own.targets.count && rows.starts(with: bareRows) && Set(rows).count == rows.count)
                #expect(rows.count.nonzeroBitCount == 1 && rows.count < 2 * bareRows.count)
                #expect(rows.dropFirst(bareRows.count).allSatisfy { batch.tokenCount..<tokens ~= Int($0) })
            } else {
                #expect(own.targetRows == nil && batch.targetRows == nil && own.targets.count == tokens)
            }
        }
    }

    /// Thirty-three targets of 65 events become 64 rows: those without a target need events, too.
    @Test func rowsWithoutATargetHaveEvents() {
        let data = Dataset(sequences: randomSequences([36], items: 9, seed: 3), itemCount: 9)
        var options = TrainingOptions()
        (options.maximumLength, options.batchTokens, options.objective) = (2, 65, .lastPosition)
        let plan = BatchPlan(data, .leaveOneOut(data), options, epoch: 1, replicas: 1, microBatchTokens: 400)
        let assembler = BatchAssembler(
            dataset: data, options: options, sampler: nil, repeatWindow: 0, microBatchTokens: 400, pads: true)
        let batch = assembler.batches(plan, plan.steps[0], step: 0)[0][0]
        #expect(batch.tokenCount == 65 && batch.targetCount == 33 && batch.sequences.tokenCount == 130)
        #expect(batch.targetRows.map { Array($0.dropFirst(33)) } == Array(65..<96))
        #expect(assembler.capacity(for: plan) == (130, 64))
    }

    /// The smallest power of two larger than `count`.
    private func powerOfTwo(above count: Int) -> Int {
        var power = 1
        while power <= count { power *= 2 }
        return power
    }

    @Test func whatIsLongerThanAMicroBatchIsNotPadded() {
        let data = Dataset(sequences: randomSequences([60, 8], items: 9, seed: 3), itemCount: 9)
        var options = TrainingOptions()
        (options.maximumLength, options.batchTokens) = (1000, 16)
        let (plan, assembler, batches) = assembled(data, options, microBatchTokens: 16, pads: true)
        #expect(batches.map(\.sequences.tokenCount).sorted() == [16, 57] && assembler.capacity(for: plan).tokens == 32)
        let (barePlan, bare, _) = assembled(data, options, microBatchTokens: 16, pads: false)
        #expect(bare.capacity(for: barePlan) == (16, 1))
    }

    /// As many samples as targets need, of other items in every step; the same where a step is done again.
    @Test func eachStepHasItsNegatives() throws {
        let data = randomDataset(users: 60, items: 200)
        var options = TrainingOptions()
        (options.batchTokens, options.loss, options.negatives) = (700, .sampled, 9)
        func samples(_ step: Int) throws -> [[[Int32]]] {
            try assembled(data, options, microBatchTokens: 350, pads: false, step: step).batches.map { batch in
                guard case .shared(let samples, let logQ) = batch.negatives else { throw WrongNegatives() }
                #expect(samples.count == min((batch.targets.count + 127) / 128, 350 / 128), "128 targets a sample")
                #expect(samples.allSatisfy { $0.count == 9 } && Set(samples).count == samples.count)
                #expect(logQ.count == 200)
                return samples
            }
        }
        let first = try samples(0)
        #expect(first.contains { $0.count == 2 })
        #expect(try samples(0) == first)
        #expect(try Set(samples(1).joined()).isDisjoint(with: first.joined()))

        options.batchTokens = 150  // two replicas, of which neither has 128 targets
        #expect(try samples(0).allSatisfy { $0.count == 1 })

        options.loss = .bpr
        for batch in assembled(data, options, microBatchTokens: 350, pads: false).batches {
            guard case .paired(let rows) = batch.negatives else { throw WrongNegatives() }
            #expect(rows.count == batch.targets.count && zip(rows, batch.targets).allSatisfy { $0 != $1 })
        }
    }

    private struct WrongNegatives: Error {}

    /// Probabilities are in proportion to the root of one more than the training events of an item; popular items are in every sample.
    @Test func popularItemsAreSampledMore() {
        let events = [15, 8, 3, 3, 0].enumerated().flatMap { [ItemID](repeating: ItemID(row: $0), count: $1) }
        let data = Dataset(sequences: [events], itemCount: 5)
        let everything = Split.everything(data)  // roots 4, 3, 2, 2, 1
        func probabilities(_ sample: Int) -> [Double] {
            NegativeSampler(data, everything, sample: sample).logQ.map { exp(Double($0)) }
        }
        let expected: [Int: [Double]] = [
            1: [4 / 12, 3 / 12, 2 / 12, 2 / 12, 1 / 12], 2: [8 / 12, 6 / 12, 4 / 12, 4 / 12, 2 / 12],
            3: [1, 0.75, 0.5, 0.5, 0.25], 4: [1, 1, 0.8, 0.8, 0.4],  // the first are certain
            5: [1, 1, 1, 1, 1], 9: [1, 1, 1, 1, 1],
        ]
        for (sample, expected) in expected {
            let own = probabilities(sample)
            #expect(own.count == 5 && zip(own, expected).allSatisfy { abs($0 - $1) < 1e-6 }, "\(sample): \(own)")
        }
        var generator = SeededGenerator(seed: 6)
        let sampler = NegativeSampler(data, everything, sample: 4)
        for _ in 0..<2000 {
            let rows = sampler.popular(first: generator.uniform())
            #expect(rows.starts(with: [0, 1]) && rows.count == 4)
        }
    }

    @Test func everyOtherItemIsAsLikely() {
        let data = randomDataset(users: 3)
        let sampler = NegativeSampler(data, .leaveOneOut(data), sample: 5)
        var generator = SeededGenerator(seed: 7)
        for target in [0, 11, 22] as [Int32] {
            let draws = sampler.uniform(otherThan: [Int32](repeating: target, count: 22_000), using: &generator)
            for row in 0..<23 as Range<Int32> {
                let count = draws.count { $0 == row }
                #expect(row == target ? count == 0 : abs(count - 1000) < 160, "\(count) of row \(row); 1000 ± 31")
            }
        }
        let padding = sampler.uniform(otherThan: [-1, -1, -1], using: &generator)
        #expect(padding.allSatisfy { (0..<23).contains($0) })
        let single = Dataset(sequences: [[1, 1, 1, 1]], itemCount: 1)
        let alone = NegativeSampler(single, .leaveOneOut(single), sample: 1)
        #expect(alone.uniform(otherThan: [0, -1], using: &generator) == [0, 0], "there is no other")
    }

    @Test func scheduleByHand() {
        var options = TrainingOptions()
        (options.learningRate, options.warmupSteps) = (0.4, 4)
        let rates = (1...12).map { options.learningRate(step: $0, total: 12) }
        let expected = [0.1, 0.2, 0.3, 0.4] + (1...8).map { 0.2 * (1 + cos(.pi * Double($0) / 8)) }
        for (rate, value) in zip(rates, expected) { #expect(abs(Double(rate) - value) < 1e-7) }
        #expect(options.learningRate(step: 13, total: 12) == 0, "an epoch that was longer than the first")
        options.warmupSteps = 0
        #expect(abs(options.learningRate(step: 6, total: 12) - 0.2) < 1e-7)
        (options.warmupSteps, options.schedule) = (12, .cosine)
        #expect(options.learningRate(step: 12, total: 12) == 0.4)
        #expect(options.learningRate(step: 13, total: 12) < 1e-7, "no division by zero")
    }
}

/// Sums over replicas.
@Suite struct ReplicaTests {
    /// Loss and clipped step are those of one replica: plain descent (a large ε) shows the gradient, which is as long as the
    /// clip allows where it was longer.
    @Test(arguments: [1, 3]) func theNormOfAllGradientsIsClipped(count: Int) throws {
        let data = randomDataset()
        var options = TrainingOptions()
        options.batchTokens = 400
        func movement(_ clipNorm: Float?, replicas count: Int) throws -> (loss: Double, step: [Double]) {
            let model = try SequenceModel(initializing: smallShape(items: data.itemCount), seed: 1, on: CPUBackend())
            let before = model.backend.download(model.weights.flat)
            let replicas = Replicas(model, count: count)
            replicas.reserve(tokens: 400, sequences: 100)
            let plan = BatchPlan(data, .leaveOneOut(data), options, epoch: 1, replicas: count, microBatchTokens: 512)
            let batches = BatchAssembler(
                dataset: data, options: options, sampler: nil, repeatWindow: 0, microBatchTokens: 512, pads: false
            ).batches(plan, plan.steps[0], step: 0)
            replicas.lossSum = 100
            replicas.learn(batches, DropoutSettings(rate: 0, seed: 1, step: 0))
            Optimizer(model).update(
                replicas.gradients, in: model.touchedRanges(by: batches.joined()),
                .init(number: 1, learningRate: 1e6, epsilon: 1e6), clipNorm: clipNorm)
            for part in replicas.gradients.parts {
                #expect(model.backend.download(part.flat).allSatisfy { $0 == 0 }, "cleared for the next step")
            }
            let after = model.backend.download(model.weights.flat)
            let targets = batches.joined().reduce(0) { $0 + $1.targetCount }
            return ((replicas.lossSum - 100) / Double(targets), zip(before, after).map { Double($0 - $1) })
        }
        func norm(_ values: [Double]) -> Double { values.reduce(0) { $0 + $1 * $1 }.squareRoot() }
        let (loss, whole) = try movement(nil, replicas: 1)
        #expect(abs(loss - log(23)) < 0.1, "that of guessing")
        let length = norm(whole)
        for (clip, expected) in [(nil, length), (Float(length * 0.3), length * 0.3), (Float(length * 3), length)] {
            let (own, step) = try movement(clip, replicas: count)
            #expect(abs(own - loss) < 1e-5)
            #expect(abs(norm(step) - expected) < 1e-3 * expected, "\(norm(step)), not \(expected)")
            let along = zip(step, whole).reduce(0) { $0 + $1.0 * $1.1 } / norm(step) / length
            #expect(along > 0.9999, "the same direction")
        }
    }
}
