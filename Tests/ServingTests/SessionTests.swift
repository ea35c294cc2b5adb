import CPUBackend
import Identifiers
import Layers
import Models
import Serving
import Tensors
import Testing

/// A session, event by event, against recommendations for the whole history.
@Suite struct SessionTests {
    private static let itemCount = 40
    private let history = (0..<60).map { ItemID(row: ($0 * $0 + 3) % 37) }

    private func recommender(_ change: (inout ModelConfiguration) -> Void = { _ in }) throws -> Recommender {
        var shape = ModelConfiguration(itemCount: Self.itemCount)
        (shape.hiddenSize, shape.repeatAware) = (8, true)
        change(&shape)
        let model = try SequenceModel(initializing: shape, seed: 3, on: CPUBackend())
        if let values = model.weights[named: "repeat_bias"] {
            model.backend.upload((0..<40).map { Float($0 % 7) / 10 }, to: values)
        }
        let names = Vocabulary(ids: (1...Self.itemCount).map { "id\($0)" })!
        return Recommender(
            Catalogue(model, items: names, popularity: Popularity(counts: (0..<Self.itemCount).map { $0 % 7 })))
    }

    private func expectSame(_ one: [Recommender.Recommendation], _ other: [Recommender.Recommendation]) {
        #expect(one.map(\.id) == other.map(\.id))
        for (a, b) in zip(one, other) { #expect(abs(a.score - b.score) < 1e-4) }
    }

    @Test(arguments: ModelConfiguration.Mixer.allCases) func itIsTheWholeHistory(mixer: ModelConfiguration.Mixer) throws
    {
        let recommender = try recommender {
            $0.mixer = mixer
            if mixer == .attention { $0.attentionWindow = 5 }
        }
        var session = Session(recommender.catalogue.model)
        for (count, item) in history.enumerated() {
            try recommender.push(item, to: &session)
            let before = Array(history[...count])
            #expect(session.items == before)
            expectSame(
                try recommender.top(5, of: session), try recommender.recommend(after: before, k: 5))
        }
    }

    @Test func itIsTheWholeHistoryWithTimes() throws {
        let recommender = try recommender { $0.usesTime = true }
        let times = (0..<history.count).map { Int64($0 * $0) * 3_600_000_000_000 }
        var session = Session(recommender.catalogue.model)
        for (count, item) in history.enumerated() {
            try recommender.push(item, time: times[count], to: &session)
            let (before, own) = (Array(history[...count]), Array(times[...count]))
            expectSame(
                try recommender.top(5, of: session), try recommender.recommend(after: before, times: own, k: 5))
            let later = own[count] + 86_400_000_000_000
            expectSame(
                try recommender.top(5, of: session, askedAt: later),
                try recommender.recommend(after: before, times: own, askedAt: later, k: 5))
        }
        #expect(throws: RecommendError.self) { try recommender.push(history[0], to: &session) }
        #expect(session.items.count == history.count)
    }

    @Test func aCopyGoesItsOwnWay() throws {
        let recommender = try recommender()
        var one = Session(recommender.catalogue.model)
        try recommender.push(3, to: &one)
        var other = one
        try recommender.push(7, to: &other)
        #expect(one.items == [3] && other.items == [3, 7])
        expectSame(try recommender.top(5, of: one), try recommender.recommend(after: [3], k: 5))
    }

    @Test func withoutEventsItIsWhatIsPopular() throws {
        let recommender = try recommender()
        let best = try recommender.top(3, of: Session(recommender.catalogue.model))
        #expect(best == recommender.popular(3) && best.count == 3)
    }

    @Test func whatIsStoredGoesOnAndOtherThingsDoNot() throws {
        let recommender = try recommender()
        let model = recommender.catalogue.model
        var session = Session(model)
        for item in history { try recommender.push(item, to: &session) }
        let (state, hidden) = session.stored
        func restored(
            _ state: [Float], _ hidden: [Float], _ items: [ItemID], _ times: [Int64] = []
        ) -> Session? { Session(state: state, hidden: hidden, items: items, times: times, of: model) }
        let again = try #require(restored(state, hidden, session.items))
        #expect(try recommender.top(5, of: again) == recommender.top(5, of: session))
        #expect(restored(Array(state.dropLast()), hidden, session.items) == nil)
        #expect(restored(state, Array(hidden.dropLast()), session.items) == nil)
        #expect(restored(state, hidden, []) == nil)
        #expect(restored(state, hidden, [ItemID(row: Self.itemCount)]) == nil)
        #expect(restored(state, hidden, [ItemID(rawValue: 0)]) == nil)
        #expect(restored(state, hidden, session.items, [1]) == nil)
        #expect(restored(state.map { _ in .nan }, hidden, session.items) == nil)
    }

    @Test func anUnknownItemChangesNothing() throws {
        let recommender = try recommender()
        var session = Session(recommender.catalogue.model)
        try recommender.push(3, to: &session)
        let before = session.stored.state
        #expect(throws: RecommendError.self) { try recommender.push(ItemID(row: 400), to: &session) }
        #expect(session.items == [3] && session.stored.state == before)
    }
}
