import CPUBackend
import Foundation
import Identifiers
import Layers
import ReferenceBackend
import Tensors
import Testing

@testable import Models

/// What events contribute to scores: terms that add up, and the slopes of the frozen network.
@Suite struct AttributionTests {
    static let shapes = variants(itemCount: 30)
    let items: [ItemID] = [1, 7, 30]

    /// The score that the model gives: its hidden vector times the item's row, plus what the repeat-aware head adds.
    private func score(_ model: SequenceModel, of item: ItemID, after history: [ItemID]) throws -> Double {
        var state = model.initialState()
        let hidden = try SequenceEncoder(model, tokens: 8, sequences: 1).advance(&state, by: history)
        let row = model.backend.download(model.itemTable.rows(item.row..<item.row + 1))
        var score = zip(hidden, row).reduce(0) { $0 + Double($1.0) * Double($1.1) }
        let twin = SequenceModel.perturbed(model.configuration, on: CPUBackend())
        if let bias = try twin.headBias(after: [history]) {
            bias.forEach(ofRow: 0) { if $0 == item.row { score += Double(bias.value($1)) } }
        }
        return score
    }

    private func sum(_ attribution: Attribution) -> Double {
        attribution.events.reduce(0, +) + attribution.earlier + attribution.constant + attribution.repeats
    }

    @Test(arguments: placements(of: shapes))
    func termsAddUpToTheScore(shape: ModelConfiguration, backendIndex: Int) throws {
        let model = SequenceModel.perturbed(shape, on: backends[backendIndex])
        for history in randomSequences([1, 2, 23], items: 29, seed: 4) {
            let history = history + [7]
            for attribution in try model.attributions(of: items, after: history) {
                #expect(abs(sum(attribution) - attribution.score) < 1e-9 * max(1, abs(attribution.score)))
                let own = try score(model, of: attribution.item, after: history)
                #expect(abs(attribution.score - own) < 1e-4 * max(1, abs(own)))
                #expect(attribution.events.count == history.count && attribution.earlier == 0)
                #expect((attribution.repeats != 0) == (shape.repeatAware && history.contains(attribution.item)))
            }
        }
    }

    /// A history in two parts: what the later events add does not change, and the state stands for the others with all that is constant in
    /// them.
    @Test(arguments: shapes)
    func earlierEventsAreOneTerm(shape: ModelConfiguration) throws {
        let model = SequenceModel.perturbed(shape, on: CPUBackend())
        let history = randomSequences([20], items: 30, seed: 6)[0]
        let whole = try model.attributions(of: items, after: history)
        for cut in [1, 9, 19] {
            var state = model.initialState()
            _ = try SequenceEncoder(model, tokens: 8, sequences: 1).advance(&state, by: Array(history[..<cut]))
            let later = try model.attributions(of: items, after: Array(history[cut...]), from: state)
            for (part, whole) in zip(later, whole) {
                #expect(abs(sum(part) - part.score) < 1e-9 * max(1, abs(part.score)))
                #expect(zip(part.events, whole.events[cut...]).allSatisfy { abs($0 - $1) < 1e-4 * max(1, abs($1)) })
                let rest = whole.events[..<cut].reduce(0, +) + whole.constant
                #expect(abs(part.earlier + part.constant - rest) < 1e-4 * max(1, abs(rest)))
                // Attention does not look back beyond its window.
                if shape.mixer != .attention || cut == 19 { #expect(part.earlier != 0) }
            }
        }
    }

    /// An event's term is what the frozen score loses when the event's embedding is zero, and the slope along it is the term as well.
    @Test(arguments: shapes)
    func termsAreSlopesOfTheFrozenNetwork(shape: ModelConfiguration) throws {
        let model = SequenceModel.perturbed(shape, on: CPUBackend())
        let history = randomSequences([12], items: 30, seed: 8)[0]
        let embeddings = model.embeddings(history)
        let network = FrozenNetwork(model, embeddings: embeddings, state: model.initialState())
        func score(_ embeddings: Matrix, _ item: ItemID) -> Double {
            var output = embeddings
            network.layers.apply(&output)
            return output.dot(model.embeddings([item]))
        }
        for attribution in try model.attributions(of: items, after: history) {
            let own = score(embeddings, attribution.item)
            #expect(abs(own + attribution.repeats - attribution.score) < 1e-12)
            for (event, term) in attribution.events.enumerated() {
                for factor in [0, 1.001, 3] {
                    var changed = embeddings
                    for c in 0..<changed.columns { changed[event, c] *= factor }
                    let slope = (score(changed, attribution.item) - own) / (factor - 1)
                    #expect(abs(slope - term) < 1e-9 * max(1, abs(own)))
                }
            }
            let constant = score(Matrix(history.count, embeddings.columns), attribution.item)
            #expect(abs(constant - attribution.constant) < 1e-9 * max(1, abs(own)))
        }
    }

    /// What is frozen is what the formulas say: a bare recurrence of one channel, one layer, by hand.
    @Test func theGatesOfTheRecurrenceAreFrozen() {
        let gates = Matrix(2, 2, [0.3, -0.2, 1, 0.5])
        let recurrence = FrozenRecurrence(gates: gates, decay: Matrix(1, 1, [-2]), state: Matrix(1, 1, [5]))
        let alpha = [0.3, 1].map { exp(-log1p(exp(-2)) * sigmoid($0)) }
        let beta = zip(alpha, [-0.2, 0.5]).map { (1 - $0 * $0 + 1e-8).squareRoot() * sigmoid($1) }
        var states = Matrix(2, 1, [2, 3])
        recurrence.apply(&states)
        let first = alpha[0] * 5 + beta[0] * 2
        let second = alpha[1] * first + beta[1] * 3
        #expect(abs(states[0, 0] - first) < 1e-12 && abs(states[1, 0] - second) < 1e-12)
        var constants = ConstantTerms()
        var gradient = Matrix(2, 1, [0, 1])
        recurrence.pullBack(&gradient, &constants)
        #expect(abs(gradient[0, 0] - alpha[1] * beta[0]) < 1e-12 && abs(gradient[1, 0] - beta[1]) < 1e-12)
        #expect(abs(constants.state - alpha[1] * alpha[0] * 5) < 1e-12 && constants.parameters == 0)
    }

    @Test func whatCannotBeExplainedIsAnError() throws {
        let model = SequenceModel.perturbed(Self.shapes[0], on: CPUBackend())
        let unknown = HistoryError.unknownItem(31, itemCount: 30)
        #expect(throws: HistoryError.empty) { try model.attributions(of: [1], after: []) }
        #expect(throws: unknown) { try model.attributions(of: [1], after: [1, 31]) }
        #expect(throws: unknown) { try model.attributions(of: [31], after: [1]) }
        let other = SequenceModel.perturbed(Self.shapes[1], on: CPUBackend()).initialState()
        #expect(throws: HistoryError.otherStates) { try model.attributions(of: [1], after: [1], from: other) }
        #expect(try model.attributions(of: [], after: [1]).isEmpty)
    }
}
