package import Identifiers

/// The popularity of items: their numbers of training events.
public struct Popularity: Sendable, Equatable {
    /// Number of events of each item, at its ``ItemID/row``.
    public let counts: [Int]
    /// The items, most popular first, ties by number.
    private let order: [ItemID]

    /// The popularity given by `counts`, by ``ItemID/row``. O(V log V).
    public init(counts: [Int]) {
        self.counts = counts
        order = counts.indices.sorted { (counts[$1], $0) < (counts[$0], $1) }.map(ItemID.init(row:))
    }

    /// The `k` most popular items for which `isAllowed` is true. O(k + items for which it is not).
    package func best(_ k: Int, where isAllowed: (ItemID) -> Bool) -> [ItemID] {
        Array(order.lazy.filter(isAllowed).prefix(k))
    }
}
