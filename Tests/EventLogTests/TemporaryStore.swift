import EventLogConformance
import Events
import Foundation
import SQLiteLog

/// A folder for a store that goes with the object.
final class TemporaryStore: Sendable {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("recblr-log-\(UUID().uuidString)")
    var file: URL { folder.appendingPathComponent(SQLiteEventReader.fileName) }

    deinit { try? FileManager.default.removeItem(at: folder) }

    func open(_ durability: Durability = .full) throws(EventLogError) -> SQLiteEventLog {
        try SQLiteEventLog(folder, durability: durability)
    }

    /// The bytes of all files of the store.
    func bytes() throws -> Data {
        try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            .reduce(into: Data()) { $0 += try Data(contentsOf: $1) }
    }
}
