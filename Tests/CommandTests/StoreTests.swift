import Foundation
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
}
