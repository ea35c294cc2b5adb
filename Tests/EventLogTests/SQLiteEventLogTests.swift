import EventLogConformance
import Events
import Foundation
import GRDB
import Identifiers
import Testing

@testable import SQLiteLog

@Suite struct SQLiteEventLogTests {
    @Test(arguments: ConformanceCheck.all) func conforms(check: ConformanceCheck) throws {
        let store = TemporaryStore()
        try check.run(TestStore { try store.open() })
    }

    @Test func everyConnectionWaitsForTheDiskAndZeroesWhatItDeletes() throws {
        let store = TemporaryStore()
        do {
            let log = try store.open(.full)
            #expect(try log.pragma("synchronous") == [2, 2, 2])
            #expect(try log.pragma("secure_delete") == [1, 1, 1])
        }
        let relaxed = try store.open(.relaxed)
        #expect(try relaxed.pragma("synchronous")[0] == 1)
        #expect(try relaxed.pragma("secure_delete") == [1, 1, 1])
    }

    @Test func aSecondWriterIsRefusedAndReadersAreNot() throws {
        let store = TemporaryStore()
        let log = try store.open()
        _ = try log.commit([.append([NewEvent(user: "u", item: "a")])], now: Timestamp(microseconds: 5))
        do {
            _ = try store.open()
            Issue.record("a second log was opened")
        } catch { guard case .inUse = error else { throw error } }
        let reader = try SQLiteEventReader(store.folder)
        #expect(try reader.eventCount() == 1)
        _ = try log.commit([.append([NewEvent(user: "u", item: "b")])], now: Timestamp(microseconds: 5))
        #expect(try reader.events(of: "u", after: nil, limit: 9).map(\.event.item) == ["a", "b"])
    }

    @Test func aNameGoesWithTheLastEventThatUsesIt() throws {
        let store = TemporaryStore()
        let log = try store.open()
        func names() throws -> [String] {
            try log.pool.read { try String.fetchAll($0, sql: "SELECT name FROM names ORDER BY name") }
        }
        func commit(_ changes: LogChange...) throws { _ = try log.commit(changes, now: Timestamp(microseconds: 5)) }
        try commit(.append(["a", "b", "a"].map { NewEvent(user: "u", item: $0, type: "view") }))
        try commit(.append([NewEvent(user: "v", item: "b", type: "a")]))
        #expect(try names() == ["a", "b", "view"])
        try commit(.deleteEvents(user: "u", [.item("a", type: nil)]))
        #expect(try names() == ["a", "b", "view"])
        try commit(.deleteUser("v"))
        #expect(try names() == ["b", "view"])
        try commit(.append([NewEvent(user: "w", item: "c")]), .deleteUser("u"), .deleteUser("w"))
        #expect(try names() == [])
    }

    @Test func theWriteAheadLogStaysSmall() throws {
        let store = TemporaryStore()
        let log = try store.open(.relaxed)
        let payload = [UInt8](repeating: 7, count: 100_000)
        _ = try log.commit([.append([NewEvent(user: "u", item: "a")])], now: Timestamp(microseconds: 5))
        let history = try #require(try log.history(of: "u", model: "m", limit: 1))
        let checkpoint = StateCheckpoint(
            last: history.events[0].order, eventCount: 1, revision: history.revision, state: payload)
        var largest = 0
        for _ in 0..<1500 {
            _ = try log.commit([.checkpoint(user: "u", model: "m", checkpoint)], now: Timestamp(microseconds: 5))
            let attributes = try FileManager.default.attributesOfItem(atPath: store.file.path + "-wal")
            largest = max(largest, attributes[.size] as? Int ?? 0)
        }
        #expect(largest > 10_000_000 && largest < 120_000_000, "of 150 MB that were written")
    }
}
