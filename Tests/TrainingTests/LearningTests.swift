import CPUBackend
import Evaluation
import Foundation
import Identifiers
import Interactions
import Layers
import Models
import Tensors
import Testing
import Training

/// Learning itself, against the best that anybody could do.
@Suite struct LearningTests {
    @Test(arguments: TrainingOptions.LossKind.allCases)
    func anOrderTwoChainIsLearntToItsLimit(loss: TrainingOptions.LossKind) throws {
        let chain = MarkovChain(items: 7, certainty: 0.8)
        let data = chain.dataset(users: 400, length: 24, seed: 11)
        var options = TrainingOptions()
        options.epochs = 30
        options.batchTokens = 256
        options.learningRate = 1e-2
        options.warmupSteps = 10
        options.dropout = 0
        options.loss = loss
        options.negatives = 64
        let split = Split.leaveOneOut(data)
        let trainer = try Trainer(data, split, smallShape(items: 7), options, backend: CPUBackend())
        let (model, record) = try trainer.run().finished()

        // Fresh sequences: 2,000 questions, so that chance moves the hit rate by about 0.01.
        let fresh = chain.dataset(users: 2000, length: 12, seed: 12)
        let cases = (0..<2000).map { EvaluationCase(user: $0, position: 11) }
        let ranks = try ModelRanker(model, threads: 2).rank(cases, in: fresh).map(\.unmasked)
        let hitRate = CutoffMetrics(ranks: ranks, cutoff: 1).hr
        #expect(hitRate > 0.94 * chain.bestHitRate, "at least 94 % of \(chain.bestHitRate), found \(hitRate)")
        #expect(hitRate < chain.bestHitRate + 0.04, "nobody can do better than \(chain.bestHitRate)")
        #expect(record.epochs.last!.loss < record.epochs.first!.loss)
    }

    @Test func theFirstLossIsThatOfGuessing() throws {
        let data = randomDataset(users: 40, items: 50)
        var options = TrainingOptions()
        options.epochs = 1
        options.batchTokens = 10_000_000
        let record = try Trainer(
            data, .leaveOneOut(data), ModelConfiguration(itemCount: 50), options, backend: CPUBackend()
        ).run().finished().record
        #expect(abs(record.epochs[0].loss - log(50)) < 0.1)
    }

    @Test func patienceStopsAndTheBestEpochIsKept() throws {
        let data = randomDataset(users: 30, items: 10)  // noise: validation soon gets no better
        var options = TrainingOptions()
        options.epochs = 200
        options.batchTokens = 100
        options.patience = 3
        let split = Split.leaveOneOut(data)
        let (model, record) = try Trainer(data, split, smallShape(items: 10), options, backend: CPUBackend())
            .run().finished()
        let values = record.epochs.map { $0.validation!.unmasked.at10.ndcg }
        let means = values.indices.map { values[max(0, $0 - 4)...$0] }.map { $0.reduce(0, +) / Double($0.count) }
        let bestMean = 1 + means.firstIndex { $0 > means.max()! - 1e-12 }!
        #expect(record.epochs.count == max(record.bestEpoch, bestMean) + 3 && record.epochs.count < 200)
        let metrics = SettingMetrics(try ModelRanker(model, threads: 1).rank(split.validation, in: data))
        #expect(metrics == record.epochs[record.bestEpoch - 1].validation)
    }

    /// With eight channels and dropout one half, one event in 256 is dropped whole and meets nine norms as a row of zeros.
    @Test func narrowAndDeepModelsSurviveRowsThatAreDroppedWhole() throws {
        let data = randomDataset()
        var shape = ModelConfiguration(itemCount: data.itemCount)
        shape.hiddenSize = 8
        shape.layerCount = 4
        var options = TrainingOptions()
        options.epochs = 2
        options.batchTokens = 64
        options.dropout = 0.5
        let (model, record) = try Trainer(data, .leaveOneOut(data), shape, options, backend: CPUBackend())
            .run().finished()
        #expect(record.epochs.count == 2)
        let weights = model.backend.download(model.weights.flat)
        #expect(weights.allSatisfy { $0.isFinite })
    }

    @Test func impossibleRunsAreRefused() throws {
        let data = randomDataset()
        var options = TrainingOptions()
        options.learningRate = 0
        #expect(throws: TrainingError.option("the learning rate must lie in (0, 10)")) {
            _ = try Trainer(data, .leaveOneOut(data), smallShape(items: 23), options, backend: CPUBackend())
        }
        let single = Dataset(sequences: [[1], [2]], itemCount: 2)
        #expect(throws: TrainingError.nothingToLearn) {
            _ = try Trainer(
                single, .leaveOneOut(single), smallShape(items: 2), TrainingOptions(), backend: CPUBackend())
        }
    }
}
