import CPUBackend
import Identifiers
import Interactions
import Layers
import Models
import Tensors
import Testing

@testable import Training

@Suite struct BatchPlanTests {
    @Test(arguments: TrainingOptions.Objective.allCases)
    func everyTargetIsPredictedOnceAnEpoch(objective: TrainingOptions.Objective) {
        let data = randomDataset()
        let split = Split.leaveOneOut(data)
        var options = TrainingOptions()
        options.maximumLength = 7
        options.batchTokens = 50
        options.objective = objective
        for epoch in 1...3 {
            let plan = BatchPlan(data, split, options, epoch: epoch, replicas: 3, microBatchTokens: 20)
            var next = 0
            var counts: [[Int]] = split.trainingEnd.map { Array(repeating: 0, count: $0) }
            for (step, partition) in plan.steps.enumerated() {
                func tokens(_ positions: some Sequence<Int>) -> Int {
                    positions.reduce(0) { $0 + plan.segments[$1].tokens }
                }
                let batch = partition.joined().joined().sorted()
                #expect(tokens(batch) <= 50 || batch.count == 1)
                #expect(
                    batch.first == next && Set(batch).count == batch.count,
                    "step \(step) goes on where the one before ended")
                #expect(partition.joined().allSatisfy { tokens($0) <= 20 || $0.count == 1 })
                next += batch.count
                for index in batch {
                    let segment = plan.segments[index]
                    #expect(segment.tokens <= 7)
                    let targets = (segment.inputs.lowerBound + 1)...segment.inputs.upperBound
                    for target in objective == .everyPosition
                        ? targets : segment.inputs.upperBound...segment.inputs.upperBound
                    {
                        counts[segment.user][target] += 1
                    }
                }
            }
            for user in counts where user.count >= 2 {
                #expect(user.first == 0 && user.dropFirst().allSatisfy { $0 == 1 })
            }
        }
    }

    /// The same epoch of the same run is planned to the same batches; in other epochs the first cut of a long history falls
    /// on any event equally often. (Their order is under test below.)
    @Test func epochsDifferAndRepeat() {
        let data = Dataset(sequences: randomSequences([40, 40, 40, 5], items: 9, seed: 2), itemCount: 9)
        var options = TrainingOptions()
        (options.maximumLength, options.batchTokens) = (7, 20)
        func planned(_ epoch: Int) -> BatchPlan {
            BatchPlan(data, .leaveOneOut(data), options, epoch: epoch, replicas: 2, microBatchTokens: 10)
        }
        let plans = (1...350).map(planned)
        for (epoch, plan) in zip(1..., plans.prefix(20)) {
            let again = planned(epoch)
            #expect(plan.segments == again.segments && plan.steps == again.steps)
            #expect(plan.firstTokens == again.firstTokens)
        }
        for user in 0..<3 {
            let first = plans.compactMap { $0.segments.first { $0.user == user && $0.inputs.lowerBound == 0 }?.tokens }
            for length in 1...7 {
                let count = first.count { $0 == length }
                #expect((20...80).contains(count), "\(count) of 350 first cuts; 50 ± 7 are expected")
            }
        }
        // Users are cut independently of each other.
        let together = plans.count { plan in
            Set(plan.segments.filter { $0.inputs.lowerBound == 0 && $0.user < 3 }.map(\.tokens)).count == 1
        }
        #expect(together < 25, "\(together) of 350; 7 are expected of chance")
    }

    /// Orders of different epochs have nothing in common, nor have those of neighbouring seeds. (Seeds at a generator's own
    /// increment gave orders with a rank correlation of .36.)
    @Test(arguments: [1, 2, UInt64.max]) func epochsAreIndependent(seed: UInt64) {
        let users = 400
        let data = Dataset(sequences: Array(repeating: [1, 2, 3, 4, 5], count: users), itemCount: 5)
        var options = TrainingOptions()
        options.seed = seed
        func places(_ epoch: Int, _ options: TrainingOptions) -> [Double] {
            let plan = BatchPlan(
                data, .leaveOneOut(data), options, epoch: epoch, replicas: 1, microBatchTokens: 512)
            var places = [Double](repeating: 0, count: users)
            for (place, segment) in plan.segments.enumerated() { places[segment.user] = Double(place) }
            return places
        }
        func correlation(_ a: [Double], _ b: [Double]) -> Double {
            let (mean, variance) = (Double(users - 1) / 2, Double(users * users - 1) / 12)
            return zip(a, b).reduce(0) { $0 + ($1.0 - mean) * ($1.1 - mean) } / Double(users) / variance
        }
        var neighbour = options
        neighbour.seed = seed &+ 1
        for epoch in 1...20 {
            let own = places(epoch, options)
            for other in [places(epoch + 1, options), places(epoch + 2, options), places(epoch, neighbour)] {
                #expect(abs(correlation(own, other)) < 0.2)  // four standard deviations
            }
        }
    }

    /// Who stood side by side in one epoch does not in the next, more often than chance has it.
    @Test func neighboursDoNotMeetAgain() {
        let users = 400
        let data = Dataset(sequences: Array(repeating: [1, 2, 3, 4, 5], count: users), itemCount: 5)
        let pairs = (1...20).map { epoch in
            let order = BatchPlan(
                data, .leaveOneOut(data), TrainingOptions(), epoch: epoch, replicas: 1, microBatchTokens: 512
            ).segments.map(\.user)
            return Set(zip(order, order.dropFirst()).map { Set([$0, $1]) })
        }
        let again = zip(pairs, pairs.dropFirst()).reduce(0) { $0 + $1.0.intersection($1.1).count }
        #expect(again < 80, "\(again) pairs; 38 are expected of chance, with a deviation of 6")
    }

    /// What a repeat-aware head looks back at comes along with a piece, wherever the history was cut.
    @Test(arguments: TrainingOptions.Objective.allCases)
    func piecesBringTheirHistories(objective: TrainingOptions.Objective) {
        let data = randomDataset()
        var options = TrainingOptions()
        (options.maximumLength, options.objective) = (7, objective)
        let plan = BatchPlan(
            data, .leaveOneOut(data), options, epoch: 1, replicas: 1, microBatchTokens: 1 << 20)
        for window in [0, 1, 5, 1000] {
            let assembler = BatchAssembler(
                dataset: data, options: options, sampler: nil, repeatWindow: window, microBatchTokens: 1 << 20,
                pads: false)
            let batch = assembler.batches(plan, [[Array(plan.segments.indices)[...]]], step: 0)[0][0].sequences
            for (s, segment) in plan.segments.enumerated() {
                let range = Int(batch.earlierStarts[s])..<Int(batch.earlierStarts[s + 1])
                let before = data.sequence(ofUser: segment.user, 0..<segment.inputs.lowerBound)
                #expect(Array(batch.earlier[range]) == before.suffix(max(0, window - 1)))
            }
        }
    }

    /// Without a gradient, decay is all that moves weights: matrices, and nothing else.
    @Test func onlyMatricesDecay() throws {
        var shape = smallShape(items: 9)
        shape.repeatAware = true
        let model = try SequenceModel(initializing: shape, seed: 1, on: CPUBackend())
        let layout = model.network.layout
        let gradients = GradientSum([model.makeGradients(), model.makeGradients()], on: model.backend)
        model.backend.upload([Float](repeating: 1, count: layout.count), to: model.weights.flat)
        let step = AdamStep(number: 1, learningRate: 0.5, weightDecay: 0.5, decayedCount: layout.decayedCount)
        Optimizer(model).update(gradients, in: [0..<layout.count], step, clipNorm: nil)
        var decayed: Set<String> = []
        for entry in layout.entries {
            let values = Set(model.backend.download(model.weights[entry]))
            #expect(values == (entry.decays ? [0.75] : [1]), "\(entry.name)")
            if entry.decays { decayed.insert(entry.name) }
        }
        #expect(
            decayed == [
                "item_embedding", "layers.0.input_projection", "layers.0.convolution.weight", "layers.0.gates.weight",
                "layers.0.output_projection", "layers.0.feed_forward.inner.weight",
                "layers.0.feed_forward.outer.weight",
            ])
    }

    @Test func theLearningRateRisesAndFalls() {
        var options = TrainingOptions()
        options.learningRate = 1
        options.warmupSteps = 10
        #expect(options.learningRate(step: 1, total: 110) == 0.1)
        #expect(options.learningRate(step: 10, total: 110) == 1)
        #expect(abs(options.learningRate(step: 60, total: 110) - 0.5) < 1e-6)
        #expect(options.learningRate(step: 110, total: 110) < 1e-6)
        options.schedule = .constant
        #expect(options.learningRate(step: 60, total: 110) == 1)
    }

    /// Masks belong to tokens, not to replicas: a step's gradient is the same however the batch is dealt.
    @Test(arguments: [2, 3, 5])
    func theGradientOfAStepDoesNotDependOnTheReplicas(replicas: Int) throws {
        let data = randomDataset()
        let split = Split.leaveOneOut(data)
        var options = TrainingOptions()
        options.batchTokens = 400
        func weightsAfterOneStep(_ count: Int) throws -> [Float] {
            let model = try SequenceModel(initializing: smallShape(items: data.itemCount), seed: 1, on: CPUBackend())
            let replicas = Replicas(model, count: count)
            replicas.reserve(tokens: 2000, sequences: 100)
            let plan = BatchPlan(data, split, options, epoch: 1, replicas: count, microBatchTokens: 512)
            let assembler = BatchAssembler(
                dataset: data, options: options, sampler: nil, repeatWindow: 0, microBatchTokens: 512, pads: false)
            let batches = assembler.batches(plan, plan.steps[0], step: 3)
            replicas.learn(batches, DropoutSettings(rate: 0.4, seed: 9, step: 3))
            // One step of plain descent with a large ε shows the gradient itself.
            Optimizer(model).update(
                replicas.gradients, in: model.touchedRanges(by: batches.joined()),
                .init(number: 1, learningRate: 1e6, epsilon: 1e6), clipNorm: nil)
            return model.backend.download(model.weights.flat)
        }
        let (one, many) = (try weightsAfterOneStep(1), try weightsAfterOneStep(replicas))
        let start = try SequenceModel(initializing: smallShape(items: data.itemCount), seed: 1, on: CPUBackend())
        let before = start.backend.download(start.weights.flat)
        let difference = zip(one, many).map { abs($0 - $1) }.max()!
        let movement = zip(one, before).map { abs($0 - $1) }.max()!
        #expect(movement > 1e-3 && difference < 1e-4 * movement)
    }
}
