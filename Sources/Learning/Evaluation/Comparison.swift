import Identifiers
public import Interactions

/// Two models, A and B, on the same cases: by how much B is better, and whether that could be chance.
public struct Comparison: Sendable, Codable, Equatable {
    /// Number of resamples of the bootstrap.
    public var resamples: Int
    /// The seed of the bootstrap.
    public var seed: UInt64
    /// All cases.
    public var all: Group
    /// The cases by the popularity of the target: head, middle, tail.
    public var slices: [Slice]
    /// The cases by the time between the target and the event before it, shortest first; nil where the data has no dates.
    public var gaps: [GapSlice]?

    /// Some cases.
    public struct Group: Sendable, Codable, Equatable {
        /// Number of cases, and of the users that they belong to.
        public var cases, users: Int
        /// Where items already seen stay candidates.
        public var unmasked: Setting
        /// Where they do not.
        public var masked: Setting
    }

    /// The cases in one setting, at 10.
    public struct Setting: Sendable, Codable, Equatable {
        /// The differences of the metrics.
        public var hr, ndcg, mrr: Difference
        /// Cases in which B, or A, ranks the target better among its ten best, and those where both do it equally well or do not have it.
        public var winsOfB, winsOfA, ties: Int
    }

    /// The cases whose targets are about equally popular.
    public struct Slice: Sendable, Codable, Equatable {
        /// The popularity of the slice's items.
        public var popularity: EvaluationReport.Popularity
        /// Its cases; nil where there are none.
        public var group: Group?
    }

    /// The cases whose targets came about equally long after the event before them.
    public struct GapSlice: Sendable, Codable, Equatable {
        /// How long.
        public var gap: EvaluationReport.Gap
        /// Its cases; nil where there are none.
        public var group: Group?
    }

    /// Compares the ranks of the same cases. `split` says which events count for popularity. Throws where there are no cases.
    public init(
        _ a: [CaseRanks], _ b: [CaseRanks], _ cases: [EvaluationCase], _ dataset: Dataset, _ split: Split,
        resamples: Int = 2000, seed: UInt64 = 1
    ) throws(EvaluationError) {
        precondition(a.count == cases.count && b.count == cases.count, "ranks of the same cases")
        guard !cases.isEmpty else { throw .noCases }
        let pairs = cases.indices.map { PairedCase(user: cases[$0].user, a: a[$0], b: b[$0]) }
        let slices = popularitySlices(trainingCounts(dataset, split))
        let own = cases.map { slices[dataset.item(ofUser: $0.user, at: $0.position).row] }
        (self.resamples, self.seed) = (resamples, seed)
        all = Group(pairs, resamples, seed)
        func group<Class: Equatable>(_ wanted: Class, of classes: [Class]) -> Group? {
            let some = zip(pairs, classes).filter { $0.1 == wanted }.map(\.0)
            return some.isEmpty ? nil : Group(some, resamples, seed)
        }
        self.slices = EvaluationReport.Popularity.allCases.map { Slice(popularity: $0, group: group($0, of: own)) }
        gaps = EvaluationReport.gaps(cases, dataset).map { gaps in
            EvaluationReport.Gap.allCases.map { GapSlice(gap: $0, group: group($0, of: gaps)) }
        }
    }
}

/// The difference of a metric, B − A, and how many times as large B is, with their 95 % intervals.
public struct Difference: Sendable, Codable, Equatable {
    /// B − A over all cases.
    public var difference: Double
    /// The percentiles 2.5 and 97.5 of the resampled differences; nil with fewer than ``fewestUsers``.
    public var low, high: Double?
    /// Whether 0 lies outside of the interval; nil without one.
    public var excludesZero: Bool?
    /// B ÷ A over all cases; nil where A is 0.
    public var ratio: Double?
    /// The percentiles 2.5 and 97.5 of the resampled ratios; nil with fewer than ``fewestUsers``, and where A is 0 in a resample.
    public var ratioLow, ratioHigh: Double?

    /// A bootstrap of few users is too narrow, and that of one has no width at all. With n users its interval of a mean ends some
    /// 1.96 · √((n − 1) / n) standard errors on either side, where Student's t asks for t(n − 1): it is 37 % too narrow with 5 users, 18 % with
    /// 10, 9 % with 20. From there on it is given.
    public static let fewestUsers = 20

    /// The metrics of both over all cases, and over those of each resample; none where there are too few users.
    init(_ means: (a: Double, b: Double), resampled: [(a: Double, b: Double)]) {
        difference = means.b - means.a
        ratio = means.a > 0 ? means.b / means.a : nil
        guard !resampled.isEmpty else { return }
        let (low, high) = interval(resampled.map { $0.b - $0.a })
        (self.low, self.high, excludesZero) = (low, high, low > 0 || high < 0)
        if resampled.allSatisfy({ $0.a > 0 }) { (ratioLow, ratioHigh) = interval(resampled.map { $0.b / $0.a }) }
    }
}

/// The percentiles 2.5 and 97.5.
private func interval(_ values: [Double]) -> (low: Double, high: Double) {
    let sorted = values.sorted()
    return (percentile(sorted, 0.025), percentile(sorted, 0.975))
}

/// Between the two values whose places are nearest (the definition of R's type 7).
private func percentile(_ sorted: [Double], _ share: Double) -> Double {
    let place = share * Double(sorted.count - 1)
    let (below, part) = (Int(place), place - place.rounded(.down))
    return sorted[below] + (below + 1 < sorted.count ? part * (sorted[below + 1] - sorted[below]) : 0)
}

/// The ranks of both models in one case.
struct PairedCase {
    let user: Int
    let a, b: CaseRanks
}

extension Comparison.Group {
    fileprivate init(_ pairs: [PairedCase], _ resamples: Int, _ seed: UInt64) {
        let bootstrap = PairedBootstrap(pairs)
        let means = bootstrap.means
        let isEnough = bootstrap.userCount >= Difference.fewestUsers
        let samples = isEnough ? bootstrap.resampled(resamples, seed: seed) : []
        func difference(_ lane: Int) -> Difference {
            Difference((means.a[lane], means.b[lane]), resampled: samples.map { ($0.a[lane], $0.b[lane]) })
        }
        func setting(_ first: Int, _ rank: (CaseRanks) -> Int) -> Comparison.Setting {
            let wins = pairs.map { (a: min(rank($0.a), 11), b: min(rank($0.b), 11)) }
            return Comparison.Setting(
                hr: difference(first), ndcg: difference(first + 1), mrr: difference(first + 2),
                winsOfB: wins.count { $0.b < $0.a }, winsOfA: wins.count { $0.a < $0.b },
                ties: wins.count { $0.a == $0.b })
        }
        cases = pairs.count
        users = bootstrap.userCount
        unmasked = setting(0, \.unmasked)
        masked = setting(3, \.masked)
    }
}
