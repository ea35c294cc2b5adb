import Identifiers

/// What a ranker says about some cases.
public struct Examination: Sendable {
    /// The ranks of the targets, in the order of the cases.
    public var ranks: [CaseRanks]
    /// What the ranker thinks of each case, in their order; nil for one that gives no probabilities.
    public var probabilities: [CaseProbability]?
    /// The items that it recommends; nil where it does not say.
    public var lists: ListCounts?

    /// Ranks alone, or with more.
    public init(ranks: [CaseRanks], probabilities: [CaseProbability]? = nil, lists: ListCounts? = nil) {
        (self.ranks, self.probabilities, self.lists) = (ranks, probabilities, lists)
    }
}

/// Probabilities of one case: a softmax over the scores of the whole catalogue.
public struct CaseProbability: Sendable, Equatable {
    /// −log of the target's probability, in nats; nil where the model does not know the target, or no item of the history.
    public var crossEntropy: Double?
    /// The sum of the probabilities of the history's distinct items; nil where the model knows none of them.
    public var seen: Double?

    /// Where a model says nothing.
    public static let none = CaseProbability(crossEntropy: nil, seen: nil)

    /// The probabilities of one case.
    public init(crossEntropy: Double?, seen: Double?) { (self.crossEntropy, self.seen) = (crossEntropy, seen) }
}

/// How often each item is among the ten best, over all cases, in both settings. Items of equal score are in the order of their numbers.
public struct ListCounts: Sendable, Equatable {
    /// Length of a list.
    public static let length = 10
    /// V: number of items that can be in a list.
    public var itemCount: Int
    /// The counts where items already seen may come again, by ``ItemID/row``. Items that only the model knows follow on the dataset's.
    public var unmasked: [Int]
    /// The counts where all items of the history are left out, the target among them where it is a repeat.
    public var masked: [Int]

    /// Counts of no list.
    public init(itemCount: Int) {
        self.itemCount = itemCount
        unmasked = [Int](repeating: 0, count: itemCount)
        masked = unmasked
    }

    /// Counts the lists of one case.
    mutating func add(_ unmasked: [ItemID], _ masked: [ItemID]) {
        for item in unmasked { self.unmasked[item.row] += 1 }
        for item in masked { self.masked[item.row] += 1 }
    }
}
