import FileSupport
import Identifiers
import Models

/// A model and what is known of its items: all that the recommenders of many threads share.
public struct Catalogue: Sendable {
    /// The model that answers.
    public let model: SequenceModel
    /// Names of its items, by their rows.
    public let items: Vocabulary
    /// What is recommended where there is no history; nil where nobody knows what is popular.
    public let popularity: Popularity?
    let scoreBound: ScoreBound

    /// There must be as many names, and as many counts, as the model has items. O(V · D).
    public init(_ model: SequenceModel, items: Vocabulary, popularity: Popularity? = nil) {
        precondition(items.count == model.configuration.itemCount, "one name an item")
        precondition(popularity.map { $0.counts.count == items.count } ?? true, "one count an item")
        self.model = model
        self.items = items
        self.popularity = popularity
        scoreBound = ScoreBound(model)
    }
}
