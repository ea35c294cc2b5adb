import Foundation
import Interactions
import Testing

/// Logs of several files, and those that keep events of several kinds.
@Suite struct SourceTests {
    private func read(_ files: [(String, String)], _ options: ReadOptions = .init()) throws -> Prepared {
        try withTemporaryFolder { folder in
            let parts = folder.appendingPathComponent("parts")
            for (name, text) in files {
                let url = parts.appendingPathComponent(name)
                try FileManager.default.createDirectory(
                    at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
                try Data(text.utf8).write(to: url)
            }
            let sources = try LogSource.expanded([.file(parts)])
            let log = try InteractionLog.read(sources, options, understood: { _ in }, progress: { _, _ in })
            let output = folder.appendingPathComponent("dataset")
            _ = try log.prepare(Filters(), source: "parts", to: output)
            return Prepared(try Dataset.open(output))
        }
    }

    @Test func partsMakeOneLog() throws {
        let files = [
            ("b.csv", "item,user,ts\nb,1,1\n"), ("a.csv", "user,item,ts\n1,a,2\n"),
            ("c/part-0.tsv", "user\titem\tts\n2\tc\t3\n"),
            ("c/part-1.jsonl", "{\"user\":2,\"item\":\"d\",\"ts\":1}\n"), ("_SUCCESS", ""), (".part.crc", "\u{1}"),
            ("e.csv", ""),
            ("f.csv", "user,item,ts\n"),
        ]
        let prepared = try read(files)
        #expect(prepared.users == ["1", "2"])
        #expect(prepared.histories == [["b", "a"], ["d", "c"]])
    }

    /// `split` leaves the header in the first part alone.
    @Test func laterPartsMayLackTheHeader() throws {
        let prepared = try read([("xaa.csv", "item,user,ts\na,1,1\n"), ("xab.csv", "b,1,2\nc,2,3\n")])
        #expect(prepared.histories == [["a", "b"], ["c"]])
        #expect(
            complaint { _ = try read([("a.csv", "user,item,ts\n1,a,1\n"), ("b.csv", "1,a\n")]) }?.contains(
                "it looks like an event") == true)
    }

    @Test func partsThatDoNotFit() {
        #expect(
            complaint { _ = try read([("a.csv", "user,item,ts\n1,a,1\n"), ("b.txt", "1 a b c d\n2 a\n")]) }
                == "parts/a.csv has times, parts/b.txt has none: they make no one log")
        #expect(
            complaint { _ = try read([("a.csv", "user,item,ts\n1,a,1\n"), ("b.csv", "user,item,ts\n1,a\n")]) }
                == "parts/b.csv, line 2: expected 3 fields, found 2")
    }

    @Test func whatIsLeftOutIsSaid() throws {
        try withTemporaryFolder { folder in
            let inner = folder.appendingPathComponent("day=1")
            for url in [folder, inner] {
                for name in ["_SUCCESS", ".part.crc", "part.csv"] {
                    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
                    try Data("user,item,ts\n1,a,1\n".utf8).write(to: url.appendingPathComponent(name))
                }
            }
            var leftOut: [String] = []
            let sources = try LogSource.expanded([.file(folder)]) {
                leftOut.append(String($0.dropFirst(folder.path.count + 1)))
            }
            #expect(sources.count == 2)
            #expect(leftOut == [".part.crc", "_SUCCESS", "day=1/.part.crc", "day=1/_SUCCESS"])
        }
    }

    /// Before anything is read: the text may be long.
    @Test func textBesideOtherFiles() throws {
        try withTemporaryFolder { folder in
            for (name, bytes) in [
                ("a.csv", Array("user,item,ts\n1,a,1\n".utf8)), ("b.csv", []), ("c.json", Array("{\"user\":1}".utf8)),
                ("d.parquet", Array("PAR1\u{15}\0".utf8)),
            ] as [(String, [UInt8])] {
                try Data(bytes).write(to: folder.appendingPathComponent(name))
            }
            let mixed = complaint { _ = try LogSource.expanded([.file(folder)]) } ?? ""
            #expect(mixed.contains("a.csv is text, "), "\(mixed)")
            #expect(mixed.hasSuffix("d.parquet is a Parquet file: they make no one log"), "\(mixed)")
            for name in ["a.csv", "c.json"] {
                try FileManager.default.removeItem(at: folder.appendingPathComponent(name))
            }
            #expect(try LogSource.expanded([.file(folder)]).count == 2)
        }
    }

    @Test func aFileGivenTwice() throws {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("log.csv")
            try Data("user,item,ts\n1,a,1\n".utf8).write(to: url)
            let link = folder.appendingPathComponent("link.csv")
            try FileManager.default.createSymbolicLink(at: link, withDestinationURL: url)
            for sources in [
                [LogSource.file(url), .file(url)], [.file(url), .file(link)], [.file(folder), .file(url)],
                [.standardInput, .standardInput],
            ] {
                #expect(complaint { _ = try LogSource.expanded(sources) }?.contains("is given twice") == true)
            }
            let empty = folder.appendingPathComponent("empty")
            try FileManager.default.createDirectory(at: empty, withIntermediateDirectories: true)
            #expect(complaint { _ = try LogSource.expanded([.file(empty)]) } == "empty: the folder holds no files")
        }
    }

    static let kinds: [(String, String)] = [
        (
            "log.csv",
            "user,item,ts,Event Type\n1,a,1,view\n1,b,2,purchase\n2,,3,view\n2,c,4, purchase\n2,d,5,\n3,e,6,cart\n"
        ),
        (
            "log.jsonl",
            "{\"user\":1,\"item\":\"a\",\"ts\":1,\"Event Type\":\"view\"}\n{\"user\":1,\"item\":\"b\",\"ts\":2,\"Event Type\":\"purchase\"}\n"
                + "{\"user\":2,\"item\":null,\"ts\":3,\"Event Type\":\"view\"}\n{\"user\":2,\"item\":\"c\",\"ts\":4,\"Event Type\":\"purchase\"}\n"
                + "{\"user\":2,\"item\":\"d\",\"ts\":5}\n{\"user\":3,\"item\":\"e\",\"ts\":6,\"Event Type\":\"cart\"}\n"
        ),
    ]

    @Test(arguments: kinds) func eventsOfOneKind(_ name: String, _ text: String) throws {
        func options(_ conditions: [EventCondition]) -> ReadOptions { .with { $0.conditions = conditions } }
        let bought = try prepare(
            text, named: name, options([EventCondition(column: "Event Type", values: ["purchase"])]))
        #expect(bought.histories == [["b"], ["c"]])
        #expect(bought.summary?.report?.read.droppedByCondition == 4)
        let both = try prepare(
            text, named: name, options([EventCondition(column: "event_type", values: ["purchase", "cart"])]))
        #expect(both.histories == [["b"], ["c"], ["e"]])
        let two = [
            EventCondition(column: "event_type", values: ["purchase"]), EventCondition(column: "user", values: ["2"]),
        ]
        #expect(try prepare(text, named: name, options(two)).histories == [["c"]])
        let none = complaint {
            _ = try prepare(text, named: name, options([EventCondition(column: "event_type", values: ["buy"])]))
        }
        #expect(none?.hasPrefix("\(name): none of its 6 lines is an event that passes; event_type is '") == true)
        #expect(none?.contains("'purchase', 'view'") == true)
        let missing = complaint {
            _ = try prepare(text, named: name, options([EventCondition(column: "kind", values: ["buy"])]))
        }
        #expect(missing?.contains("kind; found user, item, ts, Event Type") == true)
    }
}
