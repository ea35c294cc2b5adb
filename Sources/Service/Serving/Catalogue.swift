import FileSupport
public import Identifiers
public import Models
package import Tensors

/// A model with the names and the popularity of its items: what recommenders on many threads share.
public struct Catalogue: Sendable {
    /// The model that computes scores.
    public let model: SequenceModel
    /// Ids and titles of the items, by ``ItemID/row``.
    public let items: Vocabulary
    /// Popularity of the items, recommended where there is no history; nil where it is not known.
    public let popularity: Popularity?
    /// The item table, ready for finding its best rows.
    package let ranked: any RankedTable
    let scoreBound: ScoreBound

    /// Traps unless there are as many names, and as many counts, as the model has items. O(V · D).
    public init(_ model: SequenceModel, items: Vocabulary, popularity: Popularity? = nil) {
        precondition(items.count == model.configuration.itemCount, "one name for each item")
        precondition(popularity.map { $0.counts.count == items.count } ?? true, "one count for each item")
        self.model = model
        self.items = items
        self.popularity = popularity
        ranked = model.backend.ranked(model.itemTable)
        scoreBound = ScoreBound(model)
    }
}
