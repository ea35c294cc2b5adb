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
    public let name = PopularityCounts.name
    private let counts: PopularityCounts

    /// Counts the training events.
    public init(_ dataset: Dataset, _ split: Split) {
        counts = PopularityCounts([], counts: trainingCounts(dataset, split))
    }

    /// O(length of histories).
    public func examine(_ cases: [EvaluationCase], in dataset: Dataset) throws(EvaluationError) -> Examination {
        Examination(counts, cases, dataset)
    }
}

/// Scores an item by how often it followed the history's last item in training; equal counts by popularity.
public struct TransitionRanker: Ranker {
    public let name = TransitionCounts.name
    private let counts: TransitionCounts

    /// Counts the pairs of consecutive training events.
    public init(_ dataset: Dataset, _ split: Split) {
        let training = (0..<dataset.userCount).lazy.map { dataset.sequence(ofUser: $0, 0..<split.trainingEnd[$0]) }
        counts = TransitionCounts(training, counts: trainingCounts(dataset, split))
    }

    /// O(length of histories + followers of their last items).
    public func examine(_ cases: [EvaluationCase], in dataset: Dataset) throws(EvaluationError) -> Examination {
        Examination(counts, cases, dataset)
    }
}

extension Examination {
    /// What counts that do not change answer.
    fileprivate init(_ counts: some ItemCounts, _ cases: [EvaluationCase], _ dataset: Dataset) {
        var lists = ListCounts(itemCount: dataset.itemCount)
        ranks = cases.map { each in
            let history = dataset.sequence(ofUser: each.user, 0..<each.position)
            return counts.answer(dataset.item(ofUser: each.user, at: each.position), after: history, to: &lists)
        }
        self.lists = lists
    }
}
