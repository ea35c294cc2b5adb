/// Items by how often they occur among the events that a model was trained on.
public struct Popularity: Sendable, Equatable {
    /// Events of item i at position i − 1.
    public let counts: [Int]
    /// Item numbers, the most popular first, equal ones by number.
    private let order: [Int32]

    /// The items' counts, item i's at position i − 1. O(V log V).
    public init(counts: [Int]) {
        self.counts = counts
        order = (0..<Int32(counts.count)).sorted { (counts[Int($1)], $0) < (counts[Int($0)], $1) }.map { $0 + 1 }
    }

    /// The `k` most popular of the items that `isAllowed` lets through. O(k + those that it does not).
    func best(_ k: Int, where isAllowed: (Int32) -> Bool) -> [Int32] { Array(order.lazy.filter(isAllowed).prefix(k)) }
}
