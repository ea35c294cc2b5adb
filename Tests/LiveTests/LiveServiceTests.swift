import Events
import Foundation
import Identifiers
import Synchronization
import Tensors
import Testing

@testable import Live

/// What the service answers, against the whole history through the model.
@Suite struct LiveServiceTests {
    /// Random events of some users, late ones, unknown items and deletions among them: the answers are those of a replay at every moment, with
    /// room for all states and with room for none.
    @Test(arguments: [1 << 24, 0], [1, 2, 3] as [UInt64])
    func answersAreThoseOfAReplay(memory: Int, seed: UInt64) async throws {
        let models = try TestModels(["a"])
        let (oracle, log) = (try Oracle(models, "a"), MemoryEventLog())
        var service = try LiveService(models: models.url, log: log, options: .test(memory: memory))
        var generator = SeededGenerator(seed: seed)
        func random(_ count: Int) -> Int { Int(generator.next() % UInt64(count)) }
        var truth: [RawID: [StoredEvent]] = [:]
        for step in 0..<150 {
            let user = RawID("user \(random(4))")
            switch random(12) {
            case 0 where truth[user] != nil:
                try await service.deleteUser(user, waits: false)
                truth[user] = nil
            case 1 where truth[user]?.isEmpty == false:
                let victim = truth[user]![random(truth[user]!.count)]
                _ = try await service.deleteEvents(of: user, [.position(victim.order.position)], waits: random(2) == 0)
                truth[user]!.removeAll { $0.order == victim.order }
            case 2:  // a restart
                await service.stop()
                service = try LiveService(models: models.url, log: log, options: .test(memory: memory))
            case 3..<7:
                let events = (0..<(1 + random(random(8) == 0 ? 700 : 4))).map { _ in
                    NewEvent(
                        user: user, item: RawID("i\(random(63))"),
                        time: second(random(5) == 0 ? random(step + 1) : step))
                }
                let receipts = try await service.append(events)
                truth[user, default: []] += receipts.map(\.stored)
            default:
                let event = NewEvent(user: user, item: RawID("i\(random(63))"), time: second(step))
                let (receipts, answer) = try await service.append(
                    [event], of: user, thenRecommend: RecommendationQuery())
                truth[user, default: []] += receipts.map(\.stored)
                try check(try answer.get(), truth[user]!, oracle, step)
            }
            let asked = RawID("user \(random(4))")
            let answer = try await service.recommend(to: asked, RecommendationQuery())
            try check(answer, truth[asked] ?? [], oracle, step)
        }
        await service.stop()
    }

    private func check(_ answer: Recommendations, _ events: [StoredEvent], _ oracle: Oracle, _ step: Int) throws {
        let ordered = events.sorted { $0.order < $1.order }.map(\.event)
        let expected = try oracle.best(after: ordered)
        #expect(
            Best.areClose(answer.best, expected),
            "step \(step): \(answer.best.prefix(3)), expected \(expected.prefix(3))")
        #expect(answer.eventCount == events.count)
        #expect(answer.knownCount == ordered.count { oracle.release.item(of: $0) != nil })
    }

    /// Many clients at once: nobody's answer shows another user's events, and the last answer of each is that of the whole history.
    @Test(arguments: [1 << 24, 30_000]) func usersDoNotSeeEachOther(memory: Int) async throws {
        let models = try TestModels(["a"])
        let (oracle, log) = (try Oracle(models, "a"), MemoryEventLog())
        let service = try LiveService(models: models.url, log: log, options: .test(memory: memory))
        try await withThrowingTaskGroup { group in
            for client in 0..<16 {
                group.addTask {
                    let user = RawID("client \(client)")
                    var generator = SeededGenerator(seed: UInt64(client))
                    var events: [NewEvent] = []
                    for _ in 0..<60 {
                        let item = RawID("i\(generator.next() % UInt64(TestModels.itemCount))")
                        let answer = try await service.append(
                            [NewEvent(user: user, item: item)], of: user, thenRecommend: RecommendationQuery())
                        events.append(answer.receipts[0].stored.event)
                        let expected = try oracle.best(after: events)
                        let recommendations = try answer.recommendations.get()
                        #expect(Best.areClose(recommendations.best, expected))
                        #expect(recommendations.eventCount == events.count)
                    }
                }
            }
            try await group.waitForAll()
        }
        await service.stop()
    }

    /// Events of one user from many clients are all there, and each reply has seen its own event.
    @Test func eventsOfOneUserAreSerialised() async throws {
        let models = try TestModels(["a"])
        let log = MemoryEventLog()
        let service = try LiveService(models: models.url, log: log, options: .test())
        let counts = try await withThrowingTaskGroup { group in
            for number in 0..<64 {
                group.addTask {
                    try await service.append(
                        [NewEvent(user: "u", item: RawID("i\(number % 50)"))], of: "u",
                        thenRecommend: RecommendationQuery()
                    ).recommendations.get().eventCount
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(counts.sorted() == Array(1...64))
        await service.stop()
    }

    @Test func aRetryIsRecognised() async throws {
        let models = try TestModels(["a"])
        let service = try LiveService(models: models.url, log: MemoryEventLog(), options: .test())
        let event = NewEvent(user: "u", item: "i3", time: second(1), id: "e1")
        let query = RecommendationQuery()
        let first = try await service.append([event], of: "u", thenRecommend: query)
        let second = try await service.append([event], of: "u", thenRecommend: query)
        #expect(!first.receipts[0].isDuplicate && second.receipts[0].isDuplicate)
        #expect(second.receipts[0].stored == first.receipts[0].stored)
        #expect(try second.recommendations.get().best == first.recommendations.get().best)
        #expect(try second.recommendations.get().eventCount == 1)
        var other = event
        other.item = "i4"
        await #expect(throws: ServiceError.self) { try await service.append([other]) }
        await service.stop()
    }

    /// Where an append is refused, what it would have replaced is there as before, and the state has seen it.
    @Test func aRefusedReplacementChangesNothing() async throws {
        let models = try TestModels(["a"])
        let service = try LiveService(models: models.url, log: MemoryEventLog(), options: .test())
        let events = (1...3).map { NewEvent(user: "u", item: RawID("i\($0)"), time: second($0)) }
        let before = try await service.append(events, of: "u", thenRecommend: RecommendationQuery()).recommendations
            .get()
        let replaced: [RawID: [EventSelector]] = ["u": [.item("i1", type: nil)]]
        let ahead = NewEvent(user: "u", item: "i1", time: currentTime().adding(seconds: 3600))
        await #expect(throws: ServiceError.self) { try await service.append([ahead], replacing: replaced) }
        #expect(try await service.recommend(to: "u", RecommendationQuery()).best == before.best)
        #expect(try await service.events(of: "u", after: nil, limit: 9).map(\.event.item) == ["i1", "i2", "i3"])
        let receipts = try await service.append(
            [NewEvent(user: "u", item: "i1", time: second(4))], replacing: replaced)
        #expect(receipts.count == 1)
        #expect(try await service.events(of: "u", after: nil, limit: 9).map(\.event.item) == ["i2", "i3", "i1"])
        await service.stop()
    }

    @Test(arguments: [(0, 1), (1, 1), (1000, 1), (1001, 2), (59_999, 60)])
    func retriesComeAfterAsLongAWait(_ milliseconds: Int, _ seconds: Int) {
        #expect(ServiceError.overloaded(after: .milliseconds(milliseconds)) == .overloaded(retryAfterSeconds: seconds))
    }

    /// Where a request has waited for more than a second, others are sent away for longer.
    @Test func overloadSaysHowLongItHasLasted() async throws {
        let models = try TestModels(["a"])
        let service = try LiveService(models: models.url, log: MemoryEventLog(), options: .test(wait: 50))
        let gate = Gate()
        let held = Task {
            try await service.annotate([AnnotationChange("i1") { gate.pass($0) }])
        }
        while !gate.hasBegun.load(ordering: .acquiring) { try await Task.sleep(for: .milliseconds(1)) }
        let waiting = Task { try await service.append([NewEvent(user: "u", item: "i1")]) }
        while service.writer.wait < .milliseconds(1001) { try await Task.sleep(for: .milliseconds(10)) }
        await #expect {
            try await service.append([NewEvent(user: "v", item: "i1")])
        } throws: {
            if case .overloaded(let seconds) = $0 as? ServiceError { seconds >= 2 } else { false }
        }
        gate.isOpen.store(true, ordering: .releasing)
        try await held.value
        await #expect(throws: ServiceError.overloaded(retryAfterSeconds: 1)) { try await waiting.value }
        await service.stop()
    }

    @Test func usersWithoutEventsGetPopularItems() async throws {
        let models = try TestModels(["a"])
        let service = try LiveService(models: models.url, log: MemoryEventLog(), options: .test())
        var query = RecommendationQuery()
        (query.count, query.excluded) = (3, ["i1"])
        let answer = try await service.recommend(to: "nobody", query)
        #expect(answer.basis == .popularity)
        #expect(answer.items.map(\.item) == ["i0", "i2", "i3"])
        // An event that the model does not know changes nothing but the count.
        let unknown = try await service.append(
            [NewEvent(user: "somebody", item: "no such item")], of: "somebody", thenRecommend: query)
        #expect(unknown.receipts[0].isKnown == false)
        let popular = try unknown.recommendations.get()
        #expect(popular.basis == .popularity && popular.eventCount == 1)
        await service.stop()
    }

    @Test func onlyTheChosenTypesMoveTheState() async throws {
        let models = try TestModels(["a"])
        let oracle = try Oracle(models, "a")
        let service = try LiveService(models: models.url, log: MemoryEventLog(), options: .test(types: ["buy"]))
        let events = ["buy", "view", "buy", "view"].enumerated().map { index, type in
            NewEvent(user: "u", item: RawID("i\(index)"), type: type, time: second(index))
        }
        let answer = try await service.append(events, of: "u", thenRecommend: RecommendationQuery())
        let expected = try oracle.best(after: [events[0], events[2]])
        #expect(Best.areClose(try answer.recommendations.get().best, expected))
        #expect(answer.receipts.map(\.isKnown) == [true, false, true, false])
        await service.stop()
    }

    /// Items that were only viewed are not left out, also those that lie before the recent ones.
    @Test func onlyTheChosenTypesCountAsSeen() async throws {
        let models = try TestModels(["a"])
        let service = try LiveService(models: models.url, log: MemoryEventLog(), options: .test(types: ["buy"]))
        let events = (0..<1300).map { index in
            let (item, type) = index == 0 ? (50, "view") : index == 1 ? (51, "buy") : (index % 5, "buy")
            return NewEvent(user: "u", item: RawID("i\(item)"), type: type, time: second(index))
        }
        _ = try await service.append(events)
        var query = RecommendationQuery()
        query.count = 60
        let items = try await service.recommend(to: "u", query).items.map(\.item)
        #expect(items.contains("i50") && !items.contains("i51") && !items.contains("i0"))
        await service.stop()
    }
}

/// Holds up the thread that changes the log.
private final class Gate: Sendable {
    let hasBegun = Atomic(false)
    let isOpen = Atomic(false)

    func pass(_ annotation: ItemAnnotation?) -> ItemAnnotation? {
        hasBegun.store(true, ordering: .releasing)
        while !isOpen.load(ordering: .acquiring) { usleep(1000) }
        return annotation
    }
}
