import Identifiers

/// Items by how often they occur among the events that a model was trained on.
public struct Popularity: Sendable, Equatable {
    /// Number of events of each item, at its ``ItemID/row``.
    public let counts: [Int]
    /// The most popular first, equal ones by number.
    private let order: [ItemID]

    /// Takes the items' counts, by row. O(V log V).
    public init(counts: [Int]) {
        self.counts = counts
        order = counts.indices.sorted { (counts[$1], $0) < (counts[$0], $1) }.map(ItemID.init(row:))
    }

    /// The `k` most popular of the items that `isAllowed` lets through. O(k + those that it does not).
    func best(_ k: Int, where isAllowed: (ItemID) -> Bool) -> [ItemID] { Array(order.lazy.filter(isAllowed).prefix(k)) }
}
