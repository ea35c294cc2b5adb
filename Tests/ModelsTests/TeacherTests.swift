import CPUBackend
import Identifiers
import Layers
import Models
import ReferenceBackend
import Tensors
import Testing

/// Learning from what other models predict.
@Suite struct TeacherTests {
    private static let length = 40

    /// Half of the target is what the model predicts itself, so that half of the gradient is left, to rounding.
    @Test(arguments: variants(itemCount: 12) + timedVariants(itemCount: 12), [nil, [0, 3, 4, 21]])
    func itsOwnTeacherLeavesHalfTheGradient(shape: ModelConfiguration, rows: [Int32]?) {
        let model = SequenceModel.perturbed(shape, on: CPUBackend())
        let plain = learn(model, [], rows, tokens: Self.length).gradients
        let taught = learn(model, [model, model], rows, tokens: Self.length).gradients
        #expect(relativeDifference(taught, plain.map { $0 / 2 }) < 1e-5)
    }

    /// The mean of cross-entropies with each target distribution: the target's and the teachers'.
    @Test func theLossIsThatOfTheMeanDistribution() {
        let model = SequenceModel.perturbed(variants(itemCount: 12)[0], on: ReferenceBackend())
        let teachers = [3, 4].map { Self.teacher(size: 5, seed: $0, on: model.backend) }
        let none = learn(model, [], nil, tokens: Self.length).loss
        let both = learn(model, teachers, nil, tokens: Self.length).loss
        let each = teachers.map { learn(model, [$0], nil, tokens: Self.length).loss }
        #expect(abs(both - (each[0] + each[1]) / 2) < 1e-6 * both)
        #expect(abs(both - none) > 1e-3 * both)
    }

    /// With teachers of another shape, which have a head.
    @Test(arguments: [nil, [0, 3, 4, 20, 31]], [1, 7, 39])
    func chunksGiveTheWholeGradient(rows: [Int32]?, tokens: Int) {
        let model = SequenceModel.perturbed(variants(itemCount: 12)[0], on: CPUBackend())
        let teachers = [3, 4].map { Self.teacher(size: 6, seed: $0, on: model.backend) }
        let whole = learn(model, teachers, rows, tokens: Self.length)
        let chunked = learn(model, teachers, rows, tokens: tokens)
        #expect(abs(chunked.loss - whole.loss) < 1e-6 * abs(whole.loss))
        #expect(relativeDifference(chunked.gradients, whole.gradients) < 1e-5)
    }

    private static func teacher(size: Int, seed: UInt64, on backend: any Backend) -> SequenceModel {
        var shape = ModelConfiguration(itemCount: 12)
        (shape.hiddenSize, shape.layerCount, shape.repeatAware) = (size, 1, true)
        return SequenceModel.perturbed(shape, seed: seed, on: backend)
    }

    private func learn(
        _ model: SequenceModel, _ teachers: [SequenceModel], _ rows: [Int32]?, tokens: Int
    ) -> (loss: Double, gradients: [Float]) {
        let sequences = randomSequences([Self.length, Self.length], items: 12, seed: 5)
        let batch = TrainingBatch(
            timedBatch([sequences[0]], seed: 6), targetRows: rows,
            targets: Array(sequences[1].prefix(rows?.count ?? Self.length)))
        let gradients = model.makeGradients()
        let learner = Learner(model, teachers: teachers, tokens: tokens, sequences: 1)
        let loss = learner.learn(batch, scale: 1, into: gradients)
        return (loss, model.backend.download(gradients.flat))
    }
}
