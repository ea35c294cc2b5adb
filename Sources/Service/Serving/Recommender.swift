import FileSupport
public import Identifiers
public import Models
import Tensors

/// Recommends next items after histories. It owns an encoder, so each thread needs its own recommender.
public final class Recommender {
    /// One recommended item.
    public struct Recommendation: Sendable, Equatable, Codable {
        /// Raw identifier of the item.
        public var id: String
        /// Title of the item; nil where it has none.
        public var title: String?
        /// The model's logit; for popular items the number of training events.
        public var score: Float
    }

    /// What recommendations are based on.
    public enum Basis: String, Sendable, Codable {
        /// The user's history.
        case history
        /// The popularity of the items, because the history is empty.
        case popularity
        /// Nothing, because the history is empty and the popularity not known.
        case none
    }

    /// The recommendations for one user.
    public struct Answer: Sendable, Equatable {
        /// What the recommendations are based on.
        public var basis: Basis
        /// The recommended items, best first.
        public var recommendations: [Recommendation]
    }

    /// Restricts the items that may be recommended.
    public struct Choice: Sendable {
        /// Whether items of the history are left out.
        public var excludesSeen = true
        /// Items that are not recommended.
        public var excluded: [ItemID] = []
        /// Items that may be recommended; nil: all.
        public var only: [ItemID]?

        /// All items except those of the history.
        public init() {}
    }

    /// The model and its items.
    public let catalogue: Catalogue
    let encoder: SequenceEncoder
    private let tokens: Int
    var model: SequenceModel { catalogue.model }

    /// A recommender that encodes up to `tokens` events in one pass.
    public init(_ catalogue: Catalogue, tokens: Int = 512) {
        self.catalogue = catalogue
        self.tokens = max(1, tokens)
        encoder = SequenceEncoder(catalogue.model, tokens: self.tokens, sequences: self.tokens)
    }

    /// The `k` best next items for a history. O(events · D·H + V · D). A model with time needs the `times` of the events, in nanoseconds since 1970, and
    /// answers for the time of the `question`, or of the last event where that is nil. Throws where the history is empty, an item unknown or times are
    /// missing, and where scores are not finite.
    public func recommend(
        after history: [ItemID], times: [Int64] = [], askedAt question: Int64? = nil, k: Int,
        _ choice: Choice = Choice()
    ) throws(RecommendError) -> [Recommendation] {
        guard !history.isEmpty else { throw .history(.empty) }
        return try best(k, after: [(history, times)], question, choice)[0]
    }

    /// The `k` most popular items; nil where the catalogue has no popularity. O(V) at most.
    public func popular(_ k: Int, _ choice: Choice = Choice()) -> [Recommendation]? {
        guard let popularity = catalogue.popularity else { return nil }
        let (excluded, only) = (Set(choice.excluded), choice.only.map(Set.init))
        return popularity.best(max(0, k)) { !excluded.contains($0) && only?.contains($0) ?? true }.map { item in
            recommendation(item, score: Float(popularity.counts[item.row]))
        }
    }

    /// Recommendations for many users: the `k` best next items after a history, the most popular ones where it is empty. `times` has those of each history, for a
    /// model with time, which is asked at the time of the `question`.
    ///
    /// Histories are encoded in batches. The size of a batch can change the last bits of a score, and so the order of items whose
    /// scores are nearly equal. Throws where an item is unknown, and where scores are not finite.
    public func answer(
        _ histories: [[ItemID]], times: [[Int64]] = [], askedAt question: Int64? = nil, k: Int,
        _ choice: Choice = Choice()
    ) throws(RecommendError) -> [Answer] {
        if !times.isEmpty, times.count != histories.count { throw .history(.noTimes) }
        let popular = histories.contains(where: \.isEmpty) ? self.popular(k, choice) : nil
        let withoutHistory = Answer(basis: popular == nil ? .none : .popularity, recommendations: popular ?? [])
        var answers = [Answer](repeating: withoutHistory, count: histories.count)
        for batch in batches(histories) {
            let asked = batch.map { (histories[$0], times.isEmpty ? [] : times[$0]) }
            let lists = try best(k, after: asked, question, choice)
            for (index, list) in zip(batch, lists) { answers[index] = Answer(basis: .history, recommendations: list) }
        }
        return answers
    }

    /// Advances a user's state by one event and returns the `k` best next items, at a cost that does not grow with the history.
    /// `history` are the user's events, as far as they are known, with `item` as the last: ``Choice/excludesSeen`` and a model with heads
    /// need it; a model with time needs the event's `time`, in nanoseconds since 1970. Throws where an item is unknown or the state another model's, and where
    /// scores are not finite.
    public func step(
        _ state: inout RecurrentState, item: ItemID, time: Int64? = nil, history: [ItemID] = [], k: Int,
        _ choice: Choice = Choice()
    ) throws(RecommendError) -> [Recommendation] {
        let (hidden, repeats): (Tensor, SparseBias?)
        do throws(HistoryError) {
            repeats = history.isEmpty ? nil : try model.headBias(after: [history])
            hidden = try encoder.hidden(
                stepping: &state, item: item, times: time.map { EventTime.history([$0]) } ?? [])
        } catch { throw .history(error) }
        return try best(k, hidden, repeats, [history], choice)[0]
    }

    /// Batches of positions of the histories that are not empty. One that is longer than a pass is a batch of its own.
    private func batches(_ histories: [[ItemID]]) -> [[Int]] {
        var batches: [[Int]] = []
        var (batch, events): ([Int], Int) = ([], 0)
        for (index, history) in histories.enumerated() where !history.isEmpty {
            if events + history.count > tokens, !batch.isEmpty {
                batches.append(batch)
                (batch, events) = ([], 0)
            }
            batch.append(index)
            events += history.count
        }
        return batch.isEmpty ? batches : batches + [batch]
    }

    private func best(
        _ k: Int, after asked: [(items: [ItemID], times: [Int64])], _ question: Int64?, _ choice: Choice
    ) throws(RecommendError) -> [[Recommendation]] {
        let (hidden, repeats): (Tensor, SparseBias?)
        let histories = asked.map(\.items)
        do throws(HistoryError) {
            let times = try asked.map { each throws(HistoryError) in
                guard model.configuration.usesTime else { return [EventTime]() }
                guard each.times.count == each.items.count else { throw .noTimes }
                return EventTime.history(each.times, question: question)
            }
            if histories.count == 1 {  // it may be longer than one pass
                var state = model.initialState()
                hidden = try encoder.hidden(advancing: &state, by: histories[0], times: times[0])
            } else {
                var batch = PackedBatch()
                for (history, times) in zip(histories, times) { batch.append(history, times: times) }
                hidden = try encoder.hidden(after: batch)
            }
            repeats = try model.headBias(after: histories)
        } catch { throw .history(error) }
        return try best(k, hidden, repeats, histories, choice)
    }

    /// The `k` best items of each row of `hidden`.
    func best(
        _ k: Int, _ hidden: Tensor, _ repeats: SparseBias?, _ histories: [[ItemID]], _ choice: Choice
    ) throws(RecommendError) -> [[Recommendation]] {
        let only = choice.only.map(Set.init)
        let candidates = histories.map { history -> Candidates in
            let left = choice.excluded + (choice.excludesSeen ? history : [])
            guard let only else { return .allExcept(left.map { Int32($0.row) }) }
            return .only(only.subtracting(left).map { Int32($0.row) })
        }
        let lists = try catalogue.best(hidden, repeats, candidates.map { RowChoice(k, of: $0) })
        return try lists.map { list throws(RecommendError) in
            guard let list else { throw .notFinite }
            return list.map { recommendation(ItemID(row: Int($0.row)), score: $0.score) }
        }
    }

    private func recommendation(_ item: ItemID, score: Float) -> Recommendation {
        let items = catalogue.items
        return Recommendation(id: items.ids[item.row], title: items.title(at: item.row), score: score)
    }
}
