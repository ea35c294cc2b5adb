import CPUBackend
import FileSupport
import Identifiers
import Layers
import Models
import Serving
import Tensors
import Testing

/// Explanations: terms in order that add up, and the score without an event as another recommender would give it.
@Suite struct ExplanationTests {
    private func recommender(repeatAware: Bool = true) throws -> Recommender {
        var shape = ModelConfiguration(itemCount: 40)
        (shape.hiddenSize, shape.repeatAware) = (8, repeatAware)
        let model = try SequenceModel(initializing: shape, seed: 3, on: CPUBackend())
        var generator = SeededGenerator(seed: 5)
        let values = model.backend.download(model.weights.flat).map { $0 + Float(0.1 * generator.normal()) }
        model.backend.upload(values, to: model.weights.flat)
        let names = Vocabulary(ids: (1...40).map { "id\($0)" }, titles: [String](repeating: "", count: 40))!
        return Recommender(Catalogue(model, items: names), tokens: 64)
    }

    private func random(_ length: Int) -> [ItemID] {
        var generator = SeededGenerator(seed: UInt64(length))
        return (0..<length).map { _ in ItemID(rawValue: .random(in: 1...40, using: &generator)) }
    }

    private func score(_ recommender: Recommender, of item: ItemID, after history: [ItemID]) throws -> Double {
        var choice = Recommender.Choice()
        (choice.excludesSeen, choice.only) = (false, [item])
        return Double(try recommender.recommend(after: history, k: 1, choice)[0].score)
    }

    private func sum(_ explanation: Recommender.Explanation) -> Double {
        explanation.terms.reduce(0) { $0 + $1.contribution } + explanation.earlier + explanation.constant
            + explanation.repeats
    }

    @Test(arguments: [1, 2, 3, 30, 1500])
    func termsAddUpAndScoresWithoutAreOtherHistories(length: Int) throws {
        let (recommender, history) = (try recommender(), random(length))
        let items = [history[0], history[length - 1], 40]
        for (item, explanation) in zip(items, try recommender.explain(items, after: history)) {
            #expect(explanation.terms.map(\.event) == Array((0..<length).suffix(1024).reversed()))
            #expect(abs(sum(explanation) - explanation.score) < 1e-9)
            #expect(abs(explanation.score - (try score(recommender, of: item, after: history))) < 1e-4)
            #expect((explanation.earlier != 0) == (length > 1024))
            let largest = explanation.terms.sorted { $0.contribution.magnitude > $1.contribution.magnitude }.prefix(3)
            for term in explanation.terms {
                #expect((term.scoreWithout != nil) == (length > 1 && largest.contains(term)))
                guard let own = term.scoreWithout else { continue }
                var without = history
                without.remove(at: term.event)
                #expect(abs(own - (try score(recommender, of: item, after: without))) < 1e-4)
            }
        }
    }

    /// The largest contribution may lie anywhere; every event is left out once by choosing the item.
    @Test func theStateOfEarlierEventsIsWhereARescanBegins() throws {
        let (recommender, history) = (try recommender(repeatAware: false), random(30))
        var state = recommender.catalogue.model.initialState()
        let encoder = SequenceEncoder(recommender.catalogue.model, tokens: 64, sequences: 1)
        _ = try encoder.advance(&state, by: Array(history[..<20]))
        let items = (1...40).map { ItemID(rawValue: $0) }
        let whole = try recommender.explain(items, after: history)
        let later = try recommender.explain(items, after: Array(history[20...]), from: state)
        for (item, (whole, later)) in zip(items, zip(whole, later)) {
            #expect(abs(sum(later) - whole.score) < 1e-4)
            #expect(later.terms.map(\.event) == Array((0..<10).reversed()))
            for (term, own) in zip(later.terms, whole.terms) {
                #expect(abs(term.contribution - own.contribution) < 1e-4)
                guard let scoreWithout = term.scoreWithout else { continue }
                var without = history
                without.remove(at: term.event + 20)
                #expect(abs(scoreWithout - (try score(recommender, of: item, after: without))) < 1e-4)
            }
        }
        let one = try recommender.explain([1], after: [history[20]], from: state)[0]
        #expect(one.terms.count == 1 && one.terms[0].scoreWithout == nil && one.earlier != 0)
    }

    @Test func whatCannotBeExplainedIsAnError() throws {
        let recommender = try recommender()
        #expect(throws: RecommendError.history(.empty)) { try recommender.explain([1], after: []) }
        let unknown = RecommendError.history(.unknownItem(41, itemCount: 40))
        #expect(throws: unknown) { try recommender.explain([41], after: [1]) }
        #expect(throws: unknown) { try recommender.explain([1], after: [41, 1]) }
        #expect(try recommender.explain([], after: [1]).isEmpty)
    }
}
