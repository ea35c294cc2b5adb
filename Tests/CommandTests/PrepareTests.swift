import Foundation
import Testing

/// What `prepare` says while it reads, and that it says it on standard error.
@Suite struct PrepareTests {
    private func lines(_ text: String) -> [String] {
        text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
    }

    @Test func saysHowItUnderstoodTheLog() throws {
        let place = try Workplace()
        try place.write("Customer;SKU;Created At;type\n1;a;5;view\n1;b;6;buy\n1;a;7;buy\n", "log.csv")
        try place.write("sku;name\na;The A\nz;The Z\n", "titles.csv")
        let arguments = [
            "prepare", "log.csv", "-o", "data", "--min-user-events", "1", "--min-item-events", "1", "--where",
            "type=buy",
            "--titles", "titles.csv", "--json",
        ]
        let outcome = try run(arguments, in: place)
        #expect(outcome.status == 0, "\(outcome.error)")
        #expect(outcome.output.hasPrefix("{"))
        let said = lines(outcome.error)
        for expected in [
            "user: Customer (column 1), by its name", "item: SKU (column 2), by its name",
            "time: Created At (column 3), by its name", "first event: user '1', item 'b', time '6', type 'buy'",
            "first title: item 'a', title 'The A'",
            "recblr: note: 1 title without an item of the log, 1 item without a title",
        ] { #expect(said.contains(expected), "\(expected): \(outcome.error)") }
        #expect(
            said.contains { $0.hasSuffix("log.csv: csv, delimiter semicolon, with a header, fields may be quoted") })
    }

    @Test func readsStandardInputAndParts() throws {
        let place = try Workplace()
        try place.write("user,item,ts\n1,a,1\n1,b,2\n", "one.csv")
        try FileManager.default.createDirectory(atPath: place.path("parts"), withIntermediateDirectories: true)
        try place.write("user,item,ts\n1,c,3\n", "parts/p0.csv")
        try place.write("1,d,4\n", "parts/p1.csv")
        try place.write("", "parts/_SUCCESS")
        let process = Process()
        process.executableURL = program
        process.currentDirectoryURL = place.url
        process.arguments = [
            "prepare", "-", "one.csv", "parts", "-o", "data", "--min-user-events", "1", "--min-item-events", "1",
        ]
        let (input, output, error) = (Pipe(), Pipe(), Pipe())
        (process.standardInput, process.standardOutput, process.standardError) = (input, output, error)
        try process.run()
        // user_id, item_id, time; 2, e, 9; tabs between them, as zstd packs it.
        let packed = "KLUv/QRY2QAAdXNlcl9pZAlpdGVtX2lkCXRpbWUKMgllCTkKLsrS3g=="
        input.fileHandleForWriting.write(try #require(Data(base64Encoded: packed)))
        try input.fileHandleForWriting.close()
        let said = String(decoding: error.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(said)")
        #expect(said.contains("standard input: tsv, delimiter tab"))
        #expect(lines(said)[0].hasPrefix("recblr: note: left out: ") && lines(said)[0].hasSuffix("parts/_SUCCESS"))
        #expect(lines(said).contains { $0.hasPrefix("no header: its columns are taken to be those of ") })
        #expect(
            lines(String(decoding: try place.bytes("data/items.tsv"), as: UTF8.self)) == [
                "id\ttitle", "e", "a", "b", "c", "d",
            ])
    }
}
