import Events
import Identifiers
import Testing

var stateChecks: [ConformanceCheck] {
    [
        ConformanceCheck("A history is a checkpoint and what comes after it") { store in
            #expect(try store.log.history(of: "u", model: "m", limit: 9) == nil)
            let stored = try store.append(event(at: 10), event(at: 20), event(of: "v", at: 15)).map(\.stored)
            let start = try store.history(limit: 1)
            #expect(start.checkpoint == nil && start.events == [stored[0]] && start.hasMore)
            let checkpoint = try store.history(limit: 2).checkpointAtEnd
            #expect(try store.commit(.checkpoint(user: "u", model: "m", checkpoint)) == .success(.done))
            for _ in 0..<2 {
                let whole = try store.history()
                #expect(whole.checkpoint == checkpoint && whole.events.isEmpty && !whole.hasMore)
                #expect(try store.log.history(of: "u", model: "other", limit: 9)?.checkpoint == nil)
                try store.reopen()
            }
            let tail = try store.append(event(at: 20), event(at: 30)).map(\.stored)
            #expect(try store.history().events == tail)
            #expect(try store.history(limit: 1).events == [tail[0]])
            #expect(try store.history(limit: 1).hasMore && !store.history(limit: 2).hasMore)
            let next = StateCheckpoint(
                last: tail[1].order, eventCount: 4, revision: checkpoint.revision,
                state: (0..<9000).map { UInt8(truncatingIfNeeded: $0 * $0) })
            try store.commit(.checkpoint(user: "u", model: "m", next))
            try store.reopen()
            #expect(try store.history().checkpoint == next)
        },
        ConformanceCheck("A late event takes the checkpoints after it along, and no others") { store in
            try store.append(event(at: 10))
            try store.keepCheckpoint(model: "early")
            try store.append(event(at: 30), event(of: "v", at: 30))
            try store.keepCheckpoint(model: "later")
            try store.keepCheckpoint(of: "v", model: "later")
            let late = try store.append(event("late", at: 20))[0].stored
            #expect(try store.history(model: "later").checkpoint == nil)
            let rest = try store.history(model: "early")
            #expect(rest.checkpoint != nil && rest.events.count == 2 && rest.events.first == late)
            #expect(try store.history(of: "v", model: "later").checkpoint != nil)
        },
        ConformanceCheck("A deletion takes the checkpoints that have seen the event along, and no others") { store in
            for time: Int64 in [10, 20, 30] {
                try store.append(event(at: time, id: RawID("\(time)")))
                try store.keepCheckpoint(model: "\(time)")
            }
            try store.commit(.deleteEvents(user: "u", [.id("30"), .id("20")]))
            #expect(try store.history(model: "10").checkpoint != nil)
            #expect(try store.history(model: "20").checkpoint == nil)
            #expect(try store.history(model: "30").checkpoint == nil)
        },
        ConformanceCheck("A checkpoint of a past that has changed is refused") { store in
            try store.append(event(at: 10, id: "1"), event(at: 30, id: "2"))
            let checkpoint = try store.history().checkpointAtEnd
            func commit() throws -> ChangeRefusal? {
                try store.commit(.checkpoint(user: "u", model: "m", checkpoint)).refusal
            }
            try store.append(event(at: 40))
            #expect(try commit() == nil)
            try store.append(event(at: 20, id: "3"))
            #expect(try commit() == .outdated)
            try store.commit(.deleteEvents(user: "u", [.id("3")]))
            #expect(try commit() == .outdated)
            try store.commit(.deleteUser("u"))
            #expect(try commit() == .outdated)
            try store.append(event(at: 10, id: "1"), event(at: 30, id: "2"))
            #expect(try commit() == .outdated)
            #expect(try store.history().checkpoint == nil)
        },
        ConformanceCheck("Within a group, a checkpoint counts where it stands") { store in
            try store.append(event(at: 10), event(at: 30))
            let change = LogChange.checkpoint(user: "u", model: "m", try store.history().checkpointAtEnd)
            let results = try store.log.commit([change, .append([event(at: 20)]), change], now: .seconds(1000))
            #expect(results[0] == .success(.done) && results[2].refusal == .outdated)
            #expect(try store.history().checkpoint == nil)
        },
        ConformanceCheck("Checkpoints of models that are not kept are gone, also when a model comes again") { store in
            try store.append(event(at: 10), event(of: "v", at: 10))
            for user: RawID in ["u", "v"] {
                for model in ["a", "b", "c"] { try store.keepCheckpoint(of: user, model: model) }
            }
            try store.commit(.keepCheckpoints(ofModels: ["b", "d", "c"]))
            for user: RawID in ["u", "v"] {
                #expect(try store.history(of: user, model: "a").checkpoint == nil)
                #expect(try store.history(of: user, model: "b").checkpoint != nil)
            }
            try store.keepCheckpoint(model: "a")
            try store.reopen()
            #expect(try store.history(model: "a").checkpoint != nil)
            #expect(try store.history(of: "v", model: "a").checkpoint == nil)
            try store.commit(.keepCheckpoints(ofModels: []))
            for model in ["a", "b", "c"] { #expect(try store.history(model: model).checkpoint == nil) }
            for _ in 0..<3 { try store.append(event(at: 20)) }
            #expect(try store.log.eventCount() == 5)
        },
    ]
}

extension TestStore {
    /// The history of a user who must be known.
    func history(of user: RawID = "u", model: String = "m", limit: Int = 99) throws -> UserHistory {
        try #require(try log.history(of: user, model: model, limit: limit))
    }

    /// Keeps a checkpoint after all events.
    func keepCheckpoint(of user: RawID = "u", model: String) throws {
        let checkpoint = try history(of: user, model: model).checkpointAtEnd
        #expect(try commit(.checkpoint(user: user, model: model, checkpoint)) == .success(.done))
    }
}

var annotationChecks: [ConformanceCheck] {
    [
        ConformanceCheck("A profile is kept beside the events") { store in
            #expect(try store.commit(.changeProfiles([ProfileChange("u", profile: nil)])) == .success(.done))
            #expect(try store.log.user("u") == nil)
            try store.commit(.changeProfiles([ProfileChange("u", profile: #"{"a":"é\u0000"}"#)]))
            try store.append(event(at: 10))
            try store.reopen()
            #expect(try store.log.user("u")?.profile == #"{"a":"é\u0000"}"#)
            #expect(try store.log.user("u")?.eventCount == 1)
            try store.commit(.changeProfiles([ProfileChange("u", profile: nil)]))
            #expect(try store.log.user("u")?.profile == nil && store.log.user("u")?.eventCount == 1)
            try store.commit(.changeProfiles([ProfileChange("v", profile: "{}")]))
            try store.commit(.changeProfiles([ProfileChange("v", profile: nil)]))
            #expect(try store.log.user("v") == nil)
        },
        ConformanceCheck("Annotations replace each other and are listed by the bytes of their items") { store in
            let whole = ItemAnnotation(
                title: "T\u{e9}", categories: ["b", "a", "", "\u{0}\"", "a"], isHidden: true,
                time: Timestamp(microseconds: -5), labels: "[1]", comment: "c")
            let items: [RawID] = ["b", "é", "e\u{301}", "a", "Z", "a b"]
            try store.commit(.annotate(items.map { AnnotationChange($0, annotation: whole) }))
            try store.commit(.annotate([AnnotationChange("a", annotation: ItemAnnotation())]))
            try store.commit(.annotate([AnnotationChange("Z", annotation: nil)]))
            #expect(
                try store.commit(.annotate([AnnotationChange("none", annotation: nil)]))
                    == .success(.annotated([AnnotatedItem("none", nil)])))
            for _ in 0..<2 {
                #expect(try store.log.annotation(of: "b") == whole)
                #expect(try store.log.annotation(of: "a") == ItemAnnotation())
                #expect(try store.log.annotation(of: "Z") == nil)
                var listed: [RawID] = []
                while case let next = try store.log.annotations(after: listed.last, limit: 2), !next.isEmpty {
                    for (item, annotation) in next { #expect(annotation == (item == "a" ? ItemAnnotation() : whole)) }
                    listed += next.map(\.item)
                }
                #expect(listed == items.filter { $0 != "Z" }.sorted())
                try store.reopen()
            }
        },
        ConformanceCheck("Changes of what is said or noted see those before them") { store in
            func add(_ category: String) -> AnnotationChange {
                AnnotationChange("a") { note in
                    ItemAnnotation(title: "T", categories: (note?.categories ?? []) + [category])
                }
            }
            func note(_ text: String) -> LogChange { .changeProfiles([ProfileChange("u") { ($0 ?? "") + text }]) }
            let group: [LogChange] = [
                .annotate([add("1"), add("2")]), note("x"), .deleteUser("u"), note("y"), .annotate([add("3")]),
                note("z"),
            ]
            for round in 1...2 {
                let results = try store.log.commit(group, now: .seconds(1000))
                let categories = Array(repeating: ["1", "2", "3"], count: round).flatMap(\.self)
                let annotation = ItemAnnotation(title: "T", categories: categories)
                #expect(results[4] == .success(.annotated([AnnotatedItem("a", annotation)])))
                try store.reopen()
                #expect(try store.log.annotation(of: "a") == annotation)
                #expect(try store.log.user("u")?.profile == "yz")
            }
        },
        ConformanceCheck("An annotation outlives the events of its item") { store in
            try store.commit(.annotate([AnnotationChange("a", annotation: ItemAnnotation(title: "A"))]))
            try store.append(event("a", at: 1))
            try store.commit(.deleteUser("u"))
            #expect(try store.log.annotation(of: "a")?.title == "A")
            try store.commit(.annotate([AnnotationChange("a", annotation: nil)]))
            try store.append(event("a", at: 1))
            #expect(try store.log.items() == ["a"])
        },
        ConformanceCheck("Facts replace each other") { store in
            #expect(try store.log.value(of: "k") == nil)
            try store.commit(.set(key: "k", value: "1"))
            try store.commit(.set(key: "k", value: "é\u{0}2"))
            try store.commit(.set(key: "", value: ""))
            try store.reopen()
            #expect(try store.log.value(of: "k") == "é\u{0}2")
            #expect(try store.log.value(of: "") == "")
        },
    ]
}
