import CPUBackend
import Foundation
import Identifiers
import Layers
import Models
import ReferenceBackend
import Tensors
import Testing

/// The hand-written backward pass of whole models against finite differences of their loss.
@Suite struct GradientTests {
    enum Kind: CaseIterable, Sendable { case full, lastPosition, sampled, pairwise, dropout }

    /// The oracle's gradients against slopes of the fast backend's loss. A random half of each tensor's weights is moved along
    /// its gradient, then the other half: the slope is the norm of that half's gradient. Whole halves, because the loss is
    /// rounded to 32 bits: its slopes are off by up to 1e-4, which is more than a single weight of the gates has.
    @Test(arguments: variants(itemCount: 12) + timedVariants(itemCount: 12), Kind.allCases)
    func everyGradientIsTheSlopeOfTheLoss(shape: ModelConfiguration, kind: Kind) {
        let model = SequenceModel.perturbed(shape, on: ReferenceBackend())
        let problem = Problem(kind, shape)
        let gradients = Parameters(zerosFor: shape.layout, on: model.backend)
        _ = problem.loss(model, into: gradients)
        let own = model.backend.download(gradients.flat)
        let weights = model.backend.download(model.weights.flat)
        let fast = SequenceModel.perturbed(shape, on: CPUBackend())
        let noise = 1e-4
        var generator = SeededGenerator(seed: 2)
        for entry in model.weights.layout.entries {
            let range = entry.offset..<entry.offset + entry.rows * entry.columns
            let size = norm(own[range])
            guard size > 0 else {
                #expect(kind == .pairwise && entry.name == "repeat_bias", "\(entry.name) has no gradient")
                continue
            }
            let lot = range.map { _ in Bool.random(using: &generator) }
            for half in [true, false] {
                var direction = [Float](repeating: 0, count: own.count)
                for index in range where lot[index - range.lowerBound] == half { direction[index] = own[index] }
                let length = norm(direction)
                guard length > 0 else { continue }
                let slope = problem.slope(fast, weights, direction.map { $0 / Float(length) })
                #expect(abs(slope - length) < 0.01 * size + noise, "\(entry.name): \(length), slope \(slope)")
            }
            let padding = entry.name == "item_embedding" ? shape.hiddenSize : 0
            let index = Int.random(in: range.lowerBound + padding..<range.upperBound, using: &generator)
            var single = [Float](repeating: 0, count: own.count)
            single[index] = 1
            let slope = problem.slope(fast, weights, single)
            let typical = max(abs(slope), size / Double(range.count).squareRoot())
            #expect(
                abs(Double(own[index]) - slope) < 0.01 * typical + noise,
                "\(entry.name)[\(index - entry.offset)]: \(own[index]), slope \(slope)")
        }
    }

    private func norm(_ values: some Sequence<Float>) -> Double {
        values.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
    }

    @Test(arguments: variants(itemCount: 12) + timedVariants(itemCount: 12), Kind.allCases)
    func fastBackendsAgreeWithTheOracle(shape: ModelConfiguration, kind: Kind) {
        let oracle = SequenceModel.perturbed(shape, on: ReferenceBackend())
        let problem = Problem(kind, shape)
        let expected = Parameters(zerosFor: shape.layout, on: oracle.backend)
        let loss = problem.loss(oracle, into: expected)
        for set in InstructionSet.available {
            let model = SequenceModel.perturbed(shape, on: CPUBackend(instructionSet: set))
            let gradients = Parameters(zerosFor: shape.layout, on: model.backend)
            #expect(abs(problem.loss(model, into: gradients) - loss) < 1e-4 * abs(loss))
            for entry in gradients.layout.entries {
                let difference = relativeDifference(
                    model.backend.download(gradients[entry]), oracle.backend.download(expected[entry]))
                #expect(difference < 1e-4, "\(set) \(entry.name)")
            }
        }
    }

    /// Eight bits of every operand: each gradient points where it should, within a few percent.
    @Test(.enabled(if: Precision.bfloat16.isAvailable, "this processor has no AVX512-BF16"), arguments: Kind.allCases)
    func roundedProductsStayNear(kind: Kind) {
        var shape = ModelConfiguration(itemCount: 100)
        (shape.hiddenSize, shape.repeatAware) = (32, true)
        let problem = Problem(kind, shape)
        let (exact, rounded) = (CPUBackend(), CPUBackend(precision: .bfloat16))
        let (expected, gradients) = (
            Parameters(zerosFor: shape.layout, on: exact), Parameters(zerosFor: shape.layout, on: rounded)
        )
        let loss = problem.loss(SequenceModel.perturbed(shape, on: exact), into: expected)
        #expect(
            abs(problem.loss(SequenceModel.perturbed(shape, on: rounded), into: gradients) - loss) < 5e-3 * abs(loss))
        for entry in gradients.layout.entries {
            let (own, right) = (rounded.download(gradients[entry]), exact.download(expected[entry]))
            let error = zip(own, right).reduce(0.0) { $0 + pow(Double($1.0 - $1.1), 2) }
            let size = right.reduce(0.0) { $0 + pow(Double($1), 2) }
            #expect(error.squareRoot() <= 0.05 * size.squareRoot() + 1e-6, "\(entry.name)")
        }
    }

    /// Each sample serves its own targets: two of them over two batches of 128 events and one are what they are over the
    /// first, the second and the first again.
    @Test func samplesTakeTurns() throws {
        var shape = ModelConfiguration(itemCount: 50)
        (shape.hiddenSize, shape.repeatAware) = (8, true)
        let model = SequenceModel.perturbed(shape, on: CPUBackend())
        let lengths = [Negatives.targetsPerSample, Negatives.targetsPerSample, 3]
        let (inputs, targets) = (
            randomSequences(lengths, items: 50, seed: 1), randomSequences(lengths, items: 50, seed: 2)
        )
        let samples: [[Int32]] = [[0, 6, 29], [1, 8]]
        let logQ = (1...50).map { -0.05 * Float($0) }
        func learn(_ sequences: [Int], _ samples: [[Int32]], into gradients: Parameters) -> Double {
            Learner(model, tokens: 300, sequences: 3).learn(
                TrainingBatch(
                    PackedBatch(sequences.map { inputs[$0] }), targets: sequences.flatMap { targets[$0] },
                    .shared(samples: samples, logQ: logQ)),
                scale: 1, into: gradients)
        }
        let (whole, parts) = (
            Parameters(zerosFor: shape.layout, on: model.backend), Parameters(zerosFor: shape.layout, on: model.backend)
        )
        let loss = learn([0, 1, 2], samples, into: whole)
        let sum = (0..<3).reduce(0.0) { $0 + learn([$1], [samples[$1 % 2]], into: parts) }
        #expect(abs(loss - sum) < 1e-4 * sum)
        #expect(relativeDifference(model.backend.download(whole.flat), model.backend.download(parts.flat)) < 1e-5)
    }

    /// A batch, its targets and a loss.
    struct Problem {
        let batch: TrainingBatch
        let kind: Kind

        init(_ kind: Kind, _ shape: ModelConfiguration) {
            self.kind = kind
            let events = randomSequences([1, 4, 7], items: shape.itemCount, seed: 9)
            let sequences = shape.usesTime ? timedBatch(events, seed: 11) : PackedBatch(events)
            let items = randomSequences([12], items: shape.itemCount, seed: 10)[0]
            let others = randomSequences([12], items: shape.itemCount, seed: 12)[0].map { Int32($0.row) }
            let negatives: Negatives =
                switch kind {
                case .sampled:
                    .shared(
                        samples: [Array(Set(others).sorted().prefix(5))],
                        logQ: (1...shape.itemCount).map { -0.1 * Float($0) })
                case .pairwise: .paired(others)
                default: .all
                }
            var batch =
                kind == .lastPosition
                ? TrainingBatch(sequences, targetRows: [0, 4, 11], targets: Array(items[..<3]), negatives)
                : TrainingBatch(sequences, targets: items, negatives)
            batch.tokenNumbers = (0..<Int32(sequences.tokenCount)).map { 3 * $0 }
            self.batch = batch
        }

        func loss(_ model: SequenceModel, into gradients: Parameters) -> Double {
            let learner = Learner(
                model, tokens: batch.sequences.tokenCount, sequences: batch.sequences.sequenceCount)
            let dropout = DropoutSettings(rate: 0.3, seed: 4, step: 2)
            return learner.learn(
                batch, dropout: kind == .dropout ? dropout : nil, scale: 1, into: gradients)
        }

        /// Slope of the loss along a direction: central differences of two widths, without the error of third order.
        func slope(_ model: SequenceModel, _ weights: [Float], _ direction: [Float]) -> Double {
            let scratch = model.makeGradients()
            func difference(_ width: Float) -> Double {
                func loss(_ width: Float) -> Double {
                    model.backend.upload(zip(weights, direction).map { $0 + width * $1 }, to: model.weights.flat)
                    return self.loss(model, into: scratch)
                }
                return (loss(width) - loss(-width)) / Double(2 * width)
            }
            defer { model.backend.upload(weights, to: model.weights.flat) }
            return (4 * difference(1 / 64) - difference(1 / 32)) / 3
        }
    }
}
