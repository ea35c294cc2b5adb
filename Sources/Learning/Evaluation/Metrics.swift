#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// HR, NDCG and MRR at one cutoff k, averages over cases with one relevant item each.
///
/// With the target at rank r (1 is best), a case counts only where r ≤ k:
/// HR@k is the fraction of such cases, NDCG@k averages 1 / log₂(r + 1), MRR@k averages 1 / r.
///
/// Example: ranks 1, 3 and 12 at k = 10 give HR = 2/3, NDCG = (1 + 1/2) / 3 = 0.5, MRR = (1 + 1/3) / 3 = 4/9.
public struct CutoffMetrics: Sendable, Codable, Equatable {
    /// k: the lowest rank that counts.
    public var cutoff: Int
    /// Hit rate (recall, as there is one relevant item).
    public var hr: Double
    /// Normalised discounted cumulative gain (Järvelin & Kekäläinen 2002).
    public var ndcg: Double
    /// Mean reciprocal rank.
    public var mrr: Double

    /// The metrics of 1-based ranks; all zero for none. O(count).
    public init(ranks: [Int], cutoff: Int) {
        self.cutoff = cutoff
        var (hits, gain, reciprocal) = (0, 0.0, 0.0)
        for rank in ranks where rank <= cutoff {
            hits += 1
            gain += 1 / log2(Double(rank) + 1)
            reciprocal += 1 / Double(rank)
        }
        let count = Double(max(1, ranks.count))
        hr = Double(hits) / count
        ndcg = gain / count
        mrr = reciprocal / count
    }
}

/// The metrics of one group of cases in one setting, at 10 and 20.
public struct RankMetrics: Sendable, Codable, Equatable {
    /// Number of cases.
    public var cases: Int
    /// HR@10, NDCG@10 and MRR@10.
    public var at10: CutoffMetrics
    /// HR@20, NDCG@20 and MRR@20.
    public var at20: CutoffMetrics

    /// The metrics of 1-based ranks.
    public init(ranks: [Int]) {
        cases = ranks.count
        at10 = CutoffMetrics(ranks: ranks, cutoff: 10)
        at20 = CutoffMetrics(ranks: ranks, cutoff: 20)
    }
}

/// Metrics in the two common settings, which must not be mixed (docs/design.md, "Evaluation protocol").
public struct SettingMetrics: Sendable, Codable, Equatable {
    /// Items already seen stay among the candidates (RecBole, the paper's Table 1).
    public var unmasked: RankMetrics
    /// Items of the history are no candidates, except the target itself where it is a repeat.
    public var masked: RankMetrics

    /// The metrics of a list of cases.
    public init(_ ranks: [CaseRanks]) {
        unmasked = RankMetrics(ranks: ranks.map(\.unmasked))
        masked = RankMetrics(ranks: ranks.map(\.masked))
    }
}

/// 1-based ranks of one case's target; equal scores count against it.
public struct CaseRanks: Sendable, Equatable {
    /// The rank among all items.
    public var unmasked: Int
    /// The rank among the target and the items that are not in the history.
    public var masked: Int

    /// Ranks from 1.
    public init(unmasked: Int, masked: Int) {
        self.unmasked = unmasked
        self.masked = masked
    }

    /// Beyond every cutoff: the target is no candidate.
    public static let miss = CaseRanks(unmasked: .max, masked: .max)
}

extension SettingMetrics {
    /// Whether all metrics lie between 0 and 1 and both settings have equally many cases: a check of values from files.
    public var isValid: Bool {
        let groups = [unmasked, masked]
        guard groups.allSatisfy({ (0...Int(Int32.max)).contains($0.cases) }),
            unmasked.cases == masked.cases
        else {
            return false
        }
        return groups.flatMap { [$0.at10, $0.at20] }.allSatisfy { cutoff in
            cutoff.cutoff > 0
                && [cutoff.hr, cutoff.ndcg, cutoff.mrr].allSatisfy { (0...1.000_001).contains($0) }
        }
    }
}
