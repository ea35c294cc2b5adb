import Foundation
import Interactions
import Tensors
import Testing

/// Valid logs with random damage: a dataset or a `DatasetError`, never a trap.
@Suite struct FuzzTests {
    /// Inputs that once went wrong, kept.
    static let regressions: [(name: String, text: String)] = [
        ("log.csv", "user,item,ts\n1,2,2024-02-30\n"),
        ("log.csv", "user,item,ts\n1,2,2024-05-01T12:00Z+02:00\n"),
        ("log.csv", "user,item\n1,é\n1,e\u{301}\n"),
        ("log.txt", "u\ta b\n"),
        ("log.jsonl", "{\"user\":1,\"item\":2}\n"),
        ("log.jsonl", "{\"user\":\"\\ud83d\"}"),
        ("log.jsonl", String(repeating: "{\"user\":", count: 50_000)),
        ("log.jsonl", "{\"x\":" + String(repeating: "[", count: 200_000)),
        ("log.csv", "\"\n"), ("log.csv", "\"\"\"\n"), ("log.csv", "user,item,\"\n1,2,\n"),
        ("log.csv", "user,item,ts\n1,\"a\n,,\n\",1\n1,b,2\n"), ("log.csv", "sep=\n"), ("log.csv", "sep=;\n"),
        ("log.csv", "#\n"),
        ("log.tsv", "\"user\"\t\"item\"\t\"ts\"\n\"1\"\t\"\n"), ("log.json", "[\n"), ("log", "\u{FEFF}"),
        ("log.txt", "\t\t\n"),
        ("ratings.dat", ":"), ("ratings.dat", ":::::::"), ("log.txt", " "), ("log.inter", ":\t:\n:\t:\n"),
    ]

    @Test(arguments: regressions) func keptInputs(_ name: String, _ text: String) {
        check { options in try soundDataset([UInt8](text.utf8), name, options) }
    }

    @Test(arguments: FormatTests.logs.map(\.name) + ["log.txt"]) func randomDamage(_ name: String) throws {
        let text = FormatTests.logs.first { $0.name == name }?.text ?? "u1 b c a\nu2\ta c\nu1 d\n"
        var random = SeededGenerator(seed: 10)
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent(name)
            for round in 0..<500 {
                var bytes = [UInt8](text.utf8)
                for _ in 0..<Int.random(in: 1...4, using: &random) { Self.damage(&bytes, &random) }
                try Data(bytes).write(to: url)
                check { options in _ = try InteractionLog.read(url, options) }
                if round % 100 == 0 { check { options in try soundDataset(bytes, name, options) } }
            }
        }
    }

    /// Files whose understanding rests on more than their names, with the options that some need.
    static let sniffed: [(name: String, text: String, columns: ColumnNames)] = [
        (
            "log.csv", "who;note;what;ts\n1;\"x;\n7;8;9\n\";a;5\n2;\"\"\"y\"\"\";b;6\n",
            ColumnNames(user: "who", item: "what")
        ),
        ("log.csv", "sep=|\nuser|item|ts\n1|a|5\n2|b|6\n", ColumnNames()),
        ("log.txt", "# made by x\nuser\titem\tts\n1\ta\t5\n2\tb\t6\n", ColumnNames()),
        ("log.tsv", "\"user\"\t\"item\"\t\"ts\"\n\"1\"\t\"a\tb\"\t\"5\"\n", ColumnNames()),
        (
            "u.data", "196\t242\t3\t881250949\n186\t302\t3\t891717742\n",
            ColumnNames(user: "1", item: "2", timestamp: "4")
        ),
        (
            "log", "{\"user\":1,\"x\":[\"\\\"\",{}],\"item\":2,\"ts\":3}\n{\"user\":1,\"item\":4,\"ts\":5}\n",
            ColumnNames()
        ),
    ]

    @Test(arguments: sniffed.indices) func randomDamageOfSniffedFiles(_ index: Int) throws {
        let (name, text, columns) = Self.sniffed[index]
        var random = SeededGenerator(seed: 33)
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent(name)
            for _ in 0..<250 {
                var bytes = [UInt8](text.utf8)
                for _ in 0..<Int.random(in: 1...4, using: &random) { Self.damage(&bytes, &random) }
                try Data(bytes).write(to: url)
                check { options in
                    var options = options
                    options.columns = columns
                    if columns.timestamp != nil { options.hasHeader = false }
                    _ = try InteractionLog.read(url, options)
                }
                check { options in _ = try Titles.read(.file(url), options) }
            }
        }
    }

    private static func damage(_ bytes: inout [UInt8], _ random: inout SeededGenerator) {
        guard !bytes.isEmpty else { return bytes.append(0x0A) }
        let i = Int.random(in: 0..<bytes.count, using: &random)
        let telling =
            [0x22, 0x2C, 0x0A, 0x0D, 0x09, 0x20, 0x3A, 0x5C, 0x7B, 0x7D, 0x5B, 0x2D, 0x65, 0, 0xFF, 0xC3] as [UInt8]
        switch Int.random(in: 0..<6, using: &random) {
        case 0: bytes[i] = UInt8.random(in: 0...255, using: &random)
        case 1: bytes[i] = telling[Int.random(in: 0..<telling.count, using: &random)]
        case 2: bytes.insert(telling[Int.random(in: 0..<telling.count, using: &random)], at: i)
        case 3: bytes.remove(at: i)
        case 4: bytes.removeSubrange(i...)
        default:
            let end = Int.random(in: i...bytes.count, using: &random)
            bytes.insert(contentsOf: bytes[i..<end], at: Int.random(in: 0...bytes.count, using: &random))
        }
    }

    /// Runs `body` with and without skipping bad lines; it may throw a `DatasetError` and nothing else.
    private func check(_ body: (ReadOptions) throws -> Void) {
        for skips in [false, true] {
            do { try body(.with { $0.skipsBadLines = skips }) } catch { #expect(error is DatasetError, "\(error)") }
        }
    }

    private func soundDataset(_ bytes: [UInt8], _ name: String, _ options: ReadOptions) throws {
        let prepared = try prepare(bytes, named: name, options)
        #expect(prepared.summary?.events == prepared.histories.joined().count)
        #expect(prepared.times.allSatisfy { $0 == $0.sorted() })
    }
}
