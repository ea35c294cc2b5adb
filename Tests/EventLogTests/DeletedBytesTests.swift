import Events
import Foundation
import GRDB
import Identifiers
import Testing

@testable import SQLiteLog

/// Deleted names, ids and states are in no file of the store.
@Suite struct DeletedBytesTests {
    @Test(arguments: 0..<3) func nothingDeletedIsLeft(round: Int) throws {
        let store = TemporaryStore()
        let log = try store.open(.relaxed)
        var run = DeletionRun(log: log)
        for _ in 0..<1500 { try run.step() }
        try log.purgeDeleted()
        let bytes = try store.bytes()
        #expect(run.forgotten.count > 5000 && run.known.count > 500)
        let found = markers(in: bytes)
        #expect(found.intersection(run.forgotten) == [])
        #expect(run.known.keys.allSatisfy { found.contains($0.text) }, "the search finds what is there")
    }

    /// A purge that comes while the write-ahead log is being moved waits for that.
    @Test func purgingWaitsForTheThreadThatMovesTheLog() throws {
        let store = TemporaryStore()
        let log = try store.open(.relaxed)
        let (users, now) = ((0..<170).map { RawID("u\($0)") }, Timestamp(microseconds: 5))
        _ = try log.commit(users.map { .append([NewEvent(user: $0, item: "a")]) }, now: now)
        let histories = try users.map { try #require(try log.history(of: $0, model: "m", limit: 1)) }
        for round in 0..<4 {
            let state = [UInt8](repeating: UInt8(round), count: 100_000)
            let states = zip(users, histories).map { user, history in
                LogChange.checkpoint(
                    user: user, model: "m",
                    StateCheckpoint(
                        last: history.events[0].order, eventCount: 1, revision: history.revision, state: state))
            }
            _ = try log.commit(states, now: now)  // more than 4,000 pages
            try log.purgeDeleted()
            let attributes = try FileManager.default.attributesOfItem(atPath: store.file.path + "-wal")
            #expect(attributes[.size] as? Int == 0)
        }
    }

    @Test func purgingWaitsForReaders() throws {
        let store = TemporaryStore()
        let log = try store.open()
        _ = try log.commit([.append([NewEvent(user: "Uaaaaaaaaaaaaaaaa", item: "a")])], now: Timestamp(microseconds: 5))
        let reader = try SQLiteEventReader(store.folder)
        try reader.pool.read { database in
            _ = try LogSnapshot(database: database).eventCount()
            _ = try log.commit([.deleteUser("Uaaaaaaaaaaaaaaaa")], now: Timestamp(microseconds: 5))
            do {
                try log.purgeDeleted()
                Issue.record("purged while somebody reads")
            } catch { guard case .unavailable = error as? EventLogError else { throw error } }
        }
        try log.purgeDeleted()
        #expect(try markers(in: store.bytes()) == [])
    }
}

/// Users with unmistakable names that come and go.
private struct DeletionRun {
    let log: SQLiteEventLog
    var known: [RawID: [String]] = [:]
    var forgotten: Set<String> = []

    mutating func step() throws {
        var changes: [LogChange] = []
        if let user = known.keys.randomElement(), let history = try log.history(of: user, model: "m", limit: 1000),
            let last = history.events.last?.order
        {
            let mark = marker("S")
            known[user]?.append(mark)
            let state = Array(String(repeating: mark, count: [10, 200].randomElement()!).utf8)
            changes.append(
                .checkpoint(
                    user: user, model: "m",
                    StateCheckpoint(last: last, eventCount: 1, revision: history.revision, state: state)))
            if let old = states.updateValue(mark, forKey: user) { forgotten.insert(old) }
        }
        for _ in 0..<Int.random(in: 1...20) { changes.append(.append([event()])) }
        if Double.random(in: 0..<1) < 0.7 {
            for _ in 0..<Int.random(in: 1...4) {
                guard let (user, marks) = known.randomElement() else { break }
                known[user] = nil
                states[user] = nil
                forgotten.formUnion(marks + [user.text])
                changes.append(.deleteUser(user))
            }
        }
        for result in try log.commit(changes, now: Timestamp(microseconds: 1 << 50)) { _ = try result.get() }
    }

    private var states: [RawID: String] = [:]

    init(log: SQLiteEventLog) { self.log = log }

    private mutating func event() -> NewEvent {
        let user = Bool.random() ? known.keys.randomElement() ?? RawID(marker("U")) : RawID(marker("U"))
        let (item, id) = (marker("I"), marker("E"))
        known[user, default: []] += [item, id]
        return NewEvent(
            user: user, item: RawID(item), time: Timestamp(microseconds: .random(in: 0..<1 << 50)), id: RawID(id))
    }
}

private func marker(_ kind: String) -> String {
    let digits = String(UInt64.random(in: 0 ... .max), radix: 16)
    return kind + String(repeating: "0", count: 16 - digits.count) + digits
}

/// All markers in a file's bytes.
private func markers(in bytes: Data) -> Set<String> {
    func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) || (97...102).contains(byte) }
    let bytes = [UInt8](bytes)
    var found: Set<String> = []
    var digits = 0
    for index in bytes.indices.reversed() {
        if digits >= 16, "UIES".utf8.contains(bytes[index]) {
            found.insert(String(decoding: bytes[index...index + 16], as: UTF8.self))
        }
        digits = isDigit(bytes[index]) ? digits + 1 : 0
    }
    return found
}
