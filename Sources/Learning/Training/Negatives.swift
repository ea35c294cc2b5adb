import Dispatch
import Evaluation
import Identifiers
import Interactions
import Models
import Synchronization
import Tensors

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Draws negatives for the sampled losses.
struct NegativeSampler: Sendable {
    /// Logarithm of the probability that an item is in a sample, by ``ItemID/row``.
    let logQ: [Float]
    /// Cumulative sums of these probabilities, by row.
    private let cumulative: [Double]
    /// Number of items in a sample.
    private let sample: Int

    /// A sampler of `sample` items, at most all of them. The probability of an item is proportional to the root of one more than its
    /// training events, and at most 1: between uniform, which tells a model little about popular items, and popularity, which
    /// tells it little about the others.
    init(_ dataset: Dataset, _ split: Split, sample: Int) {
        let weights = trainingCounts(dataset, split).map { Double($0 + 1).squareRoot() }
        self.sample = min(sample, weights.count)
        let inclusion = Self.inclusion(weights, sample: self.sample)
        logQ = inclusion.map { Float(log($0)) }
        cumulative = inclusion.reduce(into: []) { $0.append(($0.last ?? 0) + $1) }
    }

    /// min(1, c · weight), c such that they add up to `sample`.
    private static func inclusion(_ weights: [Double], sample: Int) -> [Double] {
        var factor = 0.0
        while true {  // a larger c makes more items certain, and those leave more for the others
            let certain = weights.count { factor * $0 >= 1 }
            let rest = weights.reduce(0) { $0 + (factor * $1 >= 1 ? 0 : $1) }
            let next = rest > 0 ? Double(sample - certain) / rest : factor
            if next <= factor { return weights.map { min(1, factor * $0) } }
            factor = next
        }
    }

    /// Draws the same samples on a device; nil where the host has to.
    func sampling(on backend: any Backend) -> (any RowSampling)? {
        backend.sampling(cumulative: cumulative, logQ: logQ, size: sample)
    }

    /// The samples with these first points, found on several threads: in a large catalogue each row costs some twenty reads from memory.
    func popular(firsts: [Double], threads: Int) -> [[Int32]] {
        let samples = Mutex([[Int32]](repeating: [], count: firsts.count))
        DispatchQueue.concurrentPerform(iterations: min(threads, firsts.count)) { thread in
            for index in stride(from: thread, to: firsts.count, by: threads) {
                let rows = popular(first: firsts[index])
                samples.withLock { $0[index] = rows }
            }
        }
        return samples.withLock(\.self)
    }

    /// Rows of distinct items, ascending.
    ///
    /// Systematic sampling (Madow 1949): points at distance 1, the first at random in [0, 1), on a line on which each item
    /// has an interval as long as its probability. Less variance than independent draws: popular items are never missing.
    func popular(first: Double) -> [Int32] {
        var rows: [Int32] = []
        rows.reserveCapacity(sample)
        var low = 0
        for number in 0..<sample {
            let point = first + Double(number)
            // Leaves one place for each of the points that follow.
            let places = low..<cumulative.count - (sample - number)
            low = cumulative[places].partitioningIndex { $0 > point }
            rows.append(Int32(low))
            low += 1
        }
        return rows
    }

    /// One row other than the target for each row, uniformly.
    func uniform(otherThan targets: [Int32], using generator: inout SeededGenerator) -> [Int32] {
        let items = Int32(cumulative.count)
        return targets.map { target in
            guard items > 1 else { return max(0, target) }
            let draw = Int32.random(in: 0..<items - 1, using: &generator)
            return draw >= target ? draw + 1 : draw
        }
    }
}
