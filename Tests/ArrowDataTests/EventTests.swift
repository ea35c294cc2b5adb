import ArrowData
import CArrow
import Foundation
import Identifiers
import Interactions
import Testing

/// Tables that become datasets: the very ones that CSV files of the same events become.
@Suite struct EventTests {
    private static let users = ["u1", "u2", "u1", "a longer name than twelve bytes", "u2", "u1", "é", "u2"]
    private static let items: [Int64] = [7, -3, 7, 9_000_000_000, 1, 2, 3, 7]
    private static let seconds: [Int64] = [1_700_000_005, 1_700_000_004, 1_700_000_003, 0, 1_700_000_001, 5, 6, 7]

    private static func csv(_ rows: [[String]]) -> String {
        (["user,item,timestamp"] + rows.map { $0.joined(separator: ",") }).joined(separator: "\n") + "\n"
    }

    private static var rows: [[String]] { users.indices.map { [users[$0], "\(items[$0])", "\(seconds[$0])"] } }

    /// The same events in several types and cuts.
    static let tables: [(name: String, batches: [Handmade])] = {
        func table(_ user: Handmade, _ item: Handmade, _ time: Handmade) -> Handmade {
            let nested = Handmade(format: "+l", name: "tags", length: 8, buffers: [nil, nil], children: [nil])
            let binary = Handmade(format: "z", name: "blob", length: 8, buffers: [nil, nil, nil])
            return .table([nested, time, binary, item, user], rows: 8)
        }
        let item = Handmade.numbers("item", "l", items, zero: 0)
        let time = Handmade.numbers("timestamp", "l", seconds, zero: 0)
        let text = Handmade.texts("user", "u", users)
        let names = Handmade.texts("", "U", ["é", "never", nil, "u1", "u2", users[3]])
        let words = Handmade.words("user", [3, 4, 3, 5, 4, 3, 0, 4], names)
        // The same rows behind others, of which nothing may be read.
        let before = Handmade.table(
            [
                .texts("user", "vu", ["x", nil] + users + [nil]),
                .numbers("item", "l", [nil, 1] + items + [5], zero: 0),
                .numbers("timestamp", "l", [1, 1] + seconds + [nil], zero: 0),
            ], rows: 8, offset: 2, validity: [0b1111_1110, 0b11])
        var sliced = table(words, item, time)
        sliced.children[4]!.buffers = [nil, Handmade.bytes([9, 9, 3, 4, 3, 5, 4, 3, 0, 4] as [Int8])]
        (sliced.children[4]!.offset, sliced.children[4]!.nullCount) = (2, 0)
        let empty = Handmade.table(table(text, item, time).children.map { $0! }, rows: 0)
        func part(_ range: Range<Int>) -> Handmade {
            .table(
                [
                    .texts("user", "u", users[range].map { $0 }),
                    .numbers("item", "l", items[range].map { $0 }, zero: 0),
                    .numbers("timestamp", "l", seconds[range].map { $0 }, zero: 0),
                ], rows: Int64(range.count))
        }
        return [
            ("utf8", [table(text, item, time)]),
            ("large utf8", [table(.texts("user", "U", users), item, time)]),
            ("views", [table(.texts("user", "vu", users), item, time)]),
            ("dictionary", [table(words, item, time)]), ("sliced dictionary", [sliced]), ("sliced rows", [before]),
            ("empty batches", [empty, table(text, item, time), empty]),
            ("parts", [part(0..<3), part(3..<4), part(4..<8)]),
            (
                "texts of numbers",
                [
                    table(
                        text, .texts("item", "u", items.map { "\($0)" }),
                        .texts("timestamp", "u", seconds.map { "\($0)" }))
                ]
            ),
            (
                "floating-point times",
                [table(text, item, .numbers("timestamp", "g", seconds.map { Double($0) }, zero: 0))]
            ),
            (
                "dictionary of numbers",
                [
                    table(
                        text,
                        .words(
                            "item", [0, 1, 0, 2, 3, 4, 5, 0],
                            .numbers("", "l", [7, -3, 9_000_000_000, 1, 2, 3], zero: 0)),
                        .numbers("timestamp", "L", seconds.map { UInt64($0) }, zero: 0))
                ]
            ),
        ]
    }()

    @Test(arguments: tables.indices) func tablesAreReadLikeFiles(_ index: Int) throws {
        let (name, batches) = Self.tables[index]
        let expected = try dataset(ofCSV: Self.csv(Self.rows))
        #expect(try dataset(of: batches) == expected, "\(name)")
    }

    /// All widths of whole numbers, as users, items and times.
    @Test func widths() throws {
        func columns<N: FixedWidthInteger & BitwiseCopyable>(_ format: String, _ type: N.Type) -> [Handmade] {
            ["user", "item", "timestamp"].map { .numbers($0, format, [1, 2, 1, N.max, N.min], zero: 0) }
        }
        func check<N: FixedWidthInteger & BitwiseCopyable>(_ format: String, _ type: N.Type) throws {
            let values = [1, 2, 1, N.max, N.min].map { "\($0)" }
            let table = Handmade.table(columns(format, type), rows: 5)
            let csv = Self.csv(values.map { [$0, $0, $0] })
            let (mine, files) = (result { try dataset(of: [table]) }, result { try dataset(ofCSV: csv) })
            #expect(mine == files, "\(format)")
        }
        try check("c", Int8.self)
        try check("C", UInt8.self)
        try check("s", Int16.self)
        try check("S", UInt16.self)
        try check("i", Int32.self)
        try check("I", UInt32.self)
        try check("l", Int64.self)
        try check("L", UInt64.self)
    }

    /// What the type of a time says, and what a file of pandas says.
    @Test func timestampsAndDates() throws {
        let texts = ["2024-05-01 12:30:00", "1969-12-31 23:59:59", "2020-02-29 00:00:00"]
        let seconds: [Int64] = [1_714_566_600, -1, 1_582_934_400]
        for (format, factor) in [("tss:", 1), ("tsm:", 1_000), ("tsu:", 1_000_000), ("tsn:", 1_000_000_000)]
            as [(String, Int64)]
        {
            for zone in ["", "UTC", "Europe/Berlin"] {
                let csv = Self.csv(texts.map { ["1", "2", $0 + (zone.isEmpty ? "" : "+00:00")] })
                let time = Handmade.numbers("timestamp", format + zone, seconds.map { $0 * factor }, zero: 0)
                #expect(try dataset(of: [Self.table(times: time)]) == dataset(ofCSV: csv), "\(format)\(zone)")
            }
        }
        let dates = Self.csv([["1", "2", "2024-05-01"], ["1", "2", "1969-12-31"], ["1", "2", "1970-01-01"]])
        let days: [Int32] = [19_844, -1, 0]
        let short = Handmade.numbers("timestamp", "tdD", days, zero: 0)
        let long = Handmade.numbers("timestamp", "tdm", days.map { Int64($0) * 86_400_000 }, zero: 0)
        #expect(try dataset(of: [Self.table(times: short)]) == dataset(ofCSV: dates))
        #expect(try dataset(of: [Self.table(times: long)]) == dataset(ofCSV: dates))
        let fractions = Handmade.numbers(
            "timestamp", "tsn:", [1_500_000_000, 1_000_001_000, 1_000_000_001] as [Int64], zero: 0)
        let parts = ["1970-01-01 00:00:01.500", "1970-01-01 00:00:01.000001", "1970-01-01 00:00:01.000000001"]
        #expect(
            try dataset(of: [Self.table(times: fractions)]) == dataset(ofCSV: Self.csv(parts.map { ["1", "2", $0] })))
    }

    private static func table(times: Handmade) -> Handmade {
        .table(
            [.numbers("user", "l", [1, 1, 1], zero: 0), .numbers("item", "c", [2, 2, 2], zero: 0 as Int8), times],
            rows: 3)
    }

    @Test func timesBeyondTheCalendar() {
        for (format, value) in [("tss:", Int64.max), ("tsm:", .min), ("tsu:", 9_300_000_000_000_000), ("tsn:", .min)] {
            let time = Handmade.numbers("timestamp", format, [0, value, 0], zero: 0)
            let message = complaint { _ = try dataset(of: [Self.table(times: time)]) }
            #expect(message.hasPrefix("the table, row 1 (counted from 0): the timestamp '"), "\(message)")
            #expect(message.hasSuffix("' is not of the years 1678 to 2261 (column timestamp)"), "\(message)")
        }
    }

    @Test func floatingPointIDs() throws {
        let whole = Handmade.table(
            [
                .numbers("user", "g", [1, 2, 1], zero: 0.0), .numbers("item", "f", [7, 8, 7], zero: 0 as Float),
                .numbers("ts", "l", [1, 2, 3], zero: 0),
            ],
            rows: 3)
        #expect(try dataset(of: [whole]) == dataset(ofCSV: "user,item,ts\n1.0,7.0,1\n2.0,8.0,2\n1.0,7.0,3\n"))
        for (value, words) in [
            (1.5, "the user 1.5 is no whole number that its type holds exactly"), (.nan, "the user is null"),
            (0x1p53, "is no whole number that its type holds exactly"), (.infinity, "the user inf is no whole number"),
        ] {
            let table = Handmade.table(
                [
                    .numbers("user", "g", [1, value], zero: 0.0), .numbers("item", "l", [1, 2], zero: 0),
                    .numbers("ts", "l", [1, 2], zero: 0),
                ],
                rows: 2)
            let message = complaint { _ = try dataset(of: [table]) }
            #expect(
                message.hasPrefix("the table, row 1 (counted from 0): the user") && message.contains(words),
                "\(message)")
            #expect(message.hasSuffix("(column user)"), "\(message)")
        }
    }

    @Test func whatHasNoIDOrTime() throws {
        let table = Handmade.table(
            [
                .texts("user", "u", ["a", nil, "b", "", "NaN", "c"]),
                .numbers("item", "l", [1, 1, nil, 1, 1, 1], zero: 0),
                .numbers("ts", "l", [1, 2, 3, 4, 5, nil], zero: 0),
            ], rows: 6)
        #expect(
            complaint { _ = try dataset(of: [table]) }
                == "the table, row 1 (counted from 0): the user is null (column user)")
        var options = ReadOptions()
        options.skipsBadLines = true
        #expect(
            try dataset(of: [table], options)
                == dataset(ofCSV: "user,item,ts\na,1,1\n,1,2\nb,,3\n,1,4\nNaN,1,5\nc,1,\n", options))
        let nulls = Handmade.table(
            [
                Handmade(format: "n", name: "user", length: 2, nullCount: 2, buffers: []), table.children[1]!,
                table.children[2]!,
            ], rows: 2)
        #expect(
            complaint { _ = try dataset(of: [nulls]) }
                == "the table, row 0 (counted from 0): the user is null (column user)")
        #expect(
            complaint { _ = try dataset(of: [nulls], options) }
                == "the table: none of its 2 rows is an event that passes; the first that is malformed: the table, row 0 "
                + "(counted from 0): the user is null (column user)")
    }

    @Test func ratingsAndConditions() throws {
        let table = Handmade.table(
            [
                .numbers("user", "l", [1, 1, 2, 2], zero: 0), .texts("item", "u", ["a", "b", "c", "d"]),
                .numbers("ts", "l", [1, 2, 3, 4], zero: 0),
                .numbers("rating", "f", [4.1, 4, 5, 4.2], zero: 0 as Float),
                .words("kind", [0, 0, 1, 0], .texts("", "u", ["buy", "view"])),
                Handmade(format: "b", name: "new", length: 4, buffers: [nil, [0b1011]]),
            ], rows: 4)
        let csv =
            "user,item,ts,rating,kind,new\n1,a,1,4.1,buy,true\n1,b,2,4,buy,true\n2,c,3,5,view,false\n2,d,4,4.2,buy,true\n"
        var options = ReadOptions()
        options.minimumRating = 4.1
        options.conditions = [
            EventCondition(column: "kind", values: ["buy"]), EventCondition(column: "NEW", values: ["true"]),
        ]
        #expect(try dataset(of: [table], options) == dataset(ofCSV: csv, options))
        options.conditions = [EventCondition(column: "kind", values: ["sell"])]
        #expect(
            complaint { _ = try dataset(of: [table], options) }
                == "the table: none of its 4 rows is an event that passes; kind is 'buy', 'view'")
    }

    /// Ids that Unicode composes, in a dictionary too, each time they occur; and rows that are in order of time.
    @Test func composedIDsAndTheOrderOfRows() throws {
        let items = Handmade.words("item", [0, 1, 0, 2], .texts("", "u", ["e\u{301}", "x", "\u{E9}"]))
        let table = Handmade.table([.texts("user", "vu", ["o\u{308}", "\u{F6}", "b", "b"]), items], rows: 4)
        var options = ReadOptions()
        options.usesFileOrder = true
        let csv = "user,item\no\u{308},e\u{301}\n\u{F6},x\nb,e\u{301}\nb,\u{E9}\n"
        #expect(try dataset(of: [table], options) == dataset(ofCSV: csv, options))
        var said = ""
        _ = try read([table], options) { said = $0.description }
        #expect(said.contains("\n  time: the order of the rows\n"))
    }

    /// Whole numbers that fill the table of their numbers many times over.
    @Test func manyIDs() throws {
        let values = (0..<5000).map { Int64($0 * 2_654_435_761 % 4001) - 2000 }
        let table = Handmade.table(
            ["user", "item", "ts"].map { .numbers($0, "l", values.map { $0 + 3000 }, zero: 0) }, rows: 5000)
        #expect(
            try dataset(of: [table])
                == dataset(
                    ofCSV: "user,item,ts\n" + values.map { v in "\(v + 3000),\(v + 3000),\(v + 3000)\n" }.joined()))
    }

    @Test func columnsAreSaid() throws {
        let table = Handmade.table(
            [
                .numbers("ts", "l", [1_700_000_000], zero: 0), .texts("sku", "u", ["a"]),
                .texts("session_id", "u", ["s"]),
                .texts("Customer", "u", ["c"]),
            ], rows: 1)
        var said: [LogLayout] = []
        _ = try read([table]) { said.append($0) }
        #expect(
            said.map(\.description) == [
                "the table: a table in memory\n  user: Customer (column 4), by its name, not session_id\n"
                    + "  item: sku (column 2), by its name\n  time: ts (column 1), by its name\n"
                    + "  first event: user 'c', item 'a', time '1700000000'"
            ])
        var options = ReadOptions()
        options.columns = ColumnNames(user: "session_id", item: "2", timestamp: "TS")
        #expect(try read([table], options).count == 1)
        options.columns.user = "who"
        #expect(
            complaint { _ = try read([table], options) }
                == "the table: there is no column who; found ts, sku, session_id, Customer")
        options = ReadOptions()
        options.format = .csv
        #expect(complaint { _ = try read([table], options) }.contains("has no format, delimiter or header"))
    }

    @Test(arguments: ["z", "b", "e", "d:10,2", "+l", "tiM", "nonsense", "tss"]) func typesThatAreNoIDs(_ format: String)
    {
        let table = Handmade.table(
            [
                Handmade(format: format, name: "user", length: 1, buffers: [nil, [1, 0, 0, 0]]),
                .numbers("item", "l", [1], zero: 0),
                .numbers("ts", "l", [1], zero: 0),
            ], rows: 1)
        let message = complaint { _ = try read([table]) }
        #expect(message.hasPrefix("the table: the column user of users is of type "), "\(message)")
        #expect(message.hasSuffix("; ids are text or whole numbers"), "\(message)")
    }

    @Test func aDictionaryOfNulls() {
        let nulls = Handmade(format: "n", length: 1 << 47, nullCount: 1 << 47, buffers: [])
        let table = Handmade.table(
            [.words("user", [0], nulls), .numbers("item", "l", [1], zero: 0), .numbers("ts", "l", [1], zero: 0)],
            rows: 1)
        #expect(
            complaint { _ = try read([table]) }
                == "the table: the column user of users is of type dictionary of nulls; ids are text or whole numbers")
    }

    @Test func nothingAtAll() {
        let columns = Handmade.table(
            [.texts("user", "u", []), .texts("item", "u", []), .numbers("ts", "l", [] as [Int64?], zero: 0)], rows: 0)
        #expect(complaint { _ = try read([], schema: columns) } == "the table: it is empty")
        #expect(complaint { _ = try read([columns, columns]) } == "the table: it is empty")
        #expect(
            complaint { _ = try read([], schema: .table([], rows: 0)) }
                == "the table: it has no columns")
    }

    @Test func theProducersOwnErrors() throws {
        let table = Self.tables[0].batches[0]
        #expect(complaint { _ = try read([table], failing: .schema) } == "the disk is full")
        #expect(complaint { _ = try read([table], failing: .batch(0)) } == "the table: the disk is full")
        #expect(complaint { _ = try read([table, table], failing: .batch(1)) } == "the table: the disk is full")
        var released = ArrowArrayStream()
        #expect(throws: ArrowError.malformed("the stream is released already")) {
            _ = try ArrowStream(moving: &released)
        }
        let number = Handmade(format: "l", length: 1, buffers: [nil, [0, 0, 0, 0, 0, 0, 0, 0]])
        #expect(
            complaint { _ = try read([number]) }
                == "malformed Arrow data: the stream is one of int64 values, not of tables")
    }
}
