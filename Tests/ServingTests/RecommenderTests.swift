import CPUBackend
import FileSupport
import Identifiers
import Layers
import Models
import ReferenceBackend
import Serving
import Tensors
import Testing

/// What is recommended, against the definition computed plainly: the oracle's hidden vector times every item's row, plus
/// what the repeat-aware head adds.
@Suite(.serialized) struct RecommenderTests {
    static let itemCount = 40
    static let names = Vocabulary(
        ids: (1...itemCount).map { "id\($0)" }, titles: (1...itemCount).map { $0 % 2 == 0 ? "Title \($0)" : "" })!
    let history: [ItemID] = [3, 9, 3, 14, 1]

    /// A small model; the values of its repeat-aware head, where it has one, are large enough to reorder everything.
    private static func model(repeatAware: Bool, on backend: any Backend = CPUBackend()) throws -> SequenceModel {
        var shape = ModelConfiguration(itemCount: itemCount)
        (shape.hiddenSize, shape.repeatAware) = (8, repeatAware)
        let model = try SequenceModel(initializing: shape, seed: 3, on: backend)
        if let values = model.weights[named: "repeat_bias"] { backend.upload(headValues, to: values) }
        return model
    }

    private static let headValues: [Float] = {
        var generator = SeededGenerator(seed: 5)
        return (0..<40).map { _ in Float(generator.normal()) / 10 }
    }()

    private func recommender(repeatAware: Bool = false, tokens: Int = 3) throws -> Recommender {
        let popularity = Popularity(counts: (0..<Self.itemCount).map { $0 % 7 })
        let model = try Self.model(repeatAware: repeatAware)
        return Recommender(Catalogue(model, items: Self.names, popularity: popularity), tokens: tokens)
    }

    /// Scores of all items after the history, by number, in plain loops.
    private func scores(_ history: [ItemID], repeatAware: Bool) throws -> [Float] {
        let model = try Self.model(repeatAware: repeatAware, on: ReferenceBackend())
        let encoder = SequenceEncoder(model, tokens: history.count, sequences: 1)
        let hidden = model.backend.download(try encoder.hidden(after: PackedBatch([history])))
        let table = model.backend.download(model.itemTable)
        return (0..<Self.itemCount).map { item in
            let score = (0..<8).reduce(0) { $0 + hidden[$1] * table[item * 8 + $1] }
            return score + (repeatAware ? addition(ItemID(row: item), history.suffix(1024)) : 0)
        }
    }

    /// Ten times the value for how long ago (a power of two) and how often an item occurred.
    private func addition(_ item: ItemID, _ events: ArraySlice<ItemID>) -> Float {
        guard let last = events.lastIndex(of: item) else { return 0 }
        var (ago, power) = (events.endIndex - last, 0)
        while ago > 1 { (ago, power) = (ago / 2, power + 1) }
        return 10 * Self.headValues[min(power, 9) * 4 + min(events.count { $0 == item }, 4) - 1]
    }

    private func ids(_ items: [Recommender.Recommendation]) -> [String] { items.map(\.id) }

    private func random(_ length: Int, seed: UInt64) -> [ItemID] {
        var generator = SeededGenerator(seed: seed)
        return (0..<length).map { _ in ItemID(rawValue: .random(in: 1...Int32(Self.itemCount), using: &generator)) }
    }

    @Test(arguments: [false, true], [1, 2, 5, 40, 1500])
    func theBestItemsComeInOrder(repeatAware: Bool, length: Int) throws {
        let history = random(length, seed: UInt64(length))
        var choice = Recommender.Choice()
        choice.excludesSeen = false
        let best = try recommender(repeatAware: repeatAware, tokens: 64).recommend(after: history, k: 12, choice)
        let expected = try scores(history, repeatAware: repeatAware).enumerated().sorted { $0.element > $1.element }
        #expect(ids(best) == expected.prefix(12).map { "id\($0.offset + 1)" })
        #expect(zip(best, expected).allSatisfy { abs($0.score - $1.element) < 1e-4 })
        #expect(best.allSatisfy { ($0.title != nil) == (Int($0.id.dropFirst(2))! % 2 == 0) })
    }

    @Test func seenAndExcludedItemsAreLeftOut() throws {
        var choice = Recommender.Choice()
        choice.excluded = [2, 4, 0, -7, 999]
        let all = try recommender().recommend(after: history, k: .max, choice)
        #expect(Set(ids(all)) == Set((1...40).filter { ![3, 9, 14, 1, 2, 4].contains($0) }.map { "id\($0)" }))
        #expect(try recommender().recommend(after: history, k: 0).isEmpty)
        #expect(try recommender().recommend(after: history, k: -3).isEmpty)
    }

    @Test func onlyMeansOnly() throws {
        let recommender = try recommender()
        var choice = Recommender.Choice()
        choice.only = [5, 6, 9, 6, 0, 41]
        #expect(Set(ids(try recommender.recommend(after: history, k: 10, choice))) == ["id5", "id6"])
        choice.excludesSeen = false
        #expect(try recommender.recommend(after: history, k: 10, choice).count == 3)
        choice.only = []
        #expect(try recommender.recommend(after: history, k: 10, choice).isEmpty)
    }

    @Test(arguments: [false, true])
    func stepByStepIsTheWholeHistory(repeatAware: Bool) throws {
        let recommender = try recommender(repeatAware: repeatAware)
        var choice = Recommender.Choice()
        choice.excludesSeen = false
        var state = recommender.catalogue.model.initialState()
        for end in 1...history.count {
            let (item, known) = (history[end - 1], Array(history[..<end]))
            let live = try recommender.step(&state, item: item, history: known, k: 9, choice)
            let whole = try recommender.recommend(after: known, k: 9, choice)
            #expect(ids(live) == ids(whole))
            #expect(zip(live, whole).allSatisfy { abs($0.score - $1.score) < 1e-5 })
        }
    }

    @Test(arguments: [false, true], [1, 4, 64])
    func manyHistoriesTogetherAreEachOne(repeatAware: Bool, tokens: Int) throws {
        let recommender = try recommender(repeatAware: repeatAware, tokens: tokens)
        let histories = [3, 0, 1, 1, 9, 130, 0, 2, 64, 5].enumerated().map { random($1, seed: UInt64($0)) }
        let answers = try recommender.answer(histories, k: 6)
        #expect(answers.count == histories.count)
        for (history, answer) in zip(histories, answers) where !history.isEmpty {
            #expect(answer.basis == .history)
            #expect(ids(answer.recommendations) == ids(try recommender.recommend(after: history, k: 6)))
        }
        #expect(try recommender.answer([], k: 6).isEmpty)
    }

    @Test func whoHasNoHistoryGetsWhatIsPopular() throws {
        var choice = Recommender.Choice()
        choice.excluded = [14]
        let answer = try recommender().answer([[]], k: 7, choice)[0]
        #expect(answer.basis == .popularity)
        // Counts are (i − 1) mod 7: 6 for 7, 14, 21, 28 and 35, then 5 for 6, 13, ...
        #expect(ids(answer.recommendations) == ["id7", "id21", "id28", "id35", "id6", "id13", "id20"])
        #expect(answer.recommendations.map(\.score) == [6, 6, 6, 6, 5, 5, 5])
        choice.only = [13, 2, 14]
        #expect(try ids(recommender().answer([[]], k: 7, choice)[0].recommendations) == ["id13", "id2"])

        let without = Recommender(Catalogue(try Self.model(repeatAware: true), items: Self.names))
        #expect(try without.answer([[], history], k: 7).map(\.basis) == [.none, .history])
        #expect(without.popular(7) == nil)
    }

    @Test(arguments: [false, true])
    func whatTheModelCannotReadIsAnError(repeatAware: Bool) throws {
        let recommender = try recommender(repeatAware: repeatAware)
        #expect(throws: RecommendError.history(.empty)) { try recommender.recommend(after: [], k: 3) }
        for item in [0, -1, 41, Int32.max, .min].map(ItemID.init(rawValue:)) {
            let error = RecommendError.history(.unknownItem(item, itemCount: 40))
            #expect(throws: error) { try recommender.recommend(after: [1, item], k: 3) }
            #expect(throws: error) { try recommender.answer([[1], [item]], k: 3) }
            var state = recommender.catalogue.model.initialState()
            let before = state
            #expect(throws: error) { try recommender.step(&state, item: item, history: [1], k: 3) }
            #expect(state == before)
        }
    }

    /// Weights are finite, but their products are not.
    @Test(arguments: [false, true])
    func scoresThatAreNotFiniteAreAnError(repeatAware: Bool) throws {
        for value in [3e38, -3e38, .infinity, .nan] as [Float] {
            let model = try Self.model(repeatAware: repeatAware)
            model.backend.upload([Float](repeating: value, count: 8), to: model.itemTable.rows(39..<40))
            let recommender = Recommender(Catalogue(model, items: Self.names))
            #expect(throws: RecommendError.notFinite, "\(value)") { try recommender.recommend(after: history, k: 3) }
            #expect(throws: RecommendError.notFinite, "\(value)") { try recommender.answer([history, [1]], k: 3) }
        }
    }
}
