import Dispatch
import Events
import Identifiers
import Models
import Synchronization
import Testing

@testable import Live

/// Questions that are answered together do not know each other.
@Suite struct RankQueueTests {
    private typealias Signal = DispatchSemaphore

    @Test func anAnswerThatIsNotFiniteFailsAlone() throws {
        let models = try TestModels(["a"])
        let (release, threads) = (try Oracle(models, "a").release, ThreadGroup())
        let annotations = try Annotations(MemoryEventLog(), for: release)
        let queue = RankQueue(threads: 1, annotations, in: threads)
        let (isBusy, isHeld, isAnswered) = (Signal(value: 0), Signal(value: 0), Signal(value: 0))
        // While the first answer holds up the thread, the others gather: they are one batch.
        queue.add(
            job(release, [1]) { _ in
                isBusy.signal()
                isHeld.wait()
            })
        isBusy.wait()
        let vectors: [[Float]] = [[1], [.nan], [-2], [3e38], [.infinity], [3]]
        let failed = Mutex([Bool?](repeating: nil, count: vectors.count))
        for (number, vector) in vectors.enumerated() {
            queue.add(
                job(release, vector) { result in
                    failed.withLock { $0[number] = (try? result.get().items.count) != 60 }
                    isAnswered.signal()
                })
        }
        isHeld.signal()
        for _ in vectors { isAnswered.wait() }
        #expect(failed.withLock(\.self) == [false, true, false, true, true, false])
        queue.close()
        threads.wait()
    }

    /// A question of a user whose vector begins with these numbers.
    private func job(
        _ release: Release, _ vector: [Float], _ reply: @escaping Reply<Recommendations>
    ) -> RankJob {
        var query = RecommendationQuery()
        query.count = 100
        let rest = [Float](repeating: 0, count: release.model.configuration.hiddenSize - vector.count)
        return RankJob(
            release: release, hidden: vector + rest, recent: [1], met: [], query: query, eventCount: 1, knownCount: 1,
            stepNanoseconds: 0, reply: reply)
    }
}
