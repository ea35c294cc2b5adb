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
        self.slices = EvaluationReport.Popularity.allCases.map { popularity in
            let some = zip(pairs, own).filter { $0.1 == popularity }.map(\.0)
            return Slice(popularity: popularity, group: some.isEmpty ? nil : Group(some, resamples, seed))
        }
    }
}

/// The difference of a metric, B − A, with its 95 % interval.
public struct Difference: Sendable, Codable, Equatable {
    /// B − A over all cases.
    public var difference: Double
    /// The percentiles 2.5 and 97.5 of the resampled differences; nil with fewer than ``fewestUsers``.
    public var low, high: Double?
    /// Whether 0 lies outside of the interval; nil without one.
    public var excludesZero: Bool?

    /// A bootstrap of few users is too narrow, and that of one has no width at all. With n users its interval of a mean ends some
    /// 1.96 · √((n − 1) / n) standard errors on either side, where Student's t asks for t(n − 1): it is 37 % too narrow with 5 users, 18 % with
    /// 10, 9 % with 20. From there on it is given.
    public static let fewestUsers = 20

    /// `resampled` are the differences of each resample; none where there are too few users.
    init(_ difference: Double, resampled: [Double]) {
        self.difference = difference
        guard !resampled.isEmpty else { return }
        let sorted = resampled.sorted()
        let (low, high) = (percentile(sorted, 0.025), percentile(sorted, 0.975))
        (self.low, self.high, excludesZero) = (low, high, low > 0 || high < 0)
    }
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
        let means = bootstrap.differences
        let isEnough = bootstrap.userCount >= Difference.fewestUsers
        let samples = isEnough ? bootstrap.resampled(resamples, seed: seed) : []
        func difference(_ lane: Int) -> Difference { Difference(means[lane], resampled: samples.map { $0[lane] }) }
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
