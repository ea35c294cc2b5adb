import Identifiers
import Layers
import Models
import Tensors

@testable import CUDABackend

/// A small model in training: a step of it asks the backend for nearly everything.
final class SmallTraining {
    let backend: CUDABackend
    private let model: SequenceModel
    private let learner: Learner
    private let gradients, firstMoment, secondMoment: Parameters
    private let sum: LossSum
    private static let tokens = 80

    init(_ backend: CUDABackend, repeatAware: Bool = false) throws {
        var shape = ModelConfiguration(itemCount: 30)
        (shape.hiddenSize, shape.layerCount, shape.repeatAware) = (8, 1, repeatAware)
        self.backend = backend
        model = try SequenceModel(initializing: shape, seed: 3, on: backend)
        learner = Learner(model, tokens: Self.tokens, sequences: 4)
        gradients = Parameters(zerosFor: shape.layout, on: backend)
        firstMoment = Parameters(zerosFor: shape.layout, on: backend)
        secondMoment = Parameters(zerosFor: shape.layout, on: backend)
        sum = backend.allocateSum()
    }

    /// Step `number` over sequences that nobody else has; all of one token count and sequence count have one shape.
    func step(_ number: Int, lengths: [Int], _ negatives: Negatives = .all) {
        var generator = SeededGenerator(seed: UInt64(number))
        func items(_ count: Int) -> [ItemID] {
            (0..<count).map { _ in ItemID(rawValue: .random(in: 1...30, using: &generator)) }
        }
        let sequences = PackedBatch(lengths.map(items))
        var batch = TrainingBatch(sequences, targets: items(sequences.tokenCount), negatives)
        batch.tokenNumbers = (0..<Int32(sequences.tokenCount)).map { $0 + 7 }
        learner.learn(
            batch, dropout: DropoutSettings(rate: 0.4, seed: 5, step: UInt32(number)), scale: 1 / Float(number),
            into: gradients, addingTo: sum)
        backend.adam(
            model.weights.flat, gradient: gradients.flat, firstMoment: firstMoment.flat,
            secondMoment: secondMoment.flat, step: AdamStep(number: number, learningRate: 0.01), largestNorm: nil,
            clearing: [0..<100, 100..<gradients.layout.count])
    }

    /// A hash of every bit of what has come of it: weights and the sum of the losses.
    var fingerprint: UInt64 {
        let weights = backend.download(model.weights.flat)
        return weights.withUnsafeBytes { fnv1a($0) } ^ backend.read(sum).bitPattern
    }

    /// The best items after some histories.
    func recommendations(_ hidden: Tensor) -> [[ScoredRow]] {
        let table = model.weights[model.network.embedding.table]
        return backend.topK(
            hidden, table: table, bias: nil, k: 9,
            candidates: (0..<hidden.rows).map { .allExcept([0, Int32($0 + 1)]) })
    }
}
