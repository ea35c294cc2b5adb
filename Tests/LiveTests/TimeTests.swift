import CPUBackend
import Events
import Foundation
import Identifiers
import Layers
import ModelStore
import Models
import Serving
import Tensors
import Testing

@testable import Live

/// A service whose model knows when events happened and when it is asked.
@Suite struct TimeTests {
    private let user: RawID = "u"
    private let hour = 3600

    /// One version, "timed", whose weights for time are not zero.
    private func models() throws -> TestModels {
        let models = try TestModels([])
        var shape = ModelConfiguration(itemCount: TestModels.itemCount)
        (shape.hiddenSize, shape.usesTime, shape.repeatAware) = (16, true, true)
        let model = try SequenceModel(initializing: shape, seed: 3, on: CPUBackend())
        var generator = SeededGenerator(seed: 8)
        let values = model.backend.download(model.weights.flat).map { abs($0 + 0.3 * Float(generator.normal())) }
        model.backend.upload(values, to: model.weights.flat)
        try FileManager.default.createDirectory(at: models.url, withIntermediateDirectories: true)
        try ModelFolder.write(
            model, items: TestModels.vocabulary(shape.itemCount), to: models.url.appendingPathComponent("timed"))
        return models
    }

    private func events(_ count: Int) -> [NewEvent] {
        var generator = SeededGenerator(seed: 5)
        var time = 0
        return (0..<count).map { _ in
            time += Int(generator.next() % 100_000)
            return NewEvent(user: user, item: RawID("i\(generator.next() % 64)"), time: second(time))
        }
    }

    /// At whatever time it is asked, in any order and with any room for states: what the whole history gives at that time. A question changes no state.
    @Test(arguments: [1 << 24, 0])
    func answersAreThoseOfTheWholeHistoryAtThatTime(memory: Int) async throws {
        let models = try models()
        let release = try Oracle(models, "timed").release
        let service = try LiveService(models: models.url, log: MemoryEventLog(), options: .test(memory: memory))
        var known: [(item: ItemID, time: Int64)] = []
        var last = second(0)
        for event in events(40) {
            _ = try await service.append([event])
            last = event.time!
            if let item = release.item(of: event) { known.append((item, last.microseconds * 1000)) }
            guard !known.isEmpty else { continue }
            for wait in [500, 0, 40] {
                var query = RecommendationQuery()
                query.at = last.adding(seconds: Int64(wait * hour))
                let answer = try await service.recommend(to: user, query)
                let right = try Recommender(release.catalogue).recommend(
                    after: known.map(\.item), times: known.map(\.time), askedAt: query.at!.microseconds * 1000, k: 10)
                #expect(
                    Best.areClose(answer.best, right.map { Best(item: RawID($0.id), score: $0.score) }),
                    "\(wait) hours after event \(known.count)")
            }
        }
        var query = RecommendationQuery()
        query.at = last.adding(seconds: Int64(500 * hour))
        query.explains = true
        for item in try await service.recommend(to: user, query).items {
            let explanation = try #require(item.explanation)
            let sum =
                explanation.terms.reduce(explanation.earlier + explanation.constant + explanation.repeats) {
                    $0 + $1.contribution
                }
            #expect(abs(sum - Double(item.score)) < 1e-3, "explained at the time of the question")
        }
        await service.stop()
    }

    /// A session's state knows its time, too.
    @Test func sessionsGoOn() async throws {
        let models = try models()
        let service = try LiveService(models: models.url, log: MemoryEventLog(), options: .test())
        let all = events(20).map { SessionState.Event(item: $0.item, time: $0.time!) }
        var query = RecommendationQuery()
        query.at = all.last!.time.adding(seconds: 1_000_000)
        let whole = try await service.recommend(session: .empty, adding: all, query)
        let begun = try await service.recommend(session: .empty, adding: Array(all[..<9]), query)
        let resumed = try await service.recommend(session: begun.session, adding: Array(all[9...]), query)
        #expect(Best.areClose(resumed.recommendations.best, whole.recommendations.best))
        #expect(resumed.session.state == whole.session.state)
        await service.stop()
    }
}
