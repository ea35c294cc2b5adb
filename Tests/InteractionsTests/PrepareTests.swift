import FileSupport
import Foundation
import Identifiers
import Tensors
import Testing

@testable import Interactions

/// Filters, order and numbering against a plain implementation, on random logs.
@Suite struct PrepareTests {
    struct Event { var user, item: String; var time, rating: Int }

    static func randomLog(_ random: inout SeededGenerator, events: ClosedRange<Int> = 1...80) -> [Event] {
        let (users, items) = (Int.random(in: 1...12, using: &random), Int.random(in: 1...12, using: &random))
        return (0..<Int.random(in: events, using: &random)).map { _ in
            Event(
                user: "u\(Int.random(in: 1...users, using: &random))",
                item: "i\(Int.random(in: 1...items, using: &random))",
                time: Int.random(in: -3...3, using: &random), rating: Int.random(in: 1...5, using: &random))
        }
    }

    /// What is left by the definition: drop whoever has too few until nobody has.
    static func kept(_ log: [Event], _ filters: Filters) -> [Event] {
        var left = log.filter { Double($0.rating) >= filters.minimumRating ?? 0 }
        while true {
            let users = Dictionary(grouping: left, by: \.user), items = Dictionary(grouping: left, by: \.item)
            let next = left.filter {
                (users[$0.user]?.count ?? 0) >= filters.minimumUserEvents
                    && (items[$0.item]?.count ?? 0) >= filters.minimumItemEvents
            }
            if next.count == left.count { return next }
            left = next
        }
    }

    static func firstAppearances(_ ids: [String]) -> [String] {
        var seen = Set<String>()
        return ids.filter { seen.insert($0).inserted }
    }

    @Test func randomLogsAgreeWithTheDefinition() throws {
        var random = SeededGenerator(seed: 6)
        var full = 0
        for _ in 0..<150 where try agreesWithTheDefinition(Self.randomLog(&random), MemoryLimits(), &random) {
            full += 1
        }
        #expect(full > 50 && full < 145)
    }

    /// So little memory that nearly all events go through the temporary file and users are ordered a few at a time.
    @Test func littleMemoryChangesNothing() throws {
        var random = SeededGenerator(seed: 16)
        for _ in 0..<25 {
            let log = Self.randomLog(&random, events: 300...3_000)
            let memory = MemoryLimits(
                reading: Int.random(in: 1...300, using: &random), ordering: Int.random(in: 1...2_000, using: &random))
            #expect(try agreesWithTheDefinition(log, memory, &random))
        }
    }

    /// Compares what is prepared with random filters to what is left by the definition; false where that is nothing.
    private func agreesWithTheDefinition(
        _ log: [Event], _ memory: MemoryLimits, _ random: inout SeededGenerator
    ) throws -> Bool {
        var filters = Filters()
        filters.minimumRating = Bool.random(using: &random) ? Double(Int.random(in: 1...3, using: &random)) : nil
        filters.minimumUserEvents = Int.random(in: 1...4, using: &random)
        filters.minimumItemEvents = Int.random(in: 1...4, using: &random)
        let text = "user,item,time,rating\n" + log.map { "\($0.user),\($0.item),\($0.time),\($0.rating)\n" }.joined()
        let options = ReadOptions.with {
            $0.minimumRating = filters.minimumRating
            $0.memory = memory
        }
        let expected = Self.kept(log, filters)
        guard !expected.isEmpty else {
            #expect(complaint { _ = try prepare(text, options, filters) } != nil)
            return false
        }
        let prepared = try prepare(text, options, filters)
        let users = Self.firstAppearances(expected.map(\.user))
        #expect(prepared.users == users)
        for (user, id) in users.enumerated() {
            let own = expected.enumerated().filter { $0.element.user == id }
                .sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }.map(\.element)
            #expect(prepared.histories[user] == own.map(\.item))
            #expect(prepared.times[user] == own.map { Double($0.time) })
        }
        #expect(prepared.summary?.events == expected.count)
        #expect(prepared.summary?.items == Set(expected.map(\.item)).count)
        let report = try #require(prepared.summary?.report)
        #expect(report.read.droppedByRating + report.droppedByCore == log.count - expected.count)
        return true
    }

    @Test func numbersAreFirstAppearancesAndOneToOne() throws {
        var random = SeededGenerator(seed: 7)
        for _ in 0..<30 {
            let log = Self.randomLog(&random)
            try withTemporaryFolder { folder in
                let url = folder.appendingPathComponent("log.csv")
                try Data(("user,item\n" + log.map { "\($0.user),\($0.item)\n" }.joined()).utf8).write(to: url)
                let output = folder.appendingPathComponent("dataset")
                _ = try InteractionLog.read(url, .fileOrder).prepare(Filters(), source: "log.csv", to: output)
                let dataset = try Dataset.open(output)
                let items = try #require(dataset.items)
                #expect(Array(items.ids) == Self.firstAppearances(log.map(\.item)))
                #expect(dataset.users.map { Array($0.ids) } == Self.firstAppearances(log.map(\.user)))
                #expect(Set(items.ids).count == dataset.itemCount)
                for (i, id) in items.ids.enumerated() { #expect(items.position(of: id) == i) }
                #expect(
                    try contents(of: output) == ["dataset.json", "items.i32", "items.tsv", "starts.i64", "users.tsv"])
            }
        }
    }

    @Test func coreCountsRounds() throws {
        var filters = Filters()
        filters.minimumUserEvents = 2
        filters.minimumItemEvents = 2
        // c has one event, without it u3 has one, without u3 b has one, without b u2 has one, …
        let text = "user,item\nu1,a\nu1,a\nu2,a\nu2,b\nu3,b\nu3,c\n"
        let prepared = try prepare(text, .fileOrder, filters)
        #expect(prepared.histories == [["a", "a"]])
        #expect(prepared.summary?.report?.droppedByCore == 4)
        #expect(prepared.summary?.report?.coreRounds == 5)
    }

    @Test func oneEventUsersStay() throws {
        #expect(try prepare("user,item\n1,a\n2,a\n", .fileOrder).histories == [["a"], ["a"]])
    }

    @Test func theSameLogHasTheSameFingerprint() throws {
        let text = "user,item\n1,a\n2,b\n1,b\n"
        let mark = try prepare(text, .fileOrder).summary?.fingerprint
        #expect(mark?.count == 16)
        #expect(try prepare(text, .fileOrder).summary?.fingerprint == mark)
        #expect(try prepare("user,item\n1,a\n2,b\n1,a\n", .fileOrder).summary?.fingerprint != mark)
    }

    @Test func aDatasetIsReplacedButNothingElse() throws {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("log.csv")
            try Data("user,item,ts\n1,a,1\n".utf8).write(to: url)
            let output = folder.appendingPathComponent("dataset")
            let log = try InteractionLog.read(url)
            _ = try log.prepare(Filters(), source: "first", to: output)
            _ = try log.prepare(Filters(), source: "second", to: output)
            #expect(try Dataset.open(output).summary.source == "second")
            try InteractionLog.checkReplaceable(output)
            for place in [folder, url] {
                #expect(complaint { try InteractionLog.checkReplaceable(place) }?.contains("cannot replace") == true)
                #expect(
                    complaint { _ = try log.prepare(Filters(), source: "x", to: place) }?.contains("cannot replace")
                        == true)
            }
            #expect(try contents(of: folder) == ["dataset", "log.csv"])
        }
    }

    @Test func nowhereToKeepALongLog() throws {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("log.csv")
            try Data(("user,item\n" + String(repeating: "1,a\n", count: 300)).utf8).write(to: url)
            var options = ReadOptions.fileOrder
            options.temporaryFolder = url.appendingPathComponent("inside")
            #expect(try InteractionLog.read(url, options).count == 300)
            options.memory.reading = 100
            #expect(
                complaint { _ = try InteractionLog.read(url, options) }
                    == "log.csv/inside: cannot create: Not a directory")
            options.temporaryFolder = folder
            #expect(try InteractionLog.read(url, options).count == 300)
            #expect(try contents(of: folder) == ["log.csv"])
        }
    }

    @Test func progressIsReported() throws {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("log.csv")
            try Data(("user,item\n" + String(repeating: "1,a\n", count: 200_000)).utf8).write(to: url)
            var (lines, fractions): ([Int], [Double]) = ([], [])
            _ = try InteractionLog.read(url, .fileOrder) {
                lines.append($0)
                fractions.append($1)
            }
            #expect(lines == [1 << 16, 2 << 16, 3 << 16])
            #expect(fractions.allSatisfy { $0 > 0 && $0 <= 1 } && fractions == fractions.sorted())
            var options = ReadOptions.fileOrder
            (options.temporaryFolder, options.memory.reading) = (folder, 100)
            #expect(throws: DatasetError.stopped) {
                _ = try InteractionLog.read(url, options) { lines, _ throws(DatasetError) in
                    if lines > 1 << 16 { throw .stopped }
                }
            }
            #expect(try contents(of: folder) == ["log.csv"])
        }
    }

    @Test func titlesAreKept() throws {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("log.csv")
            try Data("user,item\n1,a\n1,b\n1,c\n".utf8).write(to: url)
            let titles = ["a": "A\tB\nC\\", "c": "Été", "z": "unused"]
            let output = folder.appendingPathComponent("dataset")
            _ = try InteractionLog.read(url, .fileOrder).prepare(
                Filters(), titles: titles, source: "log.csv", to: output)
            let items = try #require(try Dataset.open(output).items)
            #expect((0..<3).map { items.title(at: $0) } == ["A\tB\nC\\", nil, "Été"])
        }
    }

    private func contents(of folder: URL) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    }
}
