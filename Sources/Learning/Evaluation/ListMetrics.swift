#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// How lists of the ten best items spread over a catalogue of V items. x_i is how often item i is in a list.
///
/// Example: of four items with 2, 1, 0 and 0 training events, two users both get the first and the second (in lists of two). x = 2, 2, 0, 0:
/// coverage 2/4; the items' smoothed shares are 3/7 and 2/7, so novelty is (1.22 + 1.81) / 2 = 1.51 bits; Gini is 0.5.
public struct ListMetrics: Sendable, Codable, Equatable {
    /// Share of the catalogue that is in at least one list.
    public var coverage: Double
    /// Mean of −log₂ p_i over the items of all lists, in bits: how rare they are. p_i = (training events of i + 1) / (all training events + V).
    public var novelty: Double
    /// Gini coefficient of x, Σ_i (2i − V − 1) x_i / (V Σ x) over ascending x, i = 1 … V: 0 where every item is recommended equally
    /// often, 1 − 1/V where it is always the same.
    public var gini: Double

    /// The metrics of counts x, which may leave items without any out; all 0 without a list. `popularity` are the training events of the first
    /// of them; others have none. O(V log V).
    init(_ counts: [Int], itemCount: Int, popularity: [Int]) {
        let total = Double(counts.reduce(0, +))
        let recommended = counts.filter { $0 > 0 }.sorted()
        guard total > 0 else {
            (coverage, novelty, gini) = (0, 0, 0)
            return
        }
        let events = Double(popularity.reduce(0, +) + itemCount)
        let bits = counts.enumerated().reduce(0.0) { sum, each in
            guard each.element > 0 else { return sum }
            let own = each.offset < popularity.count ? popularity[each.offset] : 0
            return sum - Double(each.element) * log2(Double(own + 1) / events)
        }
        coverage = Double(recommended.count) / Double(itemCount)
        novelty = bits / total
        let first = itemCount - recommended.count
        let weighted = recommended.enumerated().reduce(0.0) { sum, each in
            sum + Double(2 * (first + each.offset + 1) - itemCount - 1) * Double(each.element)
        }
        gini = weighted / (Double(itemCount) * total)
    }

    var isValid: Bool {
        [coverage, gini].allSatisfy { (0...1.000_001).contains($0) } && (0..<64).contains(novelty)
    }
}

/// The spread of lists in both settings (docs/design.md, "Evaluation protocol").
public struct ListSettings: Sendable, Codable, Equatable {
    /// Of lists that may hold items already seen.
    public var unmasked: ListMetrics
    /// Of lists without them.
    public var masked: ListMetrics

    init(_ lists: ListCounts, popularity: [Int]) {
        unmasked = ListMetrics(lists.unmasked, itemCount: lists.itemCount, popularity: popularity)
        masked = ListMetrics(lists.masked, itemCount: lists.itemCount, popularity: popularity)
    }
}

/// A model's softmax over the whole catalogue.
public struct ProbabilityMetrics: Sendable, Codable, Equatable {
    /// Number of cases whose target the model knows, which have a cross-entropy.
    public var cases: Int
    /// Mean of −log p(target) over them, in nats.
    public var crossEntropy: Double
    /// Mean probability of the history's distinct items together, over all cases in which the model knows one of them.
    public var seenShare: Double

    /// Means in the order of the cases; nil where nothing has a probability.
    init?(_ cases: [CaseProbability]) {
        let (losses, seen) = (cases.compactMap(\.crossEntropy), cases.compactMap(\.seen))
        guard !losses.isEmpty, !seen.isEmpty else { return nil }
        self.cases = losses.count
        crossEntropy = losses.reduce(0, +) / Double(losses.count)
        seenShare = seen.reduce(0, +) / Double(seen.count)
    }

    var isValid: Bool { cases > 0 && crossEntropy.isFinite && (0...1.000_1).contains(seenShare) }
}
