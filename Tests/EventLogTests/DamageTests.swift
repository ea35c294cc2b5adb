import Events
import Foundation
import GRDB
import Identifiers
import Testing

@testable import SQLiteLog

/// Files that are no log, or no whole one, are refused with a sentence; what is no log is not touched.
@Suite struct DamageTests {
    private func filled() throws -> TemporaryStore {
        let store = TemporaryStore()
        let log = try store.open(.relaxed)
        for user in 0..<50 {
            let events = (0..<40).map { NewEvent(user: RawID("user-\(user)"), item: RawID("item-\($0 * user)")) }
            _ = try log.commit([.append(events)], now: Timestamp(microseconds: 5))
        }
        return store
    }

    private func refusal(_ store: TemporaryStore) throws -> EventLogError? {
        do throws(EventLogError) {
            let log = try store.open()
            for (user, _) in try log.users(after: nil, limit: .max) {
                _ = try log.events(of: user, after: nil, limit: .max)
            }
            return nil
        } catch {
            return error
        }
    }

    @Test func aWholeOneIsTaken() throws { #expect(try refusal(filled()) == nil) }

    @Test(arguments: [0, 1, 50, 4096, 5000, 8192, 40_000]) func aTruncatedOne(length: Int) throws {
        let store = try filled()
        let file = try FileHandle(forWritingTo: store.file)
        try file.truncate(atOffset: UInt64(length))
        try file.close()
        let error = try #require(try refusal(store))
        #expect(error.description.contains(store.file.path), "\(error)")
    }

    @Test(arguments: [0, 20, 100, 4096, 12_000]) func aGarbledOne(offset: Int) throws {
        let store = try filled()
        var bytes = try Data(contentsOf: store.file)
        for index in offset..<offset + 64 { bytes[index] = UInt8(truncatingIfNeeded: index &* 31 &+ 7) }
        try bytes.write(to: store.file)
        #expect(try refusal(store) != nil)
    }

    @Test func anotherDatabase() throws {
        let store = TemporaryStore()
        try FileManager.default.createDirectory(at: store.folder, withIntermediateDirectories: true)
        let database = try DatabaseQueue(path: store.file.path)
        try database.write { try $0.execute(sql: "CREATE TABLE mine (a)") }
        try database.close()
        let before = try Data(contentsOf: store.file)
        guard case .notALog = try refusal(store) else { throw NotRefused() }
        #expect(try Data(contentsOf: store.file) == before)
        guard case .notALog? = try? refusalOfReader(store) else { throw NotRefused() }
    }

    @Test func aNewerVersion() throws {
        let store = try filled()
        let database = try DatabaseQueue(path: store.file.path)
        try database.write { try $0.execute(sql: "PRAGMA user_version = 99") }
        try database.close()
        guard case .notALog(let text) = try refusal(store), text.contains("version 99") else { throw NotRefused() }
    }

    @Test func aMissingOneWhoseWriteAheadLogIsThere() throws {
        let store = try filled()
        try FileManager.default.removeItem(at: store.file)
        try Data([1]).write(to: URL(fileURLWithPath: store.file.path + "-wal"))
        do throws(EventLogError) {
            _ = try store.open()
            throw .unavailable("opened")
        } catch { guard case .damaged = error else { throw error } }
    }

    private func refusalOfReader(_ store: TemporaryStore) throws -> EventLogError? {
        do throws(EventLogError) { _ = try SQLiteEventReader(store.folder) } catch { return error }
        return nil
    }

    private struct NotRefused: Error {}
}
