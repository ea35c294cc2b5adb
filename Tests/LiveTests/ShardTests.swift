import Dispatch
import Events
import Foundation
import Identifiers
import Synchronization
import Testing

@testable import Live

/// What may happen while states are rebuilt, released and dropped.
@Suite struct ShardTests {
    private func events(_ user: RawID, _ count: Int) -> [NewEvent] {
        (0..<count).map { NewEvent(user: user, item: RawID("i\($0 * 7 % 60)"), time: second($0)) }
    }

    /// New users come and are dropped: what is counted is what is there, and no more than allowed.
    @Test func theMemoryOfStatesIsCounted() async throws {
        let models = try TestModels(["a"])
        let options = LiveOptions.test(memory: 200_000)
        let service = try LiveService(models: models.url, log: MemoryEventLog(), options: options)
        for number in 0..<1500 {
            let user = RawID("user \(number)")
            // One event, or one that no model knows before it, or enough to make the state grow.
            if number % 3 == 1 { _ = try await service.append([NewEvent(user: user, item: "nobody knows")]) }
            _ = try await service.append(events(user, number % 7 == 0 ? 40 : 1))
            if number % 5 == 0 { _ = try await service.recommend(to: user, RecommendationQuery()) }
        }
        await service.stop()
        for shard in service.shards {
            let table = shard.current
            #expect(table.byteCount == table.users.values.reduce(0) { $0 + $1.byteCount })
            #expect(table.byteCount <= options.stateMemory / options.threads && table.users.count > 10)
        }
    }

    /// Two versions of one model have states of one identity, and yet tables of their own.
    @Test func aCopyOfAModelIsReleased() async throws {
        let models = try TestModels(["a"])
        let copy = models.url.appendingPathComponent("copy")
        try FileManager.default.copyItem(at: models.url.appendingPathComponent("a"), to: copy)
        let (oracle, log) = (try Oracle(models, "a"), WatchedLog())
        let service = try LiveService(models: models.url, log: log, options: .test())
        let users = (0..<8).map { RawID("user \($0)") }
        for user in users { _ = try await service.append(events(user, 600)) }
        for version in ["a", "copy", "a", "copy"] {
            try await service.activate(version)
            for user in users {
                let answer = try await service.recommend(to: user, RecommendationQuery())
                #expect(answer.modelVersion == version && answer.eventCount == 600)
                #expect(Best.areClose(answer.best, try oracle.best(after: events(user, 600))))
            }
        }
        await service.stop()
    }

    /// The service ends in the middle of a release: both end, and the old version serves at the next start.
    @Test func aReleaseEndsWithTheService() async throws {
        let (models, log) = (try TestModels(["a", "b"]), WatchedLog())
        var service = try LiveService(models: models.url, log: log, options: .test())
        try await service.activate("a")
        for number in 0..<40 { _ = try await service.append(events("user \(number)", 300)) }
        let (isReading, running) = (DispatchSemaphore(value: 0), service)
        log.onSlice.withLock {
            $0 = { _ in
                isReading.signal()
                // The slice arrives when the shards have ended.
                while !running.shards.allSatisfy({ $0.queue.isDone }) { usleep(1000) }
            }
        }
        let release = Task { try await running.activate("b") }
        await withCheckedContinuation { done in
            Thread {
                isReading.wait()
                done.resume()
            }.start()
        }
        await service.stop()
        await #expect(throws: ServiceError.stopping) { try await release.value }
        log.onSlice.withLock { $0 = nil }
        service = try LiveService(models: models.url, log: log, options: .test())
        #expect(service.activeVersion == "a")
        await service.stop()
    }

    /// Late events come faster than a history is read: whoever asks is answered all the same, and nothing is missing in the end.
    @Test func lateEventsHoldUpNobody() async throws {
        let (models, log) = (try TestModels(["a"]), WatchedLog())
        let oracle = try Oracle(models, "a")
        var service = try LiveService(models: models.url, log: log, options: .test())
        var truth = try await service.append(events("u", 3000)).map(\.stored)
        await service.stop()
        // Without a checkpoint, so that all slices are read.
        _ = try log.commit([.keepCheckpoints(ofModels: [])], now: second(0))
        service = try LiveService(models: models.url, log: log, options: .test())
        let (running, late) = (service, LateEvents())
        log.onSlice.withLock {
            $0 = { number in
                guard number < 200 else { return }
                let done = DispatchSemaphore(value: 0)
                Task {
                    let event = NewEvent(user: "u", item: RawID("i\(number % 60)"), time: second(-number))
                    let stored = try await running.append([event])[0].stored
                    late.events.withLock { $0.append(stored) }
                    done.signal()
                }
                done.wait()
            }
        }
        let before = log.sliceCount
        let first = try await service.recommend(to: "u", RecommendationQuery())
        #expect(log.sliceCount - before < 20, "the history was read again for each late event")
        #expect(first.eventCount >= 3000)
        log.onSlice.withLock { $0 = nil }
        truth = (truth + late.events.withLock { $0 }).sorted { $0.order < $1.order }
        let last = try await service.recommend(to: "u", RecommendationQuery())
        #expect(last.eventCount == truth.count && truth.count > 3000)
        #expect(Best.areClose(last.best, try oracle.best(after: truth.map(\.event))))
        await service.stop()
    }

    /// Whoever asks for older items while something is deleted does not get them back.
    @Test func deletedItemsAreNotExcludedAnyMore() async throws {
        let (models, log) = (try TestModels(["a"]), MemoryEventLog())
        let service = try LiveService(models: models.url, log: log, options: .test())
        // The first event lies before the recent ones and is the only one of its item.
        let others = (1..<1200).map { NewEvent(user: "u", item: RawID("i\($0 % 5)"), time: second($0)) }
        _ = try await service.append([NewEvent(user: "u", item: "i50", time: second(0), id: "first")] + others)
        var query = RecommendationQuery()
        query.count = 60
        #expect(!(try await service.recommend(to: "u", query).items.contains { $0.item == "i50" }))
        for round in 0..<30 {
            try await withThrowingTaskGroup { group in
                for _ in 0..<4 { group.addTask { [query] in _ = try await service.recommend(to: "u", query) } }
                group.addTask { _ = try await service.deleteEvents(of: "u", [.item("i50", type: nil)], waits: false) }
                try await group.waitForAll()
            }
            let answer = try await service.recommend(to: "u", query)
            #expect(answer.items.contains { $0.item == "i50" }, "round \(round)")
            _ = try await service.append([NewEvent(user: "u", item: "i50", time: second(0))])
        }
        await service.stop()
    }
}

/// Events that were stored while a test read.
private final class LateEvents: Sendable {
    let events = Mutex<[StoredEvent]>([])
}

/// What the writer of the log promises.
@Suite struct LogWriterTests {
    @Test func manyEventsAreSeveralGroups() async throws {
        let (models, log) = (try TestModels(["a"]), WatchedLog())
        let service = try LiveService(models: models.url, log: log, options: .test())
        try await withThrowingTaskGroup { group in
            for number in 0..<40 {
                group.addTask {
                    let events = (0..<500).map { NewEvent(user: RawID("user \(number)"), item: "i1", time: second($0)) }
                    _ = try await service.append(events)
                }
            }
            try await group.waitForAll()
        }
        await service.stop()
        let groups = log.groups.withLock { $0 }
        #expect(groups.reduce(0, +) == 20_000 && groups.max()! <= 2000)
    }

    /// A purge that fails, for whatever reason, is tried again until it does not.
    @Test func aPurgeIsTriedUntilItIsDone() async throws {
        let (models, log) = (try TestModels(["a"]), WatchedLog())
        let service = try LiveService(models: models.url, log: log, options: .test())
        _ = try await service.append([NewEvent(user: "u", item: "i1")])
        log.purgeErrors.withLock { $0 = [.full("no room"), .unavailable("somebody reads"), .full("no room")] }
        try await service.deleteUser("u", waits: true)
        #expect(log.purgeErrors.withLock { $0.isEmpty })
        await service.stop()
    }
}
