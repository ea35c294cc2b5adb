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
        var current: (release: Release, ranker: Ranker)?
        while case let jobs = queue.take(Self.batch, dividedBy: threads), !jobs.isEmpty {
            var rest = jobs[...]
            while let release = rest.first?.release {  // during a release, questions of two versions may wait
                let own = rest.prefix { $0.release === release }
                rest = rest.dropFirst(own.count)
                if current?.release !== release {
                    current = (release, Ranker(release.catalogue, capacity: Self.batch))
                }
                answer(own, release, current!.ranker)
            }
        }
    }

    private func answer(_ jobs: ArraySlice<RankJob>, _ release: Release, _ ranker: Ranker) {
        let start = ContinuousClock.now
        let filters = annotations.filters(for: release)
        LiveMetrics.rankBatch.record(jobs.count)
        let ranked = jobs.filter(\.isRanked)
        var lists = ranker.best(ranked.map { $0.request(filters) })[...]
        let time = ContinuousClock.now - start
        LiveMetrics.rankTime.recordNanoseconds(time.nanoseconds)
        for job in jobs {
            let result = job.isRanked ? lists.removeFirst() : .success(job.popular(filters))
            switch result {
            case .success(let rows):
                let answer = job.answer(rows, annotations, time)
                release.answers.count(answer.basis)
                job.reply(.success(answer))
            case .failure(let error): job.reply(.failure(.model("\(error)")))
            }
        }
    }
}

extension RankJob {
    /// Whether the model answers: it knows some of the events.
    fileprivate var isRanked: Bool { !hidden.isEmpty && query.count > 0 }

    fileprivate func request(_ filters: ItemFilters) -> Ranker.Request {
        let candidates = Candidates.within(allowed(filters), except: met + rows(query.excluded))
        return Ranker.Request(hidden: hidden, recent: recent, candidates: candidates, count: query.count)
    }

    private func rows(_ items: [RawID]) -> [Int32] { items.compactMap { release.item($0).map { Int32($0.row) } } }

    /// The rows that may be recommended, but for what this user has met or does not want.
    private func allowed(_ filters: ItemFilters) -> RowSet {
        var allowed = query.categories.map { filters.rows(ofAny: $0) } ?? filters.visible
        if let only = query.only { allowed.formIntersection(RowSet(rowCount: allowed.rowCount, rows(only))) }
        return allowed
    }

    /// The most popular rows, where the model knows none of the user's events.
    fileprivate func popular(_ filters: ItemFilters) -> [ScoredRow] {
        guard hidden.isEmpty, let popularity = release.catalogue.popularity else { return [] }
        var allowed = allowed(filters)
        for row in met + rows(query.excluded) { allowed.remove(row) }
        return popularity.best(query.count) { allowed.contains(Int32($0.row)) }.map { item in
            ScoredRow(row: Int32(item.row), score: Float(popularity.counts[item.row]))
        }
    }

    fileprivate func answer(_ rows: [ScoredRow], _ annotations: Annotations, _ time: Duration) -> Recommendations {
        let catalogue = release.catalogue
        let ids = rows.map { release.id(ItemID(row: Int($0.row))) }
        let titles = annotations.titles(of: ids)
        let items = rows.indices.map { i in
            Recommendations.Item(
                item: ids[i], title: titles[i] ?? catalogue.items.title(at: Int(rows[i].row)), score: rows[i].score,
                explanation: nil)
        }
        let basis = !hidden.isEmpty ? .history : catalogue.popularity != nil ? .popularity : Recommendations.Basis.none
        return Recommendations(
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
