import Events
import Identifiers
import Testing

var readingChecks: [ConformanceCheck] {
    [
        ConformanceCheck("Cursors walk through a user's events in both directions") { store in
            try store.append(event(of: "t", at: 3), event(of: "v", at: 3))
            for index in 0..<25 { try store.append(event(RawID("\(index)"), at: Int64(index / 3))) }
            let all = try store.log.all()
            #expect(all.count == 25)
            for limit in [1, 4, 25, 100] {
                var (forwards, backwards): ([StoredEvent], [StoredEvent]) = ([], [])
                while case let next = try store.log.events(of: "u", after: forwards.last?.order, limit: limit),
                    !next.isEmpty
                {
                    #expect(next.count <= limit)
                    forwards += next
                }
                while case let next = try store.log.latestEvents(of: "u", before: backwards.last?.order, limit: limit),
                    !next.isEmpty
                {
                    #expect(next.count <= limit)
                    backwards += next
                }
                #expect(forwards == all && backwards == all.reversed())
            }
            let between = EventOrder(time: .seconds(2), position: .max)
            #expect(try store.log.events(of: "u", after: between, limit: 1).first == all[9])
            #expect(try store.log.latestEvents(of: "u", before: between, limit: 1).first == all[8])
            #expect(try store.log.events(of: "u", after: nil, limit: 0).isEmpty)
            #expect(try store.log.events(of: "nobody", after: nil, limit: 9).isEmpty)
            #expect(try store.log.latestEvents(of: "nobody", before: nil, limit: 9).isEmpty)
        },
        ConformanceCheck("A user's summary counts, and names the first and the last event") { store in
            #expect(try store.log.user("u") == nil)
            let stored = try store.append(event(at: 20), event(at: 30), event(at: 10)).map(\.stored.order)
            let summary = UserSummary(eventCount: 3, first: stored[2], last: stored[1], profile: nil)
            #expect(try store.log.user("u") == summary)
            try store.reopen()
            #expect(try store.log.user("u") == summary)
            #expect(try store.log.eventCount() == 3)
        },
        ConformanceCheck("One event is found by id, by place, or as the last of an item") { store in
            let stored = try store.append(
                event("a", at: 10, id: "1"), event("a", at: 20, type: "buy"), event("b", at: 30), event("a", at: 40)
            ).map(\.stored)
            let elsewhere = try store.append(event("c", of: "v", at: 10, id: "2"))[0].stored
            let log = try store.log
            #expect(try log.event(of: "u", .id("1")) == stored[0])
            #expect(try log.event(of: "u", .position(stored[2].order.position)) == stored[2])
            #expect(try log.event(of: "u", .item("a", type: nil)) == stored[3])
            #expect(try log.event(of: "u", .item("a", type: "buy")) == stored[1])
            for missing: EventSelector in [
                .id("2"), .position(elsewhere.order.position), .item("c", type: nil), .item("b", type: "buy"),
                .item("zz", type: nil),
                .position(.max),
            ] {
                #expect(try log.event(of: "u", missing) == nil)
                #expect(try log.event(of: "nobody", missing) == nil)
            }
        },
        ConformanceCheck("Items come once, with their last time") { store in
            try store.append(
                event("a", at: 10), event("b", at: 20), event("a", at: 30), event("c", at: 40),
                event("d", of: "v", at: 20), event("c", at: 5), event("a", at: 50, type: "buy"))
            let items = try store.log.items(of: "u", types: ["view", "none"]).map { ($0.item, $0.last) }
            let times = try Dictionary(items) { _, _ in throw Unexpected() }
            #expect(times == ["a": .seconds(30), "b": .seconds(20), "c": .seconds(40)])
            #expect(try store.log.items(of: "u", types: ["buy"]).map(\.item) == ["a"])
            #expect(try store.log.items(of: "u", types: nil).first { $0.item == "a" }?.last == .seconds(50))
            #expect(try store.log.items(of: "u", types: ["none"]).isEmpty)
            #expect(try store.log.items(of: "nobody", types: nil).isEmpty)
        },
        ConformanceCheck("Users are listed by the bytes of their ids") { store in
            let users: [RawID] = ["b", "a", "\u{10FFFF}", "é", "e\u{301}", "Z", "ab", "a\u{1}", "\u{FB01}", ""]
            for user in users { try store.append(event(of: user), event(of: user)) }
            try store.commit(.changeProfiles([ProfileChange("c", profile: "{}")]))
            let sorted = (users + ["c"]).sorted()
            for _ in 0..<2 {
                var listed: [(user: RawID, eventCount: Int)] = []
                while case let next = try store.log.users(after: listed.last?.user, limit: 4), !next.isEmpty {
                    listed += next
                }
                #expect(listed.map(\.user) == sorted)
                #expect(listed.allSatisfy { $0.eventCount == ($0.user == "c" ? 0 : 2) })
                #expect(try store.log.users(after: "a", limit: 1).map(\.user) == ["a\u{1}"])
                #expect(try store.log.users(after: "aa", limit: 1).map(\.user) == ["ab"])
                #expect(try store.log.users(after: nil, limit: 0).isEmpty)
                try store.reopen()
            }
        },
        ConformanceCheck("Ids and types are bytes, not text that looks alike") { store in
            let spellings: [RawID] = [
                "é", "e\u{301}", "E", "e", "e ", " e", "e\u{0}", "0", "00", "0.0", "'", "\"", "%", "_",
            ]
            for (index, id) in spellings.enumerated() {
                let stored = try store.append(
                    NewEvent(user: id, item: id, type: id.text, time: .seconds(1), id: id, recommendation: id),
                    NewEvent(
                        user: "all", item: id, type: id.text, time: .seconds(Int64(index)), id: id, recommendation: id)
                )
                #expect(stored.allSatisfy { !$0.isDuplicate })
            }
            try store.reopen()
            for id in spellings {
                let stored = try #require(try store.log.event(of: id, .id(id)))
                #expect(stored.event.user == id && stored.event.item == id && stored.event.recommendation == id)
                #expect(Array(stored.event.type.utf8) == Array(id.text.utf8))
                #expect(try store.log.event(of: "all", .item(id, type: id.text))?.event.id == id)
            }
            #expect(try store.log.items(of: "all", types: nil).count == spellings.count)
        },
    ]
}
