import Identifiers
public import Interactions

/// The metrics of one ranker on a list of cases.
public struct EvaluationReport: Sendable, Codable, Equatable {
    /// Name of the ranker.
    public var name: String
    /// Metrics of all cases.
    public var all: SettingMetrics
    /// Number of cases whose target is already in the history.
    public var repeats: Int
    /// Metrics by the popularity of the target: head, middle, tail.
    public var slices: [Slice]
    /// Metrics by the time between the target and the event before it; nil without dates, and in files of 0.6.0 and before.
    public var gaps: [GapSlice]?
    /// NDCG@10 masked / unmasked: 1 where nothing is lost to items already seen. Nil where unmasked is 0, and in files of 0.6.0 and before.
    public var maskedToUnmasked: Double?
    /// What the model believes; nil for counting, and in files of 0.6.0 and before.
    public var probability: ProbabilityMetrics?
    /// How the ten best items spread over the catalogue; nil in files of 0.6.0 and before.
    public var lists: ListSettings?
    /// Ten parts of a stream's cases, in order of time; nil elsewhere.
    public var parts: [Part]?

    /// Cases that follow on each other.
    public struct Part: Sendable, Codable, Equatable {
        /// The time of its first event, nanoseconds since 1970.
        public var begins: Int64
        /// Metrics of its cases.
        public var metrics: SettingMetrics
    }

    /// The cases whose targets are about equally popular.
    public struct Slice: Sendable, Codable, Equatable {
        /// The popularity of the slice's items.
        public var popularity: Popularity
        /// Number of items in the slice.
        public var items: Int
        /// Metrics of its cases.
        public var metrics: SettingMetrics
    }

    /// The popularity of an item, by its position among items sorted by training events, most frequent first.
    public enum Popularity: String, Sendable, Codable, CaseIterable {
        /// The items that have the first half of all events.
        case head
        /// The next 30 % of events.
        case middle
        /// The last 20 %, and items without any event.
        case tail
    }

    /// Ranks the targets of `cases` and averages. `split` says which events count for popularity. Throws where there are no cases, and
    /// what the ranker throws.
    public init(_ ranker: some Ranker, _ cases: [EvaluationCase], _ dataset: Dataset, _ split: Split)
        throws(EvaluationError)
    {
        try self.init(ranker.name, try ranker.examine(cases, in: dataset), cases, dataset, split)
    }

    /// The averages of an examination, which must be of these cases. Throws where there are none.
    public init(
        _ name: String, _ examination: Examination, _ cases: [EvaluationCase], _ dataset: Dataset, _ split: Split
    ) throws(EvaluationError) {
        guard !cases.isEmpty else { throw .noCases }
        let popularity = trainingCounts(dataset, split)
        let slices = popularitySlices(popularity)
        let targets = cases.map { dataset.item(ofUser: $0.user, at: $0.position) }
        self.name = name
        all = SettingMetrics(examination.ranks)
        repeats = zip(cases, targets).count { evaluationCase, target in
            dataset.sequence(ofUser: evaluationCase.user, 0..<evaluationCase.position).contains(target)
        }
        self.slices = Popularity.allCases.map { popularity in
            let own = zip(examination.ranks, targets).filter { slices[$0.1.row] == popularity }.map(\.0)
            return Slice(
                popularity: popularity, items: slices.count { $0 == popularity },
                metrics: SettingMetrics(own))
        }
        gaps = Self.gapSlices(examination.ranks, cases, dataset)
        let unmasked = all.unmasked.at10.ndcg
        maskedToUnmasked = unmasked > 0 ? all.masked.at10.ndcg / unmasked : nil
        probability = examination.probabilities.flatMap(ProbabilityMetrics.init)
        lists = examination.lists.map { ListSettings($0, popularity: popularity) }
        if split.isStream { parts = Part.ten(examination.ranks, cases, dataset) }
    }
}

extension EvaluationReport.Part {
    /// At most ten parts, of equally many cases as far as that is possible.
    fileprivate static func ten(_ ranks: [CaseRanks], _ cases: [EvaluationCase], _ dataset: Dataset) -> [Self] {
        let order = casesInOrderOfTime(cases, dataset)
        return (0..<10).compactMap { part in
            let own = order[order.count * part / 10..<order.count * (part + 1) / 10]
            guard let first = own.first.map({ cases[$0] }) else { return nil }
            return Self(
                begins: dataset.timestamp(ofUser: first.user, at: first.position) ?? 0,
                metrics: SettingMetrics(own.map { ranks[$0] }))
        }
    }
}

extension EvaluationReport {
    /// Whether all metrics lie between 0 and 1 and no count is negative: a check of values from files.
    public var isValid: Bool {
        all.isValid && (0...all.unmasked.cases).contains(repeats)
            && slices.allSatisfy { $0.items >= 0 && $0.metrics.isValid }
            && (parts ?? []).allSatisfy(\.metrics.isValid)
            && (gaps ?? []).allSatisfy(\.metrics.isValid)
            && (maskedToUnmasked ?? 1).isFinite && probability?.isValid ?? true
            && [lists?.unmasked, lists?.masked].allSatisfy { $0?.isValid ?? true }
    }
}

/// The slice of each item, by ``ItemID/row``.
func popularitySlices(_ counts: [Int]) -> [EvaluationReport.Popularity] {
    let total = Double(counts.reduce(0, +))
    var slices = [EvaluationReport.Popularity](repeating: .tail, count: counts.count)
    var covered = 0.0
    for item in counts.indices.sorted(by: { (counts[$1], $0) < (counts[$0], $1) }) {
        if counts[item] > 0 { slices[item] = covered < 0.5 * total ? .head : (covered < 0.8 * total ? .middle : .tail) }
        covered += Double(counts[item])
    }
    return slices
}
