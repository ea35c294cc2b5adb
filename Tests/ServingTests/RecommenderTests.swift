import CPUBackend
import FileSupport
import RecBLR
import Serving
import Testing

@Suite struct RecommenderTests {
    let model: Model
    let recommender: Recommender
    let history: [Int32] = [3, 9, 3, 14, 1]

    init() throws {
        var shape = Configuration(itemCount: 40)
        shape.hiddenSize = 8
        model = try Model(initializing: shape, seed: 3, on: CPUBackend())
        let items = Vocabulary(
            ids: (1...40).map { "id\($0)" }, titles: (1...40).map { $0 % 2 == 0 ? "Title \($0)" : "" })
        recommender = Recommender(model, items: try #require(items), tokens: 3)
    }

    /// Scores of all items after the history, by number.
    private func scores() -> [Float] {
        let encoder = Encoder(model, tokens: 8, sequences: 1)
        let hidden = model.backend.download(encoder.encode(PackedBatch([history])))
        let table = model.backend.download(model.itemTable)
        return (0..<40).map { item in (0..<8).reduce(0) { $0 + hidden[$1] * table[item * 8 + $1] } }
    }

    @Test func theBestItemsComeInOrder() {
        var choice = Recommender.Choice()
        choice.excludesSeen = false
        let best = recommender.recommend(after: history, k: 7, choice)
        let expected = scores().enumerated().sorted { $0.element > $1.element }.prefix(7)
        #expect(best.map(\.id) == expected.map { "id\($0.offset + 1)" })
        #expect(zip(best, expected).allSatisfy { abs($0.score - $1.element) < 1e-5 })
        #expect(best.allSatisfy { ($0.title != nil) == (Int($0.id.dropFirst(2))! % 2 == 0) })
    }

    @Test func seenAndExcludedItemsAreLeftOut() {
        var choice = Recommender.Choice()
        choice.excluded = [2, 4]
        let all = recommender.recommend(after: history, k: 100, choice)
        #expect(Set(all.map(\.id)) == Set((1...40).filter { ![3, 9, 14, 1, 2, 4].contains($0) }.map { "id\($0)" }))
    }

    @Test func onlyMeansOnly() {
        var choice = Recommender.Choice()
        choice.only = [5, 6, 9, 6]
        #expect(Set(recommender.recommend(after: history, k: 10, choice).map(\.id)) == ["id5", "id6"])
        choice.excludesSeen = false
        #expect(recommender.recommend(after: history, k: 10, choice).count == 3)
        choice.only = []
        #expect(recommender.recommend(after: history, k: 10, choice).isEmpty)
    }

    @Test func stepByStepIsTheWholeHistory() {
        var state = model.initialState()
        var last: [Recommender.Recommendation] = []
        for item in history { last = recommender.step(&state, item: item, history: history, k: 5) }
        let whole = recommender.recommend(after: history, k: 5)
        #expect(last.map(\.id) == whole.map(\.id))
    }
}
