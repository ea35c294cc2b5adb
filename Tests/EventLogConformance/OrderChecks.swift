import Events
import Identifiers
import Testing

var orderChecks: [ConformanceCheck] {
    [
        ConformanceCheck("A user's events are ordered by time, then by place in the log") { store in
            let stored = try store.append(
                event("c", at: 30), event("a", at: 10), event("d", at: 30), event("b", at: 20))
            #expect(try store.log.items() == ["a", "b", "c", "d"])
            #expect(stored.map(\.isLate) == [false, true, false, true])
            #expect(stored.map(\.isFirst) == [true, false, false, false])
            let positions = stored.map(\.stored.order.position)
            #expect(positions == positions.sorted() && Set(positions).count == 4)
            try store.reopen()
            #expect(try store.log.items() == ["a", "b", "c", "d"])
            #expect(try store.log.all() == [1, 3, 0, 2].map { stored[$0].stored })
        },
        ConformanceCheck("Places in the log grow over users and restarts, also after deletions") { store in
            var last = try store.append(event(of: "u"), event(of: "v")).last!.stored.order.position
            for user: RawID in ["w", "u", "x"] {
                try store.reopen()
                let next = try store.append(event(of: user))[0].stored.order.position
                #expect(next > last)
                last = next
                _ = try store.commit(.deleteUser(user))
            }
        },
        ConformanceCheck("A revision changes with what was there before, and with nothing else") { store in
            func revision() throws -> Int64? { try store.log.history(of: "u", model: "m", limit: 0)?.revision }
            #expect(try revision() == nil)
            let first = try store.append(event(at: 10))[0]
            #expect(try revision() == first.revision)
            let second = try store.append(event(at: 10), event(of: "v", at: 5), event(at: 20))
            #expect(second[0].revision == first.revision && second[2].revision == first.revision)
            try store.reopen()
            let late = try store.append(event(at: 15))[0]
            #expect(late.isLate && late.revision != first.revision)
            #expect(try revision() == late.revision)
            var seen = Set([first.revision, late.revision, second[1].revision])
            for selector: EventSelector in [
                .position(late.stored.order.position), .position(first.stored.order.position),
            ] {
                try store.commit(.deleteEvents(user: "u", [selector]))
                #expect(seen.insert(try revision() ?? 0).inserted)
            }
            try store.commit(.deleteUser("u"))
            #expect(try revision() == nil)
            let again = try store.append(event(at: 10))[0]
            #expect(seen.insert(again.revision).inserted)
            try store.append(event(at: 10), event(of: "w", at: 10))
            #expect(try revision() == again.revision)
        },
        ConformanceCheck("A history says up to which place of the log it goes") { store in
            func position() throws -> Int64? { try store.log.history(of: "u", model: "m", limit: 1)?.position }
            let first = try store.append(event(at: 5))[0].stored.order.position
            #expect(try position() == first)
            let other = try store.append(event(of: "v", at: 5))[0].stored.order.position
            #expect(other > first)
            #expect(try position() == other)
            let late = try store.append(event("b", at: 1))[0].stored.order.position
            #expect(late > other)
            #expect(try position() == late)
        },
        ConformanceCheck("A duplicate changes no revision and says the present one") { store in
            try store.append(event(at: 10, id: "1"))
            let late = try store.append(event(at: 5))[0]
            let again = try store.append(event(at: 10, id: "1"))[0]
            #expect(again.isDuplicate && !again.isLate && !again.isFirst && again.revision == late.revision)
        },
        ConformanceCheck("Times and numbers at their limits come back as they were") { store in
            let moments: [Int64] = [.min, .min + 1, -1, 0, 1, 1_600_000_000_000_001]
            for (index, moment) in moments.enumerated() {
                var new = event(RawID("\(index)"))
                new.time = Timestamp(microseconds: moment)
                new.value = [0, -1.5, .greatestFiniteMagnitude, .leastNonzeroMagnitude, 5, 0.1][index]
                try store.append(new, now: 2_000_000_000)
            }
            try store.reopen()
            #expect(try store.log.all().map(\.order.time.microseconds) == moments)
            #expect(
                try store.log.all().map(\.event.value) == [
                    0, -1.5, .greatestFiniteMagnitude, .leastNonzeroMagnitude, 5, 0.1,
                ])
        },
    ]
}

var clockChecks: [ConformanceCheck] {
    [
        ConformanceCheck("An event without a time gets the server's, never before the user's last") { store in
            #expect(try store.append(event(), now: 100)[0].stored.order.time == .seconds(100))
            #expect(try store.append(event(), now: 90)[0].stored.order.time == .seconds(100))
            try store.append(event(at: 500), now: 100)
            let array = try store.append(
                event(), event(of: "v"), event(at: 600), event(), event(at: 10), event(), now: 100)
            #expect(array.map(\.stored.order.time) == [500, 100, 600, 600, 10, 600].map(Timestamp.seconds))
            #expect(array.map(\.isLate) == [false, false, false, false, true, false])
            try store.reopen()
            #expect(try store.append(event(), now: 100)[0].stored.order.time == .seconds(600))
            #expect(try store.append(event(), now: 700)[0].stored.order.time == .seconds(700))
        },
        ConformanceCheck("An event more than ten minutes ahead is refused") { store in
            try store.append(event(at: 1600), now: 1000)
            #expect(
                try store.commit(.append([event(of: "v"), event(at: 1601)])).refusal
                    == .tooFarAhead(index: 1, now: .seconds(1000)))
            var beyond = event()
            beyond.time = Timestamp(microseconds: Timestamp.seconds(1600).microseconds + 1)
            #expect(try store.commit(.append([beyond])).refusal == .tooFarAhead(index: 0, now: .seconds(1000)))
            #expect(try store.log.eventCount() == 1)
            #expect(try store.log.user("v") == nil)
        },
    ]
}

var arrayChecks: [ConformanceCheck] {
    [
        ConformanceCheck("An array is stored whole or not at all, and a refused one does not touch its group") {
            store in
            try store.append(event(at: 1, id: "1"))
            let results = try store.log.commit(
                [
                    .append([event("b", at: 2), event(of: "v", at: 3)]),
                    .append([event("new", of: "w", at: 4, type: "odd"), event("other", at: 1, id: "1")]),
                    .append([event("c", at: 5, id: "2")]),
                    .deleteUser("nobody"),
                    .append([event("d", at: 6), event("e", at: 2000)]),
                    .append([event("f", at: 5, id: "2")]),
                    .append([event("g", at: 7)]),
                ], now: .seconds(1000))
            #expect(results.map { $0.refusal == nil } == [true, false, true, false, false, false, true])
            #expect(results[3].refusal == .notFound)
            for _ in 0..<2 {
                #expect(try store.log.items() == ["a", "b", "c", "g"])
                #expect(try store.log.items("v") == ["a"])
                #expect(try store.log.user("w") == nil)
                #expect(try store.log.eventCount() == 5)
                try store.reopen()
            }
        },
        ConformanceCheck("Changes of a group see those before them") { store in
            let results = try store.log.commit(
                [
                    .append([event(at: 10, id: "1")]), .append([event(at: 10, id: "1")]), .deleteUser("u"),
                    .append([event("b", at: 20, id: "1")]), .append([event("c", at: 15)]),
                    .deleteEvents(user: "u", [.id("1")]), .append([event("d", at: 15, id: "1")]),
                ], now: .seconds(1000))
            #expect(results.allSatisfy { $0.refusal == nil })
            #expect(results[1].appended?[0].isDuplicate == true)
            #expect(results[3].appended?[0].isFirst == true)
            #expect(results[4].appended?[0].isLate == true)
            #expect(results[6].appended?[0].isLate == false)
            #expect(try store.log.items() == ["c", "d"])
        },
        ConformanceCheck("Nothing changes nothing") { store in
            let log = try store.log
            #expect(try log.commit([], now: .seconds(1)).isEmpty)
            #expect(try store.commit(.append([])) == .success(.appended([])))
            #expect(try store.log.eventCount() == 0)
        },
    ]
}

var eventIDChecks: [ConformanceCheck] {
    [
        ConformanceCheck("An event sent again is there already, also after a restart") { store in
            let first = try store.append(
                NewEvent(user: "u", item: "a", type: "buy", value: 2, id: "1", recommendation: "r"), now: 100)[0]
            #expect(!first.isDuplicate)
            for _ in 0..<2 {
                for time in [nil, first.stored.event.time] {
                    var again = first.stored.event
                    again.time = time
                    let duplicate = try store.append(again, now: 200)[0]
                    #expect(duplicate.isDuplicate && duplicate.stored == first.stored)
                }
                try store.reopen()
            }
            #expect(try store.log.eventCount() == 1)
        },
        ConformanceCheck("An id with other content is refused") { store in
            let original = NewEvent(
                user: "u", item: "a", type: "buy", time: .seconds(5), value: 2, id: "1", recommendation: "r")
            let stored = try store.append(original)[0].stored
            var others = Array(repeating: original, count: 6)
            others[0].item = "b"
            others[1].type = "view"
            others[2].time = .seconds(6)
            others[3].value = nil
            others[4].recommendation = nil
            others[5].value = 2.0000000001
            for other in others {
                let refusal = try store.commit(.append([event(of: "v"), other])).refusal
                #expect(refusal == .otherContent(index: 1, existing: stored))
            }
            var ofAnother = original
            ofAnother.user = "v"
            #expect(try !store.append(ofAnother)[0].isDuplicate)
        },
        ConformanceCheck("Types are compared byte by byte") { store in
            let event = NewEvent(user: "u", item: "a", type: "caf\u{E9}", time: .seconds(5), id: "1")
            let stored = try store.append(event)[0].stored
            var other = event
            other.type = "cafe\u{301}"
            #expect(try store.commit(.append([other])).refusal == .otherContent(index: 0, existing: stored))
            other.id = "2"
            try store.append(other)
            let selector = EventSelector.item("a", type: other.type)
            #expect(try store.commit(.deleteEvents(user: "u", [selector])) == .success(.deleted(1)))
            #expect(try store.log.event(of: "u", .item("a", type: nil))?.event.id == "1")
        },
        ConformanceCheck("Ids count within one array") { store in
            let twice = try store.append(event(at: 1, id: "1"), event(at: 1, id: "1"), event(id: "1"))
            #expect(twice.map(\.isDuplicate) == [false, true, true])
            #expect(twice[1].stored == twice[0].stored)
            let results = try store.commit(.append([event(at: 1, id: "2"), event("b", at: 1, id: "2")]))
            guard case .otherContent(1, _) = results.refusal else { throw Unexpected() }
            #expect(try store.log.eventCount() == 1)
        },
    ]
}

/// Something that a check did not expect.
struct Unexpected: Error {}
