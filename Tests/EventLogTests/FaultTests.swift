import Events
import Foundation
import GRDBSQLite
import Identifiers
import Testing

@testable import SQLiteLog

/// A short life of a log, over and over: each time the power goes before another operation of the disk, or another one fails.
@Suite(.serialized) struct FaultTests {
    @Test func noAcknowledgedGroupIsLostAndNoneIsHalfThere() throws {
        try forEachOperation { life, operation in
            let disk = try FaultyDisk(life.store.folder, .powerLoss(at: operation))
            let acknowledged = life.run()
            FaultyDisk.forget()
            let remains = TemporaryStore()
            try disk.writeRemains(to: remains.folder)
            let found = try contents(try remains.open())
            let possible = try [acknowledged, acknowledged + 1].map { try Life.contents(afterGroups: Array(0..<$0)) }
            #expect(
                possible.contains(found),
                "power lost before operation \(operation), \(acknowledged) groups acknowledged")
        }
    }

    @Test(arguments: [SQLITE_FULL, SQLITE_IOERR | 3 << 8, SQLITE_IOERR | 4 << 8], [1, 25])
    func aFailedGroupLeavesNoTraceAndTheLogGoesOn(code: Int32, length: Int) throws {
        try forEachOperation(step: 3) { life, operation in
            let disk = try FaultyDisk(life.store.folder, .failing(operation..<operation + length, code: code))
            let log: SQLiteEventLog
            do throws(EventLogError) { log = try life.store.open() } catch {
                return try life.checkUntouched(error, code)
            }
            var acknowledged: [Int] = []
            for (index, group) in Life.groups.enumerated() {
                do throws(EventLogError) {
                    _ = try log.commit(group, now: Life.now)
                    acknowledged.append(index)
                } catch {
                    #expect(isExpected(error, code))
                }
                #expect(
                    try contents(log) == Life.contents(afterGroups: acknowledged),
                    "operation \(operation), group \(index)")
                try? log.purgeDeleted()
            }
            #expect(disk.counts.failures > 0)
            // The process is killed here: what the system has been given is there.
            FaultyDisk.forget()
            let copy = TemporaryStore()
            try FileManager.default.copyItem(at: life.store.folder, to: copy.folder)
            try? FileManager.default.removeItem(atPath: copy.file.path + "-shm")
            // Where the disk failed to the end, nobody can say whether it holds the group that it did not confirm; but then it holds all of it.
            let unconfirmed = ((acknowledged.last ?? -1) + 1..<Life.groups.count).map { acknowledged + [$0] }
            let possible = try ([acknowledged] + (length > 1 ? unconfirmed : [])).map(Life.contents(afterGroups:))
            #expect(possible.contains(try contents(try copy.open())), "operation \(operation)")
        }
    }

    /// Calls `body` for each operation of the disk that a life takes, with a life that has not begun.
    private func forEachOperation(step: Int = 1, _ body: (Life, Int) throws -> Void) throws {
        let life = try Life()
        let disk = try FaultyDisk(life.store.folder, nil)
        #expect(life.run() == Life.groups.count)
        FaultyDisk.forget()
        let count = disk.counts.operations
        #expect(count > 60)
        for operation in stride(from: Int.random(in: 0..<step), to: count, by: step) {
            defer { FaultyDisk.forget() }
            try body(try Life(), operation)
        }
    }
}

private func isExpected(_ error: EventLogError, _ code: Int32) -> Bool {
    switch error {
    case .full: code == SQLITE_FULL
    case .unavailable: code != SQLITE_FULL
    default: false
    }
}

/// Everything that a log holds.
private struct Contents: Equatable {
    var count: Int
    var users: [RawID: [StoredEvent]] = [:]
    var histories: [RawID: UserHistory] = [:]
}

private func contents(_ log: some EventReader) throws -> Contents {
    var contents = Contents(count: try log.eventCount())
    for (user, count) in try log.users(after: nil, limit: 99) {
        contents.users[user] = try log.events(of: user, after: nil, limit: 99)
        contents.histories[user] = try log.history(of: user, model: "m", limit: 99)
        #expect(contents.users[user]?.count == count)
    }
    return contents
}

/// Some groups of changes, committed one after the other to a log that has something in it.
private struct Life {
    let store = TemporaryStore()
    static let now = Timestamp(microseconds: 1_000_000)
    private static let first = [LogChange.append([event("u", 0), event("v", 0)])]

    init() throws { _ = try store.open().commit(Self.first, now: Self.now) }

    static let groups: [[LogChange]] = (1...9).map { index in
        var group = [
            LogChange.append([event("u", index), event("w\(index)", index)]), .append([event("v", -index)]),
        ]
        if index % 3 == 0 { group += [.deleteUser("w\(index - 1)"), .deleteEvents(user: "u", [.id("\(index - 2)")])] }
        if index % 3 == 1 {
            let replaced: [RawID: [EventSelector]] = [
                "v": [.id("\(1 - index)")], "u": [.item("item-\(index)", type: nil)],
            ]
            group.append(.append([event("v", index), event("u", index)], replacing: replaced))
            group.append(.append([event("v", 700_000_000)], replacing: replaced))  // refused
        }
        if index == 5 { group.append(.append((100..<160).map { event("x", $0) })) }
        return group
    }

    private static func event(_ user: RawID, _ index: Int) -> NewEvent {
        NewEvent(
            user: user, item: RawID("item-\(index)"), type: "type-\(index % 3)",
            time: Timestamp(microseconds: Int64(index) * 1000), id: RawID("\(index)"))
    }

    /// Commits group after group until one fails; returns the number of those that did not.
    func run() -> Int {
        guard let log = try? store.open() else { return 0 }
        for (index, group) in Self.groups.enumerated() {
            do { _ = try log.commit(group, now: Self.now) } catch { return index }
            if index % 3 == 1 { try? log.purgeDeleted() }
        }
        return Self.groups.count
    }

    /// What a log in memory holds after the first events and these groups.
    static func contents(afterGroups groups: [Int]) throws -> Contents {
        let log = MemoryEventLog()
        _ = try log.commit(first, now: now)
        for index in groups where index < Self.groups.count { _ = try log.commit(Self.groups[index], now: now) }
        return try EventLogTests.contents(log)
    }

    /// A log that could not be opened is as it was.
    func checkUntouched(_ error: EventLogError, _ code: Int32) throws {
        #expect(isExpected(error, code))
        FaultyDisk.forget()
        #expect(try EventLogTests.contents(try store.open()) == Self.contents(afterGroups: []))
    }
}
