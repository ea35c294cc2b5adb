import Events
import Identifiers
import Synchronization
import Testing

@testable import Live

/// What is stored is acknowledged, whatever becomes of the recommendations.
@Suite struct AppendTests {
    /// Somebody else's event of the user comes between the check of the request's time and the commit.
    @Test func aTimeThatWasRightBeforeTheCommitIsNoRefusal() async throws {
        let models = try TestModels(["a"])
        let log = WatchedLog()
        log.othersEvents.withLock { $0 = [NewEvent(user: "u", item: "i1", time: second(20))] }
        let service = try LiveService(models: models.url, log: log, options: .test())
        var query = RecommendationQuery()
        query.at = second(10)
        let event = NewEvent(user: "u", item: "i2", time: second(5))
        let answer = try await service.append([event], of: "u", thenRecommend: query)
        #expect(answer.receipts.count == 1)
        #expect(try answer.recommendations.get().eventCount == 2)
        await service.stop()
    }

    @Test func receiptsComeAlsoWhereTheRecommendationsFail() async throws {
        let models = try TestModels(["a"])
        let log = WatchedLog()
        _ = try log.commit([.append([NewEvent(user: "u", item: "i1", time: second(1))])], now: second(2))
        let service = try LiveService(models: models.url, log: log, options: .test())
        log.historyError.withLock { $0 = .unavailable("a cable") }
        let answer = try await service.append(
            [NewEvent(user: "u", item: "i2", time: second(2))], of: "u", thenRecommend: RecommendationQuery())
        #expect(answer.receipts.map(\.stored.event.item) == ["i2"])
        #expect(throws: ServiceError.log(.unavailable("a cable"))) { try answer.recommendations.get() }
        log.historyError.withLock { $0 = nil }
        #expect(try await service.recommend(to: "u", RecommendationQuery()).eventCount == 2)
        await service.stop()
    }
}
