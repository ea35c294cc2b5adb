public import Identifiers
public import Models

extension Recommender {
    /// Why an item has its score: terms that add up to it, and what the score would be without the events that weigh most.
    ///
    /// The terms are an ``Attribution``: what each event adds with all gates, activations and deviations as they are. That is
    /// not what the score would lose without the event; ``Term/scoreWithout`` says that.
    public struct Explanation: Sendable, Equatable {
        /// One event's contribution.
        public struct Term: Sendable, Equatable {
            /// The event's position in the history, from 0.
            public var event: Int
            /// What the event adds to the score; negative where it speaks against the item.
            public var contribution: Double
            /// The score after the history without this event, where its contribution is among the three largest, positive or
            /// negative; nil for all others, and where no event is left.
            public var scoreWithout: Double?
        }

        /// The latest events, the last one first.
        public var terms: [Term]
        /// What all earlier events add, as one term.
        public var earlier: Double
        /// What biases, shifts and the state before any event add, with the gates of this history.
        public var constant: Double
        /// What the repeat-aware head adds, where the history holds the item.
        public var repeats: Double
        /// What the transition head adds, where the item followed one of the last events in training.
        public var transitions: Double
        /// The score: the sum of all these.
        public var score: Double
    }

    /// The number of latest events that have a term each in an ``Explanation``.
    public static let explainedEvents = 1024

    /// Explains the scores of some items after a history of any length. `state` is the state that the events before the history have left,
    /// nil where there are none.
    ///
    /// O((1 + items) · events · D·H), and one pass over the events that follow for each event that is left out. Throws where the
    /// history is empty, an item unknown or the state another model's, and where scores are not finite.
    public func explain(
        _ items: [ItemID], after history: [ItemID], from state: RecurrentState? = nil, times: [Int64] = [],
        askedAt question: Int64? = nil
    ) throws(RecommendError) -> [Explanation] {
        let timed = TimedHistory(items: history, times: model.configuration.usesTime ? times : [], question: question)
        let latest = max(0, history.count - Self.explainedEvents)..<history.count
        let explanations: [Explanation]
        do throws(HistoryError) {
            var start = state
            if latest.lowerBound > 0 {
                var earlier = state ?? model.initialState()
                _ = try advance(&earlier, by: timed, 0..<latest.lowerBound)
                start = earlier
            }
            let attributions = try model.attributions(
                of: items, after: Array(history[latest]), from: start, times: Array(timed.times.suffix(latest.count)),
                askedAt: question)
            let left = attributions.map { Self.largest($0.events).map { $0 + latest.lowerBound } }
            let rescans = try rescans(
                of: timed, from: latest.lowerBound, start ?? model.initialState(), without: Set(left.joined()))
            explanations = zip(attributions, left).map { attribution, left in
                explanation(attribution, first: latest.lowerBound, left, rescans)
            }
        } catch { throw .history(error) }
        guard explanations.allSatisfy(\.score.isFinite) else { throw .notFinite }
        return explanations
    }

    /// The positions of the three largest terms, positive or negative.
    private static func largest(_ terms: [Double]) -> ArraySlice<Int> {
        terms.indices.sorted { terms[$0].magnitude > terms[$1].magnitude }.prefix(3)
    }

    /// A history with the times of its events, empty for a model without time, and when it is asked what comes next.
    private struct TimedHistory {
        var items: [ItemID]
        var times: [Int64]
        var question: Int64?
    }

    /// Advances a state by a part of a history.
    private func advance(
        _ state: inout RecurrentState, by history: TimedHistory, _ range: Range<Int>
    ) throws(HistoryError) -> [Float] {
        guard history.times.isEmpty || history.times.count == history.items.count else { throw .noTimes }
        return try encoder.advance(
            &state, by: Array(history.items[range]), times: history.times.isEmpty ? nil : Array(history.times[range]),
            askedAt: history.question)
    }

    /// A history without one of its events.
    private struct Rescan {
        let history: [ItemID]
        /// The vector after it.
        let hidden: [Float]
    }

    /// The history without each of these events, which come at `first` or later, where the state is `state`. One that would have no event at
    /// all is left out.
    private func rescans(
        of history: TimedHistory, from first: Int, _ state: RecurrentState, without events: Set<Int>
    ) throws(HistoryError) -> [Int: Rescan] {
        var (position, state, rescans) = (first, state, [Int: Rescan]())
        for event in events.sorted() where history.items.count - first > 1 {
            // The state before the event, or before the one in front of it where it is the last: a vector comes from an event.
            let start = min(event, history.items.count - 2)
            if position < start { _ = try advance(&state, by: history, position..<start) }
            position = start
            var (own, rest) = (state, history)
            rest.items.remove(at: event)
            if !rest.times.isEmpty { rest.times.remove(at: event) }
            rescans[event] = Rescan(
                history: rest.items, hidden: try advance(&own, by: rest, start..<rest.items.count))
        }
        return rescans
    }

    private func explanation(
        _ attribution: Attribution, first: Int, _ left: [Int], _ rescans: [Int: Rescan]
    ) -> Explanation {
        var terms = attribution.events.enumerated().map { Explanation.Term(event: first + $0, contribution: $1) }
        for event in left {
            terms[event - first].scoreWithout = rescans[event].map { rescan in
                model.score(of: attribution.item, rescan.hidden, after: rescan.history)
            }
        }
        return Explanation(
            terms: terms.reversed(), earlier: attribution.earlier, constant: attribution.constant,
            repeats: attribution.repeats, transitions: attribution.transitions, score: attribution.score)
    }
}
