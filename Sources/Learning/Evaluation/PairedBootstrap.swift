import Dispatch
import Synchronization
import Tensors

/// The paired bootstrap (Efron & Tibshirani 1993): users are drawn with replacement, each with all of its cases and with what both models
/// made of them, so that cases of one user, which resemble one another, do not count as independent.
struct PairedBootstrap {
    /// For each user the sums, over its cases, of HR@10, NDCG@10 and MRR@10 of B less those of A, unmasked and then masked; then the number
    /// of cases, and 0.
    private let sums: [SIMD8<Double>]

    /// O(cases).
    init(_ pairs: [PairedCase]) {
        var users: [Int: Int] = [:]
        var sums: [SIMD8<Double>] = []
        for pair in pairs {
            let index = users[pair.user] ?? sums.count
            if index == sums.count {
                users[pair.user] = index
                sums.append(.zero)
            }
            sums[index] += Self.differences(pair)
        }
        self.sums = sums
    }

    var userCount: Int { sums.count }

    /// B − A over all cases: HR, NDCG and MRR, unmasked and then masked.
    var differences: SIMD8<Double> { Self.mean(sums.reduce(.zero, +)) }

    /// The differences over as many users, drawn with replacement, as there are, `count` times. Each draw has random numbers of its own, so
    /// that results do not depend on the number of threads. O(count · users).
    func resampled(_ count: Int, seed: UInt64) -> [SIMD8<Double>] {
        let results = Mutex([SIMD8<Double>](repeating: .zero, count: count))
        let piece = 50
        DispatchQueue.concurrentPerform(iterations: (count + piece - 1) / piece) { number in
            let range = number * piece..<min((number + 1) * piece, count)
            let own = range.map { resample(seed: seed, number: $0) }
            results.withLock { $0.replaceSubrange(range, with: own) }
        }
        return results.withLock(\.self)
    }

    private func resample(seed: UInt64, number: Int) -> SIMD8<Double> {
        var generator = SeededGenerator(seed: seed, stream: UInt64(number))
        var total = SIMD8<Double>.zero
        sums.withUnsafeBufferPointer { sums in
            let count = UInt64(sums.count)
            for _ in 0..<sums.count { total += sums[Int(generator.next().multipliedFullWidth(by: count).high)] }
        }
        return Self.mean(total)
    }

    private static func mean(_ total: SIMD8<Double>) -> SIMD8<Double> { total / total[6] }

    private static func differences(_ pair: PairedCase) -> SIMD8<Double> {
        func metrics(_ rank: Int) -> CutoffMetrics { CutoffMetrics(ranks: [rank], cutoff: 10) }
        let a = [metrics(pair.a.unmasked), metrics(pair.a.masked)]
        let b = [metrics(pair.b.unmasked), metrics(pair.b.masked)]
        let values = zip(a, b).flatMap { [$1.hr - $0.hr, $1.ndcg - $0.ndcg, $1.mrr - $0.mrr] }
        return SIMD8(values + [1, 0])
    }
}
