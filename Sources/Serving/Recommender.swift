import FileSupport
import RecBLR
import Tensors

/// Answers "what next?" for histories: one thread's encoder over a model and the names of its items.
public final class Recommender {
    /// One answer.
    public struct Recommendation: Sendable, Equatable, Codable {
        /// Raw id.
        public var id: String
        /// Title, where there is one.
        public var title: String?
        /// The model's logit.
        public var score: Float
    }

    /// Which items may be recommended.
    public struct Choice: Sendable {
        /// Whether items of the history are left out.
        public var excludesSeen = true
        /// Items that are left out.
        public var excluded: [Int32] = []
        /// If given, only these may appear.
        public var only: [Int32]?

        /// Everything but the history.
        public init() {}
    }

    /// The model that answers.
    public let model: Model
    /// Names of its items: item i is at position i − 1.
    public let items: Vocabulary
    private let encoder: Encoder

    /// A recommender that encodes up to `tokens` events at a time.
    public init(_ model: Model, items: Vocabulary, tokens: Int = 2048) {
        precondition(items.count == model.configuration.itemCount, "one name an item")
        self.model = model
        self.items = items
        encoder = Encoder(model, tokens: tokens, sequences: 1)
    }

    /// The `k` best next items for a history of item numbers, which must not be empty. O(events · D·H + V · D).
    public func recommend(after history: [Int32], k: Int, _ choice: Choice = Choice()) -> [Recommendation] {
        var state = model.initialState()
        let hidden = encoder.advance(&state, by: history)
        return best(k, hidden, history: history, choice)
    }

    /// Moves a user's state on by one event and returns the `k` best next items: the model's cost does not grow with the
    /// history. `history` are the user's events, `item` the last of them, as far as they are known: what
    /// ``Choice/excludesSeen`` leaves out and a repeat-aware model looks at.
    public func step(
        _ state: inout State, item: Int32, history: [Int32] = [], k: Int, _ choice: Choice = Choice()
    ) -> [Recommendation] {
        best(k, encoder.step(&state, item: item), history: history, choice)
    }

    private func best(_ k: Int, _ hidden: Tensor, history: [Int32], _ choice: Choice) -> [Recommendation] {
        let left = choice.excluded + (choice.excludesSeen ? history : [])
        let candidates: Candidates
        if let only = choice.only {
            let left = Set(left)
            candidates = .only(Array(Set(only).subtracting(left)).map { $0 - 1 })
        } else {
            candidates = .allExcept(left.map { $0 - 1 })
        }
        let repeats = history.isEmpty ? nil : model.repeatBias(after: [history])
        let rows = withExtendedLifetime(repeats) {
            model.backend.topK(hidden, table: model.itemTable, bias: repeats?.bias, k: k, candidates: [candidates])[0]
        }
        return rows.map { row in
            Recommendation(id: items.ids[Int(row.row)], title: items.title(at: Int(row.row)), score: row.score)
        }
    }
}
