import Dispatch
import Events
import Identifiers
import Synchronization
import Testing

@testable import Live

/// The thread of explanations.
@Suite struct ExplainerTests {
    /// One recommender explains for as long as a release answers, and does not keep it afterwards.
    @Test func aRecommenderLastsAsLongAsItsRelease() throws {
        let models = try TestModels(["a", "b"])
        let threads = ThreadGroup()
        let explainer = Explainer(MemoryEventLog(), in: threads)
        var first: Release? = try Oracle(models, "a").release
        weak let old = first
        let second = try Oracle(models, "b").release
        let found = Mutex<[ObjectIdentifier]>([])
        for release in [first!, first!, second] {
            explainer.run(release) { recommender in found.withLock { $0.append(ObjectIdentifier(recommender)) } }
        }
        first = nil
        let isDone = DispatchSemaphore(value: 0)
        explainer.run(second) { _ in isDone.signal() }
        isDone.wait()
        let recommenders = found.withLock(\.self)
        #expect(recommenders.count == 3 && recommenders[0] == recommenders[1])
        #expect(old == nil)
        explainer.close()
        threads.wait()
    }
}
