import Events
import Foundation
import Identifiers
import Models
import Testing

@testable import Live

/// Releasing a model beside the one that answers.
@Suite struct ReleaseTests {
    private func history(_ user: RawID, _ count: Int, items: Int = 60) -> [NewEvent] {
        (0..<count).map { NewEvent(user: user, item: RawID("i\($0 * 7 % items)"), time: second($0)) }
    }

    @Test func theNewestIsServedAndTheLastIsRemembered() async throws {
        let models = try TestModels(["b", "a"])
        let log = MemoryEventLog()
        var service = try LiveService(models: models.url, log: log, options: .test())
        #expect(service.activeVersion == "a")
        #expect(try await service.activate("b").status == .active)
        await service.stop()
        service = try LiveService(models: models.url, log: log, options: .test())
        #expect(service.activeVersion == "b")
        try await service.activate()
        #expect(service.activeVersion == "a")
        #expect(try await service.versions().map(\.status) == [.previous, .active])
        await service.stop()
    }

    @Test func whatServedLastServesAgainWithoutAnyRelease() async throws {
        let models = try TestModels(["a"])
        let log = MemoryEventLog()
        let service = try LiveService(models: models.url, log: log, options: .test())
        await service.stop()
        try models.write("b", seed: 2)
        let next = try LiveService(models: models.url, log: log, options: .test())
        #expect(next.activeVersion == "a")
        #expect(try await next.versions().map(\.name) == ["a", "b"], "the other is there, and newer")
        await next.stop()
    }

    @Test(arguments: [1 << 24, 0]) func answersAreThoseOfTheNewModel(memory: Int) async throws {
        let models = try TestModels(["a", "b"])
        let service = try LiveService(models: models.url, log: MemoryEventLog(), options: .test(memory: memory))
        try await service.activate("a")
        let users = (0..<10).map { RawID("user \($0)") }
        // An item that only the second model knows counts once it is released.
        for (index, user) in users.enumerated() {
            _ = try await service.append(history(user, index * 100 + 1, items: 70))
        }
        for version in ["a", "b", "a"] {
            try await service.activate(version)
            let oracle = try Oracle(models, version)
            for (index, user) in users.enumerated() {
                let answer = try await service.recommend(to: user, RecommendationQuery())
                #expect(answer.modelVersion == version)
                #expect(Best.areClose(answer.best, try oracle.best(after: history(user, index * 100 + 1, items: 70))))
            }
        }
        await service.stop()
    }

    /// While versions come and go, every answer is one version's answer to the history at that moment. Without memory, all wait for a rebuild.
    @Test(arguments: [1 << 24, 0]) func noAnswerIsAMixture(memory: Int) async throws {
        let models = try TestModels(["a", "b"])
        let oracles = try ["a": Oracle(models, "a"), "b": Oracle(models, "b")]
        let service = try LiveService(models: models.url, log: MemoryEventLog(), options: .test(memory: memory))
        try await withThrowingTaskGroup { group in
            group.addTask {
                for number in 0..<12 { try await service.activate(number % 2 == 0 ? "a" : "b") }
            }
            for client in 0..<6 {
                group.addTask {
                    let user = RawID("client \(client)")
                    var events: [NewEvent] = []
                    for number in 0..<80 {
                        let event = NewEvent(user: user, item: RawID("i\((number * 11 + client) % 70)"))
                        let answer = try await service.append(
                            [event], of: user, thenRecommend: RecommendationQuery())
                        events.append(answer.receipts[0].stored.event)
                        let recommendations = try answer.recommendations.get()
                        let oracle = oracles[recommendations.modelVersion]!
                        #expect(Best.areClose(recommendations.best, try oracle.best(after: events)))
                        let batch = try await service.recommend(
                            to: (0..<6).map { "client \($0)" }, RecommendationQuery())
                        #expect(Set(try batch.map { try $0.get().modelVersion }).count == 1)
                    }
                }
            }
            try await group.waitForAll()
        }
        await service.stop()
    }

    @Test func aDamagedModelIsRefusedAndTheOldOneGoesOn() async throws {
        let models = try TestModels(["a", "b"])
        let service = try LiveService(models: models.url, log: MemoryEventLog(), options: .test())
        try await service.activate("a")
        let weights = models.url.appendingPathComponent("b/model.safetensors")
        var bytes = try Data(contentsOf: weights)
        bytes[bytes.count / 2] ^= 1
        try bytes.write(to: weights)
        await #expect {
            try await service.activate("b")
        } throws: {
            if case ServiceError.release("b", _) = $0 { true } else { false }
        }
        #expect(service.activeVersion == "a")
        let failure = try await service.versions().first { $0.name == "b" }?.failure
        #expect(failure?.contains(models.url.path) == false)
        await #expect(throws: ServiceError.self) { try await service.activate("c") }
        #expect(try await service.recommend(to: "u", RecommendationQuery()).modelVersion == "a")
        try FileManager.default.removeItem(at: models.url)
        await #expect {
            try await service.versions()
        } throws: {
            ($0 as? ServiceError)?.publicDescription.contains(models.url.path) == false
        }
        #expect(try await service.recommend(to: "u", RecommendationQuery()).modelVersion == "a")
        await service.stop()
    }
}

/// States that the service does not keep.
@Suite struct SessionTests {
    @Test func aSessionIsAnsweredLikeAUser() async throws {
        let models = try TestModels(["a", "b"])
        let service = try LiveService(models: models.url, log: MemoryEventLog(), options: .test())
        try await service.activate("a")
        let oracle = try Oracle(models, "a")
        let events = (0..<1500).map { NewEvent(user: "u", item: RawID("i\($0 * 7 % 63)"), time: second($0)) }
        var session = SessionState.empty
        var done = 0
        for piece in [0, 1, 1, 5, 300, 1193] {
            let added = events[done..<done + piece].map { SessionState.Event(item: $0.item, time: $0.time!) }
            done += piece
            let answer = try await service.recommend(session: session, adding: added, RecommendationQuery())
            session = answer.session
            #expect(!answer.isTruncated && session.eventCount == done && session.events.count == min(done, 1024))
            #expect(answer.recommendations.eventCount == done)
            let expected = try oracle.best(after: Array(events[..<done]))
            if done > 0 { #expect(Best.areClose(answer.recommendations.best, expected)) }
        }
        // Under another model the state is that of the events which the session still has.
        try await service.activate("b")
        let answer = try await service.recommend(session: session, adding: [], RecommendationQuery())
        let expected = try Oracle(models, "b").best(after: events.suffix(1024))
        #expect(answer.isTruncated && Best.areClose(answer.recommendations.best, expected))
        await service.stop()
    }
}

/// What is kept of a state in the log.
@Suite struct CheckpointTests {
    @Test func contentComesBack() throws {
        let models = try TestModels(["a"])
        let model = try Oracle(models, "a").release.model
        let shape = model.configuration
        for count in [0, 1, 1023, 1024, 1500] {
            let user = UserState("u", model.initialState(), revision: 3)
            if count > 0 { user.put(user.state, hidden: (0..<16).map { Float($0) }[...]) }
            for number in 0..<count {
                user.note(
                    EventOrder(time: second(number), position: Int64(number)),
                    item: number % 3 == 0 ? nil : ItemID(row: number % 60))
            }
            let content = CheckpointContent(of: user)
            let last = user.last ?? EventOrder(time: second(0), position: 0)
            let checkpoint = content.checkpoint(after: last, eventCount: user.eventCount, revision: user.revision)
            #expect(CheckpointContent(checkpoint, for: shape) == content)
            for index in stride(from: 0, to: checkpoint.state.count, by: 97) {
                var damaged = checkpoint
                damaged.state[index] ^= 4
                #expect(CheckpointContent(damaged, for: shape) == nil)
                damaged.state = Array(checkpoint.state.prefix(index))
                #expect(CheckpointContent(damaged, for: shape) == nil)
            }
            var moved = [StateCheckpoint](repeating: checkpoint, count: 4)
            moved[0].last.time.microseconds += 1
            moved[1].last.position -= 1
            moved[2].eventCount += 1
            moved[3].revision += 1
            #expect(moved.allSatisfy { CheckpointContent($0, for: shape) == nil }, "its place is part of it")
        }
    }

    /// A checkpoint shortens the rebuild and does not change it; a damaged one is passed over.
    @Test(arguments: [false, true]) func aRebuildBeginsAtACheckpoint(isDamaged: Bool) async throws {
        let models = try TestModels(["a"])
        let (oracle, log) = (try Oracle(models, "a"), MemoryEventLog())
        var service = try LiveService(models: models.url, log: log, options: .test())
        let events = (0..<700).map { NewEvent(user: "u", item: RawID("i\($0 * 7 % 63)"), time: second($0)) }
        for event in events[..<500] { _ = try await service.append([event]) }
        await service.stop()
        let identity = oracle.release.identity
        let history = try #require(log.history(of: "u", model: identity, limit: 1000))
        #expect(history.checkpoint?.eventCount == 500)
        if isDamaged {
            var damaged = history.checkpoint!
            damaged.state[100] ^= 1
            _ = try log.commit([.checkpoint(user: "u", model: identity, damaged)], now: second(0))
        }
        service = try LiveService(models: models.url, log: log, options: .test())
        for event in events[500...] { _ = try await service.append([event]) }
        let answer = try await service.recommend(to: "u", RecommendationQuery())
        #expect(Best.areClose(answer.best, try oracle.best(after: events)))
        #expect(answer.eventCount == 700)
        await service.stop()
    }
}

/// Which events speak for an item.
@Suite struct ExplanationTests {
    @Test func termsAddUpToTheScore() async throws {
        let models = try TestModels(["a"])
        let service = try LiveService(models: models.url, log: MemoryEventLog(), options: .test())
        let events = (0..<40).map { NewEvent(user: "u", item: RawID("i\($0 * 7 % 63)"), time: second($0)) }
        var query = RecommendationQuery()
        (query.explains, query.excludeSeen, query.count) = (true, .never, 50)
        let answers = [
            try await service.append(events, of: "u", thenRecommend: query).recommendations.get(),
            try await service.recommend(
                session: .empty, adding: events.map { SessionState.Event(item: $0.item, time: $0.time!) }, query
            ).recommendations,
        ]
        for answer in answers {
            #expect(answer.items.count == 50)
            for item in answer.items {
                let explanation = try #require(item.explanation)
                #expect(explanation.terms.count == answer.knownCount)
                #expect(explanation.terms.count { $0.scoreWithout != nil } == 3)
                let sum = explanation.terms.reduce(0) { $0 + $1.contribution } + explanation.earlier
                #expect(abs(sum + explanation.constant + explanation.repeats - Double(item.score)) < 1e-3)
            }
        }
        await service.stop()
    }
}
