public import Identifiers
import Layers
import Tensors

/// What speaks for and against an item after a history: terms that add up to its score.
///
/// The model is not linear in its events, but each of its parts is a product of something that depends on the events and something that is
/// affine in them:
///
///     SiLU(x)       σ(x) ⊙ x
///     LayerNorm(x)  1 / deviation(x) · (x − mean(x)) ⊙ scale + shift
///     recurrence    h_t = α_t ⊙ h_{t−1} + β_t ⊙ C_t,  output SiLU(Z_t) ⊙ h_t
///     attention     Σ_d softmax(s_t)_d · V_{t−d}
///
/// With the first factors (all σ, deviations, α, β, SiLU(Z) and the weights of attention) frozen at the values that they have for this history, the
/// score of item i is affine in the embeddings e_t of the events, the state h_0 before them and the biases and shifts b:
///
///     score_i = Σ_t g_{i,t} · e_t  +  g_{i,0} · h_0  +  Σ_b g_{i,b} · b  +  what the heads add
///
/// g are the gradients of the frozen score, which one backward pass gives for all t and b. So the terms add up to the score, exactly.
///
/// It is an attribution of the score that the model did give, not a prediction of another one. Without an event the gates and deviations would
/// be others, and so the score would not be lower by the event's term; nor does a term say why a person likes what they do. What the score
/// would be is known by asking the model again, without the event.
public struct Attribution: Sendable, Equatable {
    /// The item.
    public var item: ItemID
    /// What each event of the history adds, in the history's order.
    public var events: [Double]
    /// What all events before the history add through the state that they left; 0 where the history is whole.
    public var earlier: Double
    /// What biases, shifts and the state before any event add, with the gates of this history.
    public var constant: Double
    /// What the repeat-aware head adds, where the history holds the item.
    public var repeats: Double
    /// What the transition head adds, where the item followed one of the last events in training and the history does not hold it.
    public var transitions: Double
    /// The score: the sum of all these, but for rounding in double precision.
    public var score: Double
}

extension SequenceModel {
    /// What speaks for and against each of `items` after a history, in double precision. `state` is the state that the events before the
    /// history have left, nil where there are none.
    ///
    /// A model with time needs the `times` of the history in nanoseconds since 1970, and explains the score at the time of the `question`, where that is
    /// given; what time adds besides the events is part of ``Attribution/constant``.
    ///
    /// One pass forward and, for each item, one backward: O((1 + items) · events · D·H) time, and memory for the activations of all
    /// events; so pass long histories as a state and their latest events. The repeat-aware head counts the events of `history` alone. Throws where the history is empty, an item
    /// is unknown or the state another model's.
    public func attributions(
        of items: [ItemID], after history: [ItemID], from state: RecurrentState? = nil, times: [Int64] = [],
        askedAt question: Int64? = nil
    ) throws(HistoryError) -> [Attribution] {
        guard !history.isEmpty else { throw .empty }
        try configuration.check(history)
        try configuration.check(items)
        let start = state ?? initialState()
        guard start.values.count == configuration.stateSize else { throw .otherStates }
        var eventTimes: [EventTime] = []
        if configuration.usesTime {
            guard times.count == history.count else { throw .noTimes }
            eventTimes = EventTime.history(times, question: question)
            eventTimes[0].before = start.lastTime
        }
        let network = FrozenNetwork(self, embeddings: embeddings(history), times: eventTimes, state: start)
        return items.map { item in
            let embedding = embeddings([item])
            var constants = ConstantTerms()
            let gradient = network.gradient(of: embedding, &constants)
            let heads = headScore(of: item, after: history)
            return Attribution(
                item: item,
                events: history.indices.map { gradient.rows($0..<$0 + 1).dot(network.embeddings.rows($0..<$0 + 1)) },
                earlier: state == nil ? 0 : constants.state,
                constant: constants.parameters + (state == nil ? constants.state : 0), repeats: heads.repeats,
                transitions: heads.transitions,
                score: network.output.dot(embedding) + heads.repeats + heads.transitions)
        }
    }

    /// The score of an item after a history whose vector is `hidden`, in double precision. O(D + window).
    package func score(of item: ItemID, _ hidden: [Float], after history: [ItemID]) -> Double {
        let heads = headScore(of: item, after: history)
        return Matrix(1, hidden.count, hidden.map(Double.init)).dot(embeddings([item])) + heads.repeats
            + heads.transitions
    }

    /// What the heads add to the score of an item after a history; 0 without them. O(window).
    private func headScore(of item: ItemID, after history: [ItemID]) -> (repeats: Double, transitions: Double) {
        guard let values = network.headValues(weights), !history.isEmpty else { return (0, 0) }
        var entries = HeadEntries(self)
        entries.append(history.count - 1..<history.count, of: history)
        guard let place = entries.columns.firstIndex(of: Int32(item.row)) else { return (0, 0) }
        let kind = entries.kinds[place]
        let addition = Double(RepeatHead.scale) * Double(backend.download(values)[Int(kind)])
        return entries.isTransition(kind) ? (0, addition) : (addition, 0)
    }
}
