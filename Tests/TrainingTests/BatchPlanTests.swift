import CPUBackend
import Interactions
import RecBLR
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
            let plan = BatchPlan(data, split, options, epoch: epoch)
            var counts: [[Int]] = split.trainingEnd.map { Array(repeating: 0, count: $0) }
            for batch in plan.batches {
                let tokens = batch.reduce(0) { $0 + plan.segments[$1].tokens }
                #expect(tokens <= 50 || batch.count == 1)
                let dealt = plan.deal(batch, to: 3)
                #expect(dealt.joined().sorted() == Array(batch), "every segment goes to one replica")
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

    @Test func epochsDifferAndRepeat() {
        let data = randomDataset()
        let split = Split.leaveOneOut(data)
        let options = TrainingOptions()
        let first = BatchPlan(data, split, options, epoch: 1)
        #expect(first.segments == BatchPlan(data, split, options, epoch: 1).segments)
        #expect(first.segments != BatchPlan(data, split, options, epoch: 2).segments)
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
        let plan = BatchPlan(data, split, options, epoch: 1)
        func weightsAfterOneStep(_ count: Int) throws -> [Float] {
            let model = try Model(initializing: smallShape(items: data.itemCount), seed: 1, on: CPUBackend())
            let group = ReplicaGroup(model, replicas: count)
            group.reserve(tokens: 2000, sequences: 100)
            let shares = plan.deal(plan.batches[0], to: count).map { positions in
                plan.pieces(positions, of: 512).map { Share($0, of: plan, data) }
            }
            group.learn(shares, dropout: 0.4, seed: 9, step: 3)
            // One step of plain descent with a large ε shows the gradient itself.
            group.update(.init(number: 1, learningRate: 1e6, epsilon: 1e6), clipNorm: nil)
            return model.backend.download(model.weights.flat)
        }
        let (one, many) = (try weightsAfterOneStep(1), try weightsAfterOneStep(replicas))
        let start = try Model(initializing: smallShape(items: data.itemCount), seed: 1, on: CPUBackend())
        let before = start.backend.download(start.weights.flat)
        let difference = zip(one, many).map { abs($0 - $1) }.max()!
        let movement = zip(one, before).map { abs($0 - $1) }.max()!
        #expect(movement > 1e-3 && difference < 1e-4 * movement)
    }
}
