import Dispatch
import Synchronization
import Tensors

/// The paired bootstrap (Efron & Tibshirani 1993): users are drawn with replacement, each with all of its cases and with what both models
/// made of them, so that cases of one user, which resemble one another, do not count as independent.
struct PairedBootstrap {
    /// HR@10, NDCG@10 and MRR@10, unmasked and then masked; then the number of cases, and 0.
    typealias Metrics = SIMD8<Double>

    /// For each user the sums over its cases.
    private let sums: [Sums]

    private struct Sums {
        var a = Metrics.zero
        var b = Metrics.zero

        static func += (sums: inout Sums, other: Sums) {
            sums.a += other.a
            sums.b += other.b
        }

        var means: (a: Metrics, b: Metrics) { (a / a[6], b / b[6]) }
    }

    /// O(cases).
    init(_ pairs: [PairedCase]) {
        var users: [Int: Int] = [:]
        var sums: [Sums] = []
        for pair in pairs {
            let index = users[pair.user] ?? sums.count
            if index == sums.count {
                users[pair.user] = index
                sums.append(Sums())
            }
            sums[index] += Sums(a: Self.metrics(pair.a), b: Self.metrics(pair.b))
        }
        self.sums = sums
    }

    var userCount: Int { sums.count }

    /// Of both models over all cases.
    var means: (a: Metrics, b: Metrics) { sums.reduce(into: Sums(), +=).means }

    /// The means over as many users, drawn with replacement, as there are, `count` times. Each draw has random numbers of its own, so
    /// that results do not depend on the number of threads. O(count · users).
    func resampled(_ count: Int, seed: UInt64) -> [(a: Metrics, b: Metrics)] {
        let results = Mutex([(a: Metrics, b: Metrics)](repeating: (.zero, .zero), count: count))
        let piece = 50
        DispatchQueue.concurrentPerform(iterations: (count + piece - 1) / piece) { number in
            let range = number * piece..<min((number + 1) * piece, count)
            let own = range.map { resample(seed: seed, number: $0) }
            results.withLock { $0.replaceSubrange(range, with: own) }
        }
        return results.withLock(\.self)
    }

    private func resample(seed: UInt64, number: Int) -> (a: Metrics, b: Metrics) {
        var generator = SeededGenerator(seed: seed, stream: UInt64(number))
        var total = Sums()
        sums.withUnsafeBufferPointer { sums in
            let count = UInt64(sums.count)
            for _ in 0..<sums.count { total += sums[Int(generator.next().multipliedFullWidth(by: count).high)] }
        }
        return total.means
    }

    private static func metrics(_ ranks: CaseRanks) -> Metrics {
        let values = [ranks.unmasked, ranks.masked].flatMap { rank in
            let metrics = CutoffMetrics(ranks: [rank], cutoff: 10)
            return [metrics.hr, metrics.ndcg, metrics.mrr]
        }
        return Metrics(values + [1, 0])
    }
}
