import Foundation
import Interactions
import Testing

/// Data beside the project, which it may not contain.
private let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("../shared/data").standardizedFileURL

private func isThere(_ name: String) -> Bool {
    FileManager.default.fileExists(atPath: folder.appendingPathComponent(name).path)
}

@Suite struct SharedDataTests {
    @Test(.enabled(if: isThere("ml-1m.sequences.txt.gz"), "needs ../shared/data/ml-1m.sequences.txt.gz"))
    func movieLens() throws { try check("ml-1m.sequences.txt.gz", users: 6_040, items: 3_416, events: 999_611) }

    @Test(.enabled(if: isThere("beauty.sequences.txt.gz"), "needs ../shared/data/beauty.sequences.txt.gz"))
    func beauty() throws { try check("beauty.sequences.txt.gz", users: 22_363, items: 12_101, events: 198_502) }

    private func check(_ name: String, users: Int, items: Int, events: Int) throws {
        try withTemporaryFolder { output in
            var filters = Filters()
            filters.minimumUserEvents = 5
            filters.minimumItemEvents = 5
            let log = try InteractionLog.read(folder.appendingPathComponent(name))
            let url = output.appendingPathComponent("dataset")
            _ = try log.prepare(filters, source: name, to: url)
            let dataset = try Dataset.open(url)
            #expect((dataset.userCount, dataset.itemCount, dataset.eventCount) == (users, items, events))
            #expect(dataset.summary.report?.droppedByCore == 0)
            #expect(Split.leaveOneOut(dataset).test.count == users)
        }
    }
}
