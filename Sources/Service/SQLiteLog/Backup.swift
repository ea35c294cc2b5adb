public import Events
public import Foundation
import GRDB

extension SQLiteEventReader {
    /// Copies the log as it is at one moment into a folder, where it must not be yet. What is written meanwhile does not disturb it, but stays in the
    /// write-ahead log until the copy is done. The copy is checked.
    /// - Parameter progress: called now and then with the fraction that is copied.
    /// - Returns: the number of events in the copy.
    public func backup(to folder: URL, progress: @escaping (Double) -> Void) throws(EventLogError) -> Int {
        let target = folder.appendingPathComponent(Self.fileName).path
        let copy = try withLogErrors(target) {
            var configuration = Configuration()
            configuration.label = "recblr-backup"
            return try DatabaseQueue(path: target, configuration: configuration)
        }
        try withLogErrors(path) {
            // Within one transaction: otherwise every append would make SQLite begin again.
            try pool.read { source in
                _ = try LogSnapshot(database: source).eventCount()
                try copy.writeWithoutTransaction { target in
                    try source.backup(to: target, pagesPerStep: 4096) {
                        progress(Double($0.completedPageCount) / Double(max(1, $0.totalPageCount)))
                    }
                }
            }
        }
        return try withLogErrors(target) {
            let (finding, count) = try copy.writeWithoutTransaction {
                (try String.fetchOne($0, sql: "PRAGMA quick_check(1)"), try LogSnapshot(database: $0).eventCount())
            }
            guard finding == "ok" else {
                throw EventLogError.damaged("\(path) is damaged: its copy says \(finding ?? "nothing")")
            }
            try copy.close()
            return count
        }
    }
}
