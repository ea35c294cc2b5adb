import Foundation
import Tensors
import Testing

@testable import ReferenceBackend

/// Small examples that were worked out by hand.
@Suite struct ExampleTests {
    @Test func productsOfAllTranspositions() {
        let a = tensor(2, 3, [1, 2, 3, 4, 5, 6])
        let b = tensor(3, 2, [1, 0, 0, 1, 2, 2])
        let ab: [Float] = [7, 8, 16, 17]
        let output = tensor(2, 2)
        backend.multiply(a, transposed: false, b, transposed: false, into: output, accumulate: false)
        #expect(backend.download(output) == ab)
        let aT = tensor(3, 2, [1, 4, 2, 5, 3, 6])
        let bT = tensor(2, 3, [1, 0, 2, 0, 1, 2])
        backend.multiply(aT, transposed: true, bT, transposed: true, into: output, accumulate: true)
        #expect(backend.download(output) == [14, 16, 32, 34])
    }

    @Test func normOfTwoNumbers() {
        // (1 + 1, 3 + 1) + (0, 2) = (2, 6): mean 4, variance 4.
        let input = tensor(1, 2, [1, 3])
        let (rstd, output) = (tensor(1, 1), tensor(1, 2))
        backend.residualNorm(
            input, bias: tensor(1, 2, [1, 1]), residual: tensor(1, 2, [0, 2]), dropout: nil,
            parameters: NormParameters(
                scale: tensor(1, 2, [3, 5]), shift: tensor(1, 2, [10, 20]), epsilon: 0),
            rstd: rstd, output: output)
        #expect(backend.download(input) == [-1, 1])
        #expect(backend.download(rstd) == [0.5])
        #expect(backend.download(output) == [7, 25])
    }

    @Test func equalNumbersAreNormalizedToZero() {
        let input = tensor(1, 3, [0.3, 0.3, 0.3])
        let (rstd, output) = (tensor(1, 1), tensor(1, 3))
        backend.residualNorm(
            input, bias: nil, residual: nil, dropout: nil,
            parameters: NormParameters(
                scale: tensor(1, 3, [1, 1, 1]), shift: tensor(1, 3), epsilon: 1e-12),
            rstd: rstd, output: output)
        #expect(backend.download(output).allSatisfy { abs($0) < 1e-9 })
        #expect(rstd.base[0] == 0, "no gradient passes")
    }

    /// With a bias of 50 SiLU is the identity to 1e-20, so that the sums can be read off.
    @Test func convolutionRestartsAndKeepsWindows() {
        let parameters = ConvolutionParameters(
            weight: tensor(3, 1, [100, 10, 1]), bias: tensor(1, 1, [50]))
        let input = tensor(4, 1, [1, 2, 3, 4])
        let starts = backend.indices([0, 3, 4])
        let (output, window) = (tensor(4, 1), tensor(2, 2))
        backend.convolve(
            input, parameters: parameters, starts: starts, window: nil, finalWindow: window, output: output)
        #expect(backend.download(output) == [51, 62, 173, 54])
        #expect(backend.download(window) == [2, 3, 0, 4])
        // Going on from there, window and final window in one place.
        backend.convolve(
            input, parameters: parameters, starts: starts, window: window, finalWindow: window, output: output)
        #expect(backend.download(output) == [281, 362, 173, 94])
        #expect(backend.download(window) == [2, 3, 4, 4])
    }

    /// Keys of zeros and the bias ln (1, 2, 5): the weights are 1/8, 2/8 and 5/8, from the event itself back. Then a key that
    /// triples one of them: query 2 and key ln 3 / 2.
    @Test func attentionWeighsByDistanceAndKey() {
        let inputs = AttentionInputs(
            queries: tensor(3, 1, [2, 2, 2]), memory: tensor(3, 2, [0, 8, 0, 16, 0, 24]),
            bias: tensor(1, 3, [0, log(2), log(5)]))
        let starts = backend.indices([0, 2, 3])
        let (output, window) = (tensor(3, 1), tensor(2, 4))
        func expect(_ expected: [Float], sourceLocation: SourceLocation = #_sourceLocation) {
            for (own, right) in zip(backend.download(output), expected) {
                #expect(abs(own - right) < 1e-5, sourceLocation: sourceLocation)
            }
        }
        backend.attend(inputs, starts: starts, window: nil, finalWindow: window, output: output)
        expect([1, 4, 3])
        #expect(backend.download(window) == [0, 8, 0, 16, 0, 0, 0, 24])
        // Going on from there, window and final window in one place.
        backend.attend(inputs, starts: starts, window: window, finalWindow: window, output: output)
        expect([10, 14, 9])
        inputs.memory.base[0] = log(3) / 2
        backend.attend(inputs, starts: starts, window: nil, finalWindow: nil, output: output)
        expect([24.0 / 10, (16.0 + 6 * 8) / 12, 3])
    }

    /// Λ = 0 and R → ∞: α = e^−ln 2 = 1/2, 1 − α² = 3/4; I → ∞: β = sqrt(3/4 + 1e-8).
    @Test func scanOfHalves() {
        let (columns, big): (Int, Float) = (1, 1e4)
        let inputs = ScanInputs(
            gates: tensor(3, 2, [Float](repeating: big, count: 6)), gateBias: tensor(1, 2),
            input: tensor(3, columns, [4, 0, 2]), outputGate: nil, decay: tensor(1, 1, [0]))
        let (states, final) = (tensor(3, 1), tensor(2, 1))
        let initial = tensor(2, 1, [8, 16])
        backend.scan(
            inputs, starts: backend.indices([0, 2, 3]), initial: initial, states: states, output: states,
            final: final)
        let beta = (0.75 + 1e-8).squareRoot()
        let expected = [Float(4 + 4 * beta), Float(2 + 2 * beta), Float(8 + 2 * beta)]
        #expect(backend.download(states) == expected)
        #expect(backend.download(final) == [expected[1], expected[2]])
    }

    @Test(arguments: [-1e4, -100, 0, 100, 1e4] as [Float], [-1e4, 0, 1e4] as [Float])
    func extremeDecaysAndGatesStayFinite(decay: Float, gate: Float) {
        let inputs = ScanInputs(
            gates: tensor(3, 2, [gate, 0, gate, gate, -gate, -gate]), gateBias: tensor(1, 2),
            input: tensor(3, 1, [1, -2, 3]), outputGate: tensor(3, 1, [gate, -gate, 1]),
            decay: tensor(1, 1, [decay]))
        let starts = backend.indices([0, 3])
        let (states, output) = (tensor(3, 1), tensor(3, 1))
        backend.scan(inputs, starts: starts, initial: nil, states: states, output: output, final: nil)
        let gradients = ScanInputs(
            gates: tensor(3, 2), gateBias: tensor(1, 2), input: tensor(3, 1),
            outputGate: tensor(3, 1), decay: tensor(1, 1))
        backend.scanBackward(
            tensor(3, 1, [1, 1, 1]), inputs: inputs, starts: starts, initial: nil, states: states,
            finalGradient: nil, gradients: gradients, initialGradient: nil)
        for tensor in [
            states, output, gradients.gates, gradients.gateBias, gradients.input, gradients.outputGate!,
            gradients.decay,
        ] {
            #expect(backend.download(tensor).allSatisfy { $0.isFinite })
        }
    }

    /// ln Σ e^x over logits (ln 1, ln 2, ln 5) is ln 8.
    @Test func crossEntropyOfThreeRows() {
        let table = tensor(3, 1, [0, log(2), log(5)])
        let gradients = LossGradients(hidden: tensor(1, 1), table: tensor(3, 1, [1, 1, 1]))
        let loss = backend.crossEntropy(
            tensor(1, 1, [1]), table: table, targets: backend.indices([1]), scale: 8, gradients: gradients)
        #expect(abs(loss - log(4.0)) < 1e-6)
        for (own, right) in zip(backend.download(gradients.table), [2, -5, 6] as [Float]) {
            #expect(abs(own - right) < 1e-5)
        }
        let slope: Float = 5 * log(5) - 6 * log(2)
        #expect(abs(gradients.hidden.base[0] - slope) < 1e-5)
    }

    @Test func logitsBeyondOverflow() {
        let table = tensor(2, 1, [1e4, -1e4])
        let loss = backend.crossEntropy(
            tensor(1, 1, [1]), table: table, targets: backend.indices([1]), scale: 1, gradients: nil)
        #expect(loss == 2e4)
    }

    /// Target and one other row with logits (0, ln 6); the one is in every second sample, the other in every third. The
    /// target is left out of the negatives.
    @Test func sampledLossCorrectsAndLeavesTargetsOut() {
        let table = tensor(2, 1, [0, log(6)])
        let loss = backend.sampledCrossEntropy(
            tensor(1, 1, [1]), table: table, targets: backend.indices([0]),
            targetLogQ: tensor(1, 1, [-log(2)]), negatives: backend.indices([0, 1]),
            logQ: tensor(1, 2, [9, -log(3)]), bias: nil, scale: 1, gradients: nil)
        #expect(abs(loss - log(10)) < 1e-6)
    }

    /// With every row a certain negative the sampled loss is the full one.
    @Test func sampledLossOfAllRowsIsTheFullOne() {
        let (hidden, table) = (random(3, 2, seed: 1), random(4, 2, seed: 2))
        let targets = backend.indices([0, 3, 1])
        let bias = SparseBias(
            starts: backend.indices([0, 1, 3, 3]), columns: backend.indices([0, 1, 3]),
            kinds: backend.indices([0, 1, 0]),
            values: random(1, 2, seed: 3), scale: 2)
        let full = backend.crossEntropy(
            hidden, table: table, targets: targets, bias: bias, scale: 1, gradients: nil)
        let sampled = backend.sampledCrossEntropy(
            hidden, table: table, targets: targets, targetLogQ: tensor(1, 3),
            negatives: backend.indices([2, 0, 1, 3]), logQ: tensor(1, 4), bias: bias, scale: 1, gradients: nil)
        #expect(abs(full - sampled) < 1e-12)
    }

    @Test func pairwiseLossOfEqualScores() {
        let loss = backend.pairwiseLoss(
            tensor(2, 1, [1, 1e4]), table: tensor(3, 1, [1, 1, -1]), targets: backend.indices([0, 2]),
            negatives: backend.indices([1, 0]), scale: 1, gradients: nil)
        let expected: Double = log(2.0) + 2e4
        #expect(abs(loss - expected) < 1e-9)
    }

    /// Weight decay shrinks a weight by learning rate · λ, whatever its gradient and its moments.
    @Test func weightDecayIsDecoupled() {
        let weights = tensor(1, 2, [1, -2])
        let (first, second) = (tensor(1, 2), tensor(1, 2))
        backend.adam(
            weights, gradient: tensor(1, 2, [0, 0]), firstMoment: first, secondMoment: second,
            step: AdamStep(number: 1, learningRate: 0.25, weightDecay: 0.4))
        for (own, right) in zip(backend.download(weights), [0.9, -1.8] as [Float]) {
            #expect(abs(own - right) < 1e-6)
        }
        #expect(backend.download(first) == [0, 0] && backend.download(second) == [0, 0])
    }

    /// The first step of Adam moves every weight by the learning rate against its gradient's sign.
    @Test func firstAdamStep() {
        let weights = tensor(1, 2, [1, 1])
        let (first, second) = (tensor(1, 2), tensor(1, 2))
        backend.adam(
            weights, gradient: tensor(1, 2, [4, -0.5]), firstMoment: first, secondMoment: second,
            step: AdamStep(number: 1, learningRate: 0.25, gradientScale: 0.5))
        for (own, right) in zip(backend.download(weights), [0.75, 1.25] as [Float]) {
            #expect(abs(own - right) < 1e-6)
        }
        for (own, right) in zip(backend.download(first), [0.2, -0.025] as [Float]) {
            #expect(abs(own - right) < 1e-7)
        }
    }

    @Test func tiesCountAgainstTheTarget() {
        let table = tensor(5, 1, [3, 1, 3, 5, 2])
        let hidden = tensor(1, 1, [1])
        let counts = backend.rank(hidden, table: table, targets: backend.indices([0]), seen: [[0, 3, 4]])
        #expect(counts == [RankCounts(all: 2, masked: 1)])
        let lists = backend.topK(hidden, table: table, k: 3, candidates: [.allExcept([3])])
        #expect(
            lists == [[ScoredRow(row: 0, score: 3), ScoredRow(row: 2, score: 3), ScoredRow(row: 4, score: 2)]])
        #expect(backend.topK(hidden, table: table, k: 9, candidates: [.only([4, 1])])[0].map(\.row) == [4, 1])
    }

    @Test func aScoreThatIsNoNumberHasNoRank() {
        let table = tensor(3, 1, [1, .nan, 2])
        #expect(
            backend.rank(
                tensor(1, 1, [1]), table: table, targets: backend.indices([0]), seen: [[1]]) == nil)
    }

    @Test func rowsThatMeetAreAddedUp() {
        let table = tensor(2, 2, [1, 2, 3, 4])
        let rows = backend.indices([1, 1, 0])
        backend.scatterAdd(tensor(3, 2, [1, 1, 10, 10, 100, 100]), to: rows, of: table)
        #expect(backend.download(table) == [101, 102, 14, 15])
        let output = tensor(3, 2)
        backend.gather(rows, from: table, into: output)
        #expect(backend.download(output) == [14, 15, 14, 15, 101, 102])
    }
}
