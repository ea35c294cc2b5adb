public import Identifiers
public import Models
import Tensors

/// One user, live: what the model remembers of the events so far, of a size that does not grow with them, and the items themselves, 4 bytes
/// each.
///
/// A ``Recommender`` of the same model advances it and says what comes next. A copy goes its own way.
public struct Session: Sendable {
    /// The model's memory.
    public private(set) var state: RecurrentState
    /// The events' items, the oldest first.
    public private(set) var items: [ItemID] = []
    /// Their times in nanoseconds since 1970; empty in a model that knows nothing of time.
    public private(set) var times: [Int64] = []
    /// The hidden vector after the last event [D]; empty where there is none.
    private(set) var hidden: [Float] = []

    /// A session without events.
    public init(_ model: SequenceModel) { state = model.initialState() }

    /// A session that was stored; nil unless everything belongs to this model: as many floats, items that it has, and times that it needs.
    package init?(state: [Float], hidden: [Float], items: [ItemID], times: [Int64], of model: SequenceModel) {
        let shape = model.configuration
        let hasEvents = !items.isEmpty
        guard let state = RecurrentState(values: state, for: shape), hidden.allSatisfy(\.isFinite),
            hidden.count == (hasEvents ? shape.hiddenSize : 0), times.count == (shape.usesTime ? items.count : 0),
            items.allSatisfy({ (0..<shape.itemCount).contains($0.row) })
        else { return nil }
        (self.state, self.hidden, self.items, self.times) = (state, hidden, items, times)
    }

    /// What ``init(state:hidden:items:times:of:)`` needs.
    package var stored: (state: [Float], hidden: [Float]) { (state.values, hidden) }

    fileprivate mutating func add(_ item: ItemID, _ time: Int64?, _ state: RecurrentState, _ hidden: [Float]) {
        (self.state, self.hidden) = (state, hidden)
        items.append(item)
        if let time { times.append(time) }
    }
}

extension Recommender {
    /// Advances a session by an event. O(D·H), whatever the number of events. A model with time needs the event's `time`, in nanoseconds since
    /// 1970; others pass over it. Throws where the item is unknown, the time is missing or the session another model's; then nothing has
    /// changed.
    public func push(_ item: ItemID, time: Int64? = nil, to session: inout Session) throws(RecommendError) {
        let time = model.configuration.usesTime ? time : nil
        var state = session.state
        let hidden: [Float]
        do throws(HistoryError) { hidden = try encoder.step(&state, item: item, time: time) } catch {
            throw .history(error)
        }
        session.add(item, time, state, hidden)
    }

    /// The `k` best next items of a session, the most popular ones where it has no events. O(V · D). A model with time answers for the time of the
    /// `question`, in nanoseconds since 1970, or of the last event. Throws where the session is another model's or scores are not finite.
    public func top(
        _ k: Int, of session: Session, askedAt question: Int64? = nil, _ choice: Choice = Choice()
    ) throws(RecommendError) -> [Recommendation] {
        guard !session.items.isEmpty else { return popular(k, choice) ?? [] }
        let (hidden, repeats): (Tensor, SparseBias?)
        do throws(HistoryError) {
            repeats = try model.headBias(after: [session.items])
            hidden = try self.hidden(of: session, question)
        } catch { throw .history(error) }
        return try best(k, hidden, repeats, [session.items], choice)[0]
    }

    private func hidden(of session: Session, _ question: Int64?) throws(HistoryError) -> Tensor {
        if model.configuration.usesTime, let question {
            return try encoder.hidden(reading: [session.state], at: [EventTime.seconds(ofNanoseconds: question)])
        }
        guard session.hidden.count == model.configuration.hiddenSize else { throw .otherStates }
        let row = model.backend.tensor(1, session.hidden.count)
        model.backend.upload(session.hidden, to: row)
        return row
    }
}
