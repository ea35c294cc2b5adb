import CPUBackend
import Identifiers
import Layers
import Models
import ReferenceBackend
import Tensors
import Testing

/// A sequence longer than its learner's workspace is learnt in chunks: the same loss and the same gradient as at once.
@Suite struct ChunkTests {
    enum Kind: CaseIterable, Sendable { case full, someRows, sampled, pairwise, pairwiseAtSomeRows }

    static let length = 65

    @Test(arguments: variants(itemCount: 12) + timedVariants(itemCount: 12), Kind.allCases)
    func chunksOfAnySizeGiveTheWholeGradient(shape: ModelConfiguration, kind: Kind) {
        let model = SequenceModel.perturbed(shape, on: CPUBackend())
        let (loss, whole) = learn(kind, model, tokens: Self.length)
        for size in [1, 2, 3, 7, 64] {
            let (chunkedLoss, gradients) = learn(kind, model, tokens: size)
            #expect(abs(chunkedLoss - loss) < 1e-6 * abs(loss), "chunks of \(size)")
            expectEqual(gradients, whole, "chunks of \(size)")
        }
    }

    /// Twice the window of the repeat-aware head, so that its rows look back over many chunks.
    @Test func theRepeatAwareHeadSeesPastItsChunk() {
        var shape = ModelConfiguration(itemCount: 50)
        (shape.hiddenSize, shape.repeatAware) = (4, true)
        let model = SequenceModel.perturbed(shape, on: CPUBackend())
        for kind in [Kind.full, .someRows] {
            let (loss, whole) = learn(kind, model, tokens: 2100, length: 2100)
            let (chunkedLoss, gradients) = learn(kind, model, tokens: 300, length: 2100)
            #expect(abs(chunkedLoss - loss) < 1e-6 * abs(loss))
            expectEqual(gradients, whole, "\(kind)")
        }
    }

    @Test func chunksOnTheOracle() {
        let model = SequenceModel.perturbed(variants(itemCount: 12)[0], on: ReferenceBackend())
        let (loss, whole) = learn(.full, model, tokens: Self.length)
        let (chunkedLoss, gradients) = learn(.full, model, tokens: 17)
        #expect(abs(chunkedLoss - loss) < 1e-6 * abs(loss))
        expectEqual(gradients, whole, "chunks of 17")
    }

    /// A learner is none the worse for a long sequence.
    @Test func shortBatchesAfterALongOneAreAsBefore() {
        let model = SequenceModel.perturbed(variants(itemCount: 12)[0], on: CPUBackend())
        let learner = Learner(model, tokens: 8, sequences: 2)
        let short = TrainingBatch(
            PackedBatch(randomSequences([3, 5], items: 12, seed: 1)),
            targets: randomSequences([8], items: 12, seed: 2)[0])
        func gradient() -> [Float] {
            let gradients = model.makeGradients()
            _ = learner.learn(short, scale: 1, into: gradients)
            return model.backend.download(gradients.flat)
        }
        let before = gradient()
        let long = randomSequences([30, 30], items: 12, seed: 3)
        let sink = model.makeGradients()
        _ = learner.learn(TrainingBatch(PackedBatch([long[0]]), targets: long[1]), scale: 1, into: sink)
        #expect(gradient() == before)
    }

    private func learn(
        _ kind: Kind, _ model: SequenceModel, tokens: Int, length: Int = length
    ) -> (loss: Double, gradients: Parameters) {
        let itemCount = model.configuration.itemCount
        let sequences = randomSequences([length, length, length], items: itemCount, seed: 5)
        let atSomeRows = kind == .someRows || kind == .pairwiseAtSomeRows
        let rows: [Int32]? = atSomeRows ? [0, 3, 4, 20, Int32(length) - 9] : nil  // none in the last chunk of 7
        let count = rows?.count ?? length
        let negatives: Negatives =
            switch kind {
            case .full, .someRows: .all
            case .sampled: .shared(samples: [[2, 0, 3, 1, 4]], logQ: (1...itemCount).map { -0.1 * Float($0) })
            case .pairwise, .pairwiseAtSomeRows: .paired(sequences[2].prefix(count).map { Int32($0.row) })
            }
        var batch = TrainingBatch(
            timedBatch([sequences[0]], seed: 6), targetRows: rows, targets: Array(sequences[1].prefix(count)), negatives
        )
        batch.tokenNumbers = (0..<Int32(length)).map { 3 * $0 }
        let dropout = DropoutSettings(rate: 0.3, seed: 4, step: 2)
        let gradients = model.makeGradients()
        let value = Learner(model, tokens: tokens, sequences: 1).learn(
            batch, dropout: dropout, scale: 1, into: gradients)
        return (value, gradients)
    }

    private func expectEqual(_ own: Parameters, _ right: Parameters, _ comment: String) {
        for entry in own.layout.entries {
            let values = [own, right].map {
                Array(UnsafeBufferPointer(start: $0[entry].base, count: entry.rows * entry.columns))
            }
            let difference = relativeDifference(values[0], values[1])
            #expect(difference < 1e-5, "\(comment): \(entry.name)")
        }
    }
}
