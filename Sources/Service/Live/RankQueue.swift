import CoreMetrics
import Events
import Identifiers
import Serving
import Tensors

/// A question whose state is ready.
struct RankJob: Sendable {
    var release: Release
    /// The vector after the last known event; empty where there is none.
    var hidden: [Float]
    /// The latest items, for a repeat-aware head.
    var recent: [ItemID]
    /// Rows that the user has met and that are left out.
    var met: [Int32]
    var query: RecommendationQuery
    var eventCount: Int
    var knownCount: Int
    var stepNanoseconds: UInt64
    var reply: Reply<Recommendations>
}

/// Ranks items for all that wait, on as many threads as there are cores: what waits is answered together, by one matrix product.
final class RankQueue: Sendable {
    private let queue = WorkQueue<RankJob>()
    private let annotations: Annotations
    private let threads: Int
    /// The most requests of one product.
    private static let batch = 64

    init(threads: Int, _ annotations: Annotations, in group: ThreadGroup) {
        (self.annotations, self.threads) = (annotations, threads)
        for number in 0..<threads { group.start("recblr-rank-\(number)") { [self] in run() } }
    }

    /// How long the first question has been waiting.
    var wait: Duration { queue.wait }
    func add(_ job: RankJob) { if !queue.add(job) { job.reply(.failure(.stopping)) } }
    func close() { queue.close() }

    private func run() {
        var ranker: (identity: String, ranker: Ranker)?
        while case let jobs = queue.take(Self.batch, dividedBy: threads), !jobs.isEmpty {
            var rest = jobs[...]
            while let release = rest.first?.release {  // during a release, questions of two versions may wait
                let own = rest.prefix { $0.release === release }
                rest = rest.dropFirst(own.count)
                if ranker?.identity != release.identity {
                    ranker = (release.identity, Ranker(release.catalogue, capacity: Self.batch))
                }
                answer(Array(own), release, ranker!.ranker)
            }
        }
    }

    private func answer(_ jobs: [RankJob], _ release: Release, _ ranker: Ranker) {
        let start = ContinuousClock.now
        let notes = annotations.view(for: release)
        let ranked = jobs.filter { !$0.hidden.isEmpty && $0.query.count > 0 }
        LiveMetrics.rankBatch.record(jobs.count)
        let result = Result<[[ScoredRow]], RecommendError> { () throws(RecommendError) in
            try ranker.best(ranked.map { $0.request(notes) })
        }
        let time = ContinuousClock.now - start
        LiveMetrics.rankTime.recordNanoseconds(time.nanoseconds)
        var lists: ArraySlice<[ScoredRow]>
        switch result {
        case .success(let all): lists = all[...]
        case .failure(let error):
            for job in jobs { job.reply(.failure(.model("\(error)"))) }
            return
        }
        for job in jobs {
            let isRanked = !job.hidden.isEmpty && job.query.count > 0
            let answer = isRanked ? job.answer(lists.removeFirst(), notes, time) : job.popular(notes, time)
            LiveMetrics.recommendations(release.version, answer.basis).increment()
            job.reply(.success(answer))
        }
    }
}

extension RankJob {
    fileprivate func request(_ notes: Annotations.View) -> Ranker.Request {
        Ranker.Request(hidden: hidden, recent: recent, candidates: candidates(notes), count: query.count)
    }

    private func candidates(_ notes: Annotations.View) -> Candidates {
        let left = met + notes.hidden + rows(query.excluded)
        guard let only = only(notes) else { return .allExcept(left) }
        return .only(only.subtracting(left).sorted())
    }

    private func rows(_ items: [RawID]) -> [Int32] { items.compactMap { release.item($0).map { Int32($0.row) } } }

    /// The rows that may be recommended; nil: all.
    private func only(_ notes: Annotations.View) -> Set<Int32>? {
        var only = query.only.map { Set(rows($0)) }
        if let categories = query.categories {
            let rows = categories.reduce(into: Set<Int32>()) { $0.formUnion(notes.categories[$1] ?? []) }
            only = only?.intersection(rows) ?? rows
        }
        return only
    }

    fileprivate func answer(_ list: [ScoredRow], _ notes: Annotations.View, _ time: Duration) -> Recommendations {
        answer(basis: .history, list.map { item(Int($0.row), $0.score, notes) }, time)
    }

    /// The most popular items, where the model knows none of the user's events.
    fileprivate func popular(_ notes: Annotations.View, _ time: Duration) -> Recommendations {
        guard hidden.isEmpty else { return answer(basis: .history, [], time) }
        guard let popularity = release.catalogue.popularity else { return answer(basis: .none, [], time) }
        let (left, only) = (Set(met + rows(query.excluded)).union(notes.hidden), only(notes))
        let best = popularity.best(query.count) { item in
            let row = Int32(item.row)
            return !left.contains(row) && only?.contains(row) ?? true
        }
        return answer(basis: .popularity, best.map { item($0.row, Float(popularity.counts[$0.row]), notes) }, time)
    }

    private func item(_ row: Int, _ score: Float, _ notes: Annotations.View) -> Recommendations.Item {
        let title = notes.titles[Int32(row)] ?? release.catalogue.items.title(at: row)
        return Recommendations.Item(item: release.id(ItemID(row: row)), title: title, score: score, explanation: nil)
    }

    private func answer(
        basis: Recommendations.Basis, _ items: [Recommendations.Item], _ time: Duration
    ) -> Recommendations {
        Recommendations(
            modelVersion: release.version, id: RecommendationName.make(release.version), basis: basis, items: items,
            eventCount: eventCount, knownCount: knownCount, stepNanoseconds: stepNanoseconds,
            rankNanoseconds: UInt64(clamping: time.nanoseconds))
    }
}

/// Names of recommendations: the model's version, a colon, and 64 random bits. So an event that cites one can be counted by version.
enum RecommendationName {
    static func make(_ version: String) -> RawID {
        let digits = String(UInt64.random(in: 0...UInt64.max), radix: 16)
        return RawID("\(version):\(String(repeating: "0", count: 16 - digits.count))\(digits)")
    }

    /// The version that a name cites; nil where it is no such name.
    static func version(of name: RawID) -> String? {
        guard let colon = name.text.lastIndex(of: ":") else { return nil }
        return String(name.text[..<colon])
    }
}
