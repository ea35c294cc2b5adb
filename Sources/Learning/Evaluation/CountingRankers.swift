import Identifiers
public import Interactions

/// The number of training events of each item, by ``ItemID/row``.
public func trainingCounts(_ dataset: Dataset, _ split: Split) -> [Int] {
    var counts = [Int](repeating: 0, count: dataset.itemCount)
    for user in 0..<dataset.userCount {
        for item in dataset.sequence(ofUser: user, 0..<split.trainingEnd[user]) { counts[item.row] += 1 }
    }
    return counts
}

/// Scores an item by its number of training events, for every user alike.
public struct PopularityRanker: Ranker {
    public let name = "Popularity"
    private let counts: [Int]
    private let higherOrEqual: [Int]

    /// Counts the training events.
    public init(_ dataset: Dataset, _ split: Split) {
        counts = trainingCounts(dataset, split)
        higherOrEqual = itemsAtLeast(counts)
    }

    /// O(length of histories).
    public func rank(_ cases: [EvaluationCase], in dataset: Dataset) throws(EvaluationError) -> [CaseRanks] {
        cases.map { evaluationCase in
            let target = dataset.item(ofUser: evaluationCase.user, at: evaluationCase.position)
            let history = dataset.sequence(ofUser: evaluationCase.user, 0..<evaluationCase.position)
            let count = counts[target.row]
            let unmasked = higherOrEqual[count]
            let seen = seenItems(history).count { $0 != target && counts[$0.row] >= count }
            return CaseRanks(unmasked: unmasked, masked: unmasked - seen)
        }
    }
}

/// Scores an item by how often it followed the history's last item in training; equal counts by popularity.
public struct TransitionRanker: Ranker {
    public let name = "Last-item transitions"
    private let counts: [Int]
    private let higherOrEqual: [Int]
    private let followers: [ItemID: [ItemID: Int]]

    /// Counts the pairs of consecutive training events.
    public init(_ dataset: Dataset, _ split: Split) {
        counts = trainingCounts(dataset, split)
        higherOrEqual = itemsAtLeast(counts)
        var followers: [ItemID: [ItemID: Int]] = [:]
        for user in 0..<dataset.userCount {
            let items = dataset.sequence(ofUser: user, 0..<split.trainingEnd[user])
            for (item, next) in zip(items, items.dropFirst()) { followers[item, default: [:]][next, default: 0] += 1 }
        }
        self.followers = followers
    }

    /// O(length of histories + followers of their last items).
    public func rank(_ cases: [EvaluationCase], in dataset: Dataset) throws(EvaluationError) -> [CaseRanks] {
        cases.map { evaluationCase in
            let target = dataset.item(ofUser: evaluationCase.user, at: evaluationCase.position)
            let history = dataset.sequence(ofUser: evaluationCase.user, 0..<evaluationCase.position)
            let followers = history.last.flatMap { self.followers[$0] } ?? [:]
            let own = (followers[target] ?? 0, counts[target.row])
            func beats(_ item: ItemID) -> Bool { (followers[item] ?? 0, counts[item.row]) >= own }
            // Followers are compared one by one; the others, whose transition count is 0, only where the target's is too.
            var unmasked = 1 + followers.keys.count { $0 != target && beats($0) }
            if own.0 == 0 {
                let popular = higherOrEqual[own.1] - 1
                unmasked += popular - followers.keys.count { $0 != target && counts[$0.row] >= own.1 }
            }
            return CaseRanks(
                unmasked: unmasked, masked: unmasked - seenItems(history).count { $0 != target && beats($0) })
        }
    }
}

/// For each count the number of items with at least as many events.
private func itemsAtLeast(_ counts: [Int]) -> [Int] {
    var result = [Int](repeating: 0, count: (counts.max() ?? 0) + 2)
    for count in counts { result[count] += 1 }
    for count in result.indices.dropLast().reversed() { result[count] += result[count + 1] }
    return result
}
