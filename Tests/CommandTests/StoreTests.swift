import Events
import Foundation
import Identifiers
import SQLiteLog
import Testing

@Suite struct StoreTests {
    @Test func whatIsExportedIsImportedIdentically() throws {
        let place = try Workplace()
        let lines = """
            {"user":"u","item":"a","type":"buy","timestamp":"2026-01-01T00:00:00.000001Z","value":2.5,"eventId":"x","recommendationId":"r"}
            {"user":"u","item":"é","type":"view","timestamp":"2026-01-01T00:00:00.000001Z"}
            {"user":"v","item":"a","type":"event","timestamp":"1969-12-31T23:59:59.5Z"}

            """
        try place.write(lines, "events.jsonl")
        #expect(try run(["store", "import", "events.jsonl", "--events", "--store", "shop"], in: place).status == 0)
        #expect(try run(["store", "export", "--store", "shop"], in: place).output == lines)
        let backup = try run(["store", "backup", "--store", "shop", "--output", "copy"], in: place)
        #expect(backup.status == 0 && backup.output.hasPrefix("Copied    3 events"))
        #expect(try place.names(in: "copy") == ["log.sqlite"])
        #expect(try run(["store", "export", "--store", "copy"], in: place).output == lines)
        let buys = try run(["store", "export", "--store", "copy", "--event-types", "buy"], in: place)
        #expect(buys.output == lines.prefix { $0 != "\n" } + "\n")
        let again = try run(
            ["store", "import", "events.jsonl", "--events", "--store", "shop", "--append", "--json"], in: place)
        #expect(again.output.contains("\"duplicates\" : 1") && again.output.contains("\"eventsInStore\" : 5"))
    }

    @Test func aLogBecomesAStoreAndTheStoreTheSameDataset() throws {
        let place = try Workplace()
        try place.write(walks(), "log.csv")
        #expect(try run(["prepare", "log.csv", "--output", "direct"], in: place).status == 0)
        let imported = try run(["store", "import", "log.csv", "--store", "shop", "--file-order"], in: place)
        #expect(imported.status == 0)
        let prepared = try run(["prepare", "--store", "shop", "--output", "data"], in: place)
        #expect(prepared.status == 0)
        let counts = try ["direct", "data"].map { folder in
            try run(["inspect", folder], in: place).output.split(separator: "\n").prefix(3)
        }
        #expect(counts[0] == counts[1], "users, items, events")
        #expect(
            try run(["prepare", "--store", "shop", "--event-types", "none", "--output", "x"], in: place).status == 65)
    }

    /// A dataset holds nanoseconds: other years would come back in the wrong order.
    @Test func timesThatNoDatasetHoldsAreRefusedOrCounted() throws {
        let place = try Workplace()
        try place.write(
            (1700...1704).map { "{\"user\":\"u\",\"item\":\"i\($0)\",\"timestamp\":\"\($0)-01-01T00:00:00Z\"}\n" }
                .joined(),
            "events.jsonl")
        #expect(try run(["store", "import", "events.jsonl", "--events", "--store", "shop"], in: place).status == 0)
        let early = NewEvent(user: "u", item: "i", time: Timestamp(microseconds: -11_676_096_000_000_000))
        _ = try SQLiteEventLog(place.url.appendingPathComponent("shop")).commit([.append([early])], now: early.time!)
        let words = [
            "prepare", "--store", "shop", "--output", "data", "--min-user-events", "1", "--min-item-events", "1",
        ]
        let refused = try run(words, in: place)
        #expect(refused.status == 65 && !place.exists("data"))
        #expect(
            refused.error.contains(
                "the time 1600-01-01T00:00:00Z of user u is not of the years 1678 to 2261; give --skip-bad"),
            "\(refused.error)")
        let counted = try run(words + ["--skip-bad-lines"], in: place)
        #expect(counted.status == 0 && counted.output.contains("Events    5"), "\(counted.error)")
        #expect(counted.output.contains("Dropped   1 malformed line,"), "\(counted.output)")
    }

    /// Titles that programs gave to items come first, then those of the file.
    @Test func titlesOfTheStoreBelongToTheDataset() throws {
        let place = try Workplace()
        try place.write(walks(), "log.csv")
        #expect(try run(["store", "import", "log.csv", "--store", "shop", "--file-order"], in: place).status == 0)
        let given = AnnotationChange("i1", annotation: ItemAnnotation(title: "Tea"))
        _ = try SQLiteEventLog(place.url.appendingPathComponent("shop")).commit(
            [.annotate([given])], now: Timestamp(microseconds: 0))
        try place.write("item_id,title\ni1,Coffee\ni2,Milk\n", "titles.csv")
        let prepared = try run(["prepare", "--store", "shop", "--titles", "titles.csv", "--output", "data"], in: place)
        #expect(prepared.status == 0 && prepared.error.contains("these are in the log's order"))
        let items = String(decoding: try place.bytes("data/items.tsv"), as: UTF8.self)
        #expect(items.contains("i1\tTea\n") && items.contains("i2\tMilk\n"))
    }

    @Test func aStoreIsWholeOrNotAtAllAndNothingIsOverwritten() throws {
        let place = try Workplace()
        try place.write("{\"user\":\"u\",\"item\":\"a\"}\n{\"user\":\"u\",\"itm\":\"a\"}\n", "bad.jsonl")
        let words = ["store", "import", "bad.jsonl", "--events", "--store", "shop"]
        let refused = try run(words, in: place)
        #expect(refused.status == 65 && refused.error.contains("line 2: itm"))
        #expect(try place.names() == ["bad.jsonl"])
        let skipped = try run(words + ["--skip-bad-lines"], in: place)
        #expect(skipped.status == 0 && skipped.output.contains("Skipped   1 malformed line"))
        #expect(try run(words + ["--skip-bad-lines"], in: place).status == 73)
        #expect(try run(["store", "backup", "--store", "shop", "--output", "shop"], in: place).status == 73)
        for command in [["export"], ["backup", "--output", "x"]] {
            #expect(try run(["store"] + command + ["--store", "none"], in: place).status == 66)
        }
        #expect(try run(words + ["--append", "--type", "view"], in: place).status == 64)
        #expect(try place.names() == ["bad.jsonl", "shop"])
    }

    private static let shop = """
        client,sku,at,action,uuid
        u,a,2026-01-01T00:00:00Z,view,1
        u,b,2026-01-01T00:00:01Z,buy,2
        v,"a,b",2026-01-01T00:00:02Z,"add, then",1

        """
    private static let columns = [
        "--user", "client", "--item", "sku", "--timestamp", "at", "--type-column", "action", "--event-id", "uuid",
    ]

    @Test func anImportWithIDsIsStoredOnceHoweverOftenItIsDone() throws {
        let place = try Workplace()
        try place.write(Self.shop, "shop.csv")
        let words = ["store", "import", "shop.csv", "--store", "shop"] + Self.columns
        let first = try run(words, in: place)
        #expect(first.status == 0 && first.output.contains("Imported  3 events\n"))
        #expect(first.error.contains("type: action (column 4), as asked") && !first.error.contains("without an id"))
        let exported = try run(["store", "export", "--store", "shop"], in: place).output
        #expect(
            exported
                == """
                {"user":"u","item":"a","type":"view","timestamp":"2026-01-01T00:00:00Z","eventId":"1"}
                {"user":"u","item":"b","type":"buy","timestamp":"2026-01-01T00:00:01Z","eventId":"2"}
                {"user":"v","item":"a,b","type":"add, then","timestamp":"2026-01-01T00:00:02Z","eventId":"1"}

                """)
        let again = try run(words + ["--append"], in: place)
        #expect(again.status == 0 && again.output.contains("Imported  0 events, 3 more were there already"))
        #expect(try run(["store", "export", "--store", "shop"], in: place).output == exported)
        // Also where the times are those of the import.
        for _ in 0..<2 {
            let untimed = ["store", "import", "shop.csv", "--store", "untimed", "--file-order", "--json"]
            let columns = Self.columns.filter { $0 != "--timestamp" && $0 != "at" }
            let append = try place.names().contains("untimed") ? ["--append"] : []
            let outcome = try run(untimed + columns + append, in: place)
            #expect(outcome.output.contains("\"eventsInStore\" : 3") && outcome.output.contains("\"withoutID\" : 0"))
        }
    }

    @Test func anIDThatSaysSomethingElseIsRefused() throws {
        let place = try Workplace()
        try place.write(Self.shop + "u,c,2026-01-01T00:00:03Z,view,2\n", "shop.csv")
        let outcome = try run(["store", "import", "shop.csv", "--store", "shop"] + Self.columns, in: place)
        #expect(outcome.status == 65 && outcome.error.contains("the eventId 2 of user u"))
        #expect(try place.names() == ["shop.csv"])
    }

    @Test func eventsWithoutIDsAreCountedAloud() throws {
        let place = try Workplace()
        try place.write(
            """
            {"user":"u","item":"a","time":1767225600,"id":"x"}
            {"user":"u","item":"b","time":1767225601,"id":null}
            {"user":"u","item":"c","time":1767225602}
            {"user":"u","item":"d","time":1767225603,"id":" "}

            """, "log.jsonl")
        let words = ["store", "import", "log.jsonl", "--store", "shop", "--event-id", "id", "--type", "view"]
        let first = try run(words, in: place)
        #expect(first.status == 0 && first.error.contains("note: 3 events without an id"), "\(first.error)")
        let again = try run(words + ["--append"], in: place)
        #expect(again.error.contains("note: 3 events without an id"))
        #expect(
            again.output == "Imported  3 events, 1 more were there already\nStore     7 events\n", "\(again.output)")
        #expect(try run(["store", "export", "--store", "shop"], in: place).output.contains(#""type":"view""#))
    }

    /// What the API refuses no import brings in.
    @Test(arguments: [String(repeating: "x", count: 257), "position:3"])
    func idsThatNoEventCanHaveAreRefused(_ id: String) throws {
        let place = try Workplace()
        try place.write("user,item,time,id\nu,a,1767225600,1\nu,b,1767225601,\(id)\n", "log.csv")
        let words = ["store", "import", "log.csv", "--store", "shop", "--event-id", "id"]
        let refused = try run(words, in: place)
        #expect(refused.status == 65 && refused.error.contains("log.csv: the event id '\(id.prefix(40))' "))
        let skipped = try run(words + ["--skip-bad-lines"], in: place)
        #expect(skipped.status == 0 && skipped.output.contains("Skipped   1 malformed line"))
    }

    @Test func columnsOfTypesAreOneWayToSayTypes() throws {
        let place = try Workplace()
        try place.write(Self.shop, "shop.csv")
        for words in [["--type", "view"], ["--events"]] {
            let outcome = try run(["store", "import", "shop.csv", "--store", "shop"] + Self.columns + words, in: place)
            #expect(outcome.status == 64)
        }
        let missing = try run(
            ["store", "import", "shop.csv", "--store", "shop"] + Self.columns.dropLast() + ["guid"], in: place)
        #expect(missing.status == 65 && missing.error.contains("guid"))
    }
}
