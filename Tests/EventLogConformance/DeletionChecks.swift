import Events
import Identifiers
import Testing

var deletionChecks: [ConformanceCheck] {
    [
        ConformanceCheck("A deleted user is as if never there: events, event ids, profile, checkpoints") { store in
            try store.append(event("a", at: 1, id: "1"), event("only", at: 2), event("a", of: "v", at: 3))
            try store.commit(.changeProfiles([ProfileChange("u", profile: "{}")]))
            let history = try #require(try store.log.history(of: "u", model: "m", limit: 9))
            try store.commit(.checkpoint(user: "u", model: "m", history.checkpointAtEnd))
            #expect(try store.commit(.deleteUser("u")) == .success(.deleted(2)))
            for _ in 0..<2 {
                #expect(try store.log.user("u") == nil && store.log.all().isEmpty)
                #expect(try store.log.history(of: "u", model: "m", limit: 9) == nil)
                #expect(try store.log.users(after: nil, limit: 9).map(\.user) == ["v"])
                #expect(try store.log.items("v") == ["a"] && store.log.eventCount() == 1)
                #expect(try store.commit(.deleteUser("u")).refusal == .notFound)
                try store.log.purgeDeleted()
                try store.reopen()
            }
            let again = try store.append(event("b", at: 1, id: "1"))[0]
            #expect(!again.isDuplicate && again.isFirst)
            let fresh = try #require(try store.log.history(of: "u", model: "m", limit: 9))
            #expect(fresh.checkpoint == nil && fresh.events == [again.stored])
            #expect(try store.log.user("u")?.profile == nil)
        },
        ConformanceCheck("Deleted events are as if never there") { store in
            let stored = try store.append(
                event("a", at: 10, id: "1"), event("b", at: 20), event("a", at: 30, type: "buy"), event("c", at: 40),
                event("a", at: 50)
            ).map(\.stored)
            try store.append(event("a", of: "v", at: 10, id: "1"))
            #expect(try store.commit(.deleteEvents(user: "u", [.id("1")])) == .success(.deleted(1)))
            #expect(try store.log.items() == ["b", "a", "c", "a"])
            #expect(try store.log.event(of: "u", .id("1")) == nil)
            #expect(try store.log.user("u")?.first == stored[1].order)
            #expect(try store.commit(.deleteEvents(user: "u", [.item("a", type: "buy")])) == .success(.deleted(1)))
            #expect(
                try store.commit(
                    .deleteEvents(user: "u", [.position(stored[4].order.position), .item("a", type: nil)]))
                    == .success(.deleted(1)))
            #expect(try store.log.user("u")?.last == stored[3].order)
            try store.reopen()
            #expect(try store.log.items() == ["b", "c"])
            #expect(try store.log.eventCount() == 3 && store.log.user("u")?.eventCount == 2)
            #expect(try store.log.items("v") == ["a"])
            #expect(try !store.append(event("z", at: 60, id: "1"))[0].isDuplicate)
        },
        ConformanceCheck("Where nothing is meant, the deletion is refused") { store in
            try store.append(event("a", at: 10, id: "1"))
            let elsewhere = try store.append(event("b", of: "v", at: 10, id: "2"))[0].stored.order
            for selectors: [EventSelector] in [
                [.id("2")], [.position(elsewhere.position)], [.item("b", type: nil)], [.item("a", type: "buy")], [],
            ] {
                #expect(try store.commit(.deleteEvents(user: "u", selectors)).refusal == .notFound)
                #expect(try store.commit(.deleteEvents(user: "nobody", selectors)).refusal == .notFound)
            }
            #expect(try store.commit(.deleteEvents(user: "u", [.id("2"), .id("1")])) == .success(.deleted(1)))
            #expect(try store.log.eventCount() == 1)
        },
        ConformanceCheck("What an append replaces goes with it, and stays where the append is refused") { store in
            try store.append(event("a", at: 10, id: "1"), event("b", at: 20, id: "2"), event("c", of: "v", at: 30))
            let history = try #require(try store.log.history(of: "u", model: "m", limit: 9))
            try store.commit(.checkpoint(user: "u", model: "m", history.checkpointAtEnd))
            let replaced: [RawID: [EventSelector]] = ["u": [.id("1")], "v": [.item("c", type: nil)]]
            let before = try store.contents()
            for refused in [event("z", at: 5000), event("z", at: 20, id: "2")] {
                let change = LogChange.append([event("y", at: 5, id: "1"), refused], replacing: replaced)
                let results = try store.log.commit([change, .append([event(of: "w")])], now: .seconds(1000))
                #expect(results[0].refusal != nil && results[1].appended?.count == 1)
                try store.commit(.deleteUser("w"))
                #expect(try store.contents() == before)
                try store.reopen()
                #expect(try store.contents() == before)
            }
            let change = LogChange.append([event("a", at: 10, id: "1", type: "buy")], replacing: replaced)
            let new = try #require(try store.commit(change).appended)[0]
            #expect(!new.isDuplicate && new.isLate && !new.isFirst)
            for _ in 0..<2 {
                #expect(try store.log.items() == ["a", "b"] && store.log.event(of: "u", .id("1")) == new.stored)
                #expect(try store.log.user("v") == nil && store.log.eventCount() == 2)
                let history = try #require(try store.log.history(of: "u", model: "m", limit: 9))
                #expect(history.checkpoint == nil && history.revision == new.revision)
                try store.reopen()
            }
            let again = try #require(try store.commit(change).appended)[0]
            #expect(!again.isDuplicate && again.stored.order.position > new.stored.order.position)
            let other = LogChange.append([event("d", of: "v", at: 1)], replacing: ["nobody": [.id("1")], "v": []])
            #expect(try store.commit(other).appended?.first?.isFirst == true, "nothing to replace is no refusal")
        },
        ConformanceCheck("A user is known as long as there are events or a profile") { store in
            try store.append(event("a", at: 10, id: "1"), event("b", of: "v", at: 10, id: "1"))
            try store.commit(.changeProfiles([ProfileChange("v", profile: "{}")]))
            for user: RawID in ["u", "v"] { try store.commit(.deleteEvents(user: user, [.id("1")])) }
            #expect(try store.log.user("u") == nil)
            #expect(try store.log.user("v") == UserSummary(eventCount: 0, first: nil, last: nil, profile: "{}"))
            #expect(try store.log.users(after: nil, limit: 9).map(\.user) == ["v"])
            #expect(try store.append(event("c", of: "v", at: 1))[0].isFirst)
        },
        ConformanceCheck("Time goes on from the last event that is left") { store in
            try store.append(event("a", at: 1000), event("b", at: 1500), now: 1000)
            try store.commit(.deleteEvents(user: "u", [.item("b", type: nil)]))
            #expect(try store.append(event("c"), now: 1100)[0].stored.order.time == .seconds(1100))
        },
    ]
}

/// What can be read of the users "u" and "v".
private struct Contents: Equatable {
    var events: [[StoredEvent]], histories: [UserHistory?], users: [RawID], count: Int
}

extension TestStore {
    fileprivate func contents() throws -> Contents {
        let (log, users) = (try log, ["u", "v"] as [RawID])
        return Contents(
            events: try users.map { try log.all($0) },
            histories: try users.map { user in
                var history = try log.history(of: user, model: "m", limit: 9)
                history?.position = 0  // others move it
                return history
            },
            users: try log.users(after: nil, limit: 9).map(\.user), count: try log.eventCount())
    }
}

extension UserHistory {
    /// What a model would keep after the events, which are all.
    var checkpointAtEnd: StateCheckpoint {
        StateCheckpoint(
            last: events.last?.order ?? checkpoint!.last, eventCount: (checkpoint?.eventCount ?? 0) + events.count,
            revision: revision, state: events.map { UInt8(truncatingIfNeeded: $0.order.position) })
    }
}
