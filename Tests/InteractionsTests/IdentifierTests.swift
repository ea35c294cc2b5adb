import Foundation
import Interactions
import Testing

/// What is an id, and which spellings of it are one.
@Suite struct IdentifierTests {
    @Test(arguments: [
        "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "null", "NULL", "None", "none", "nil", "\\N", "undefined", "",
        " ", "\u{A0}",
        "\"\"", "\" \"",
    ])
    func marksOfMissingValues(_ mark: String) throws {
        for line in ["\(mark),b,2\n", "1,\(mark),2\n"] {
            let text = "user,item,ts\n1,a,1\n" + line + "1,c,3\n"
            #expect(complaint { _ = try prepare(text) }?.hasPrefix("log.csv, line 3: the ") == true)
            let prepared = try prepare(text, .with { $0.skipsBadLines = true })
            #expect(prepared.histories == [["a", "c"]])
            #expect(prepared.readCounts == [3, 1, 0])
        }
    }

    @Test func nullsOfJSONAndSequences() {
        for (name, text) in [
            ("log.jsonl", "{\"user\":null,\"item\":1,\"ts\":1}\n"),
            ("log.jsonl", "{\"user\":1,\"item\":\"None\",\"ts\":1}\n"),
            ("log.txt", "u1 a NaN b\n"),
        ] {
            #expect(
                complaint { _ = try prepare(text, named: name) }?.hasSuffix("which marks a missing value") == true)
        }
    }

    @Test func aBadItemLeavesNothingOfItsLine() throws {
        let prepared = try prepare("u a NaN b\nv c d\n", named: "log.txt", .with { $0.skipsBadLines = true })
        #expect(prepared.users == ["v"])
    }

    @Test func idsThatOnlyLookLikeMarks() throws {
        let ids = ["Nana", "nano", "nullable", "Non", "N", "-", "0", "NA1"]
        let text = "user,item,ts\n" + ids.map { "1,\($0),1\n" }.joined()
        #expect(try prepare(text).histories == [ids])
    }

    @Test func blanksAroundIdsAreNoPartOfThem() throws {
        let text = "user,item,ts\n1,a,1\n 1,a ,2\n1\u{A0},\ta,3\n\u{FEFF}1,\u{3000}a\u{3000},4\n1,b c, 5 \n1,\" a\",6\n"
        let prepared = try prepare(text)
        #expect(prepared.users == ["1"])
        #expect(prepared.histories == [["a", "a", "a", "a", "b c", " a"]])
        #expect(try prepare("1\u{A0} a \u{A0}b\n1 a\n", named: "log.txt").histories == [["a", "b", "a"]])
        #expect(try prepare("user\titem\tts\n 1 \ta\t1\n1\t a\t2\n", named: "log.tsv").histories == [["a", "a"]])
    }

    @Test func oneIdInTwoUnicodeFormsIsOne() throws {
        let text = "user,item,ts\n1,caf\u{E9},1\n1,cafe\u{301},2\n2,\u{1100}\u{1161},3\n2,\u{AC00},4\n"
        let prepared = try prepare(text)
        #expect(prepared.histories == [["caf\u{E9}", "caf\u{E9}"], ["\u{AC00}", "\u{AC00}"]])
        #expect(prepared.summary?.items == 2)
        #expect(prepared.summary?.report?.read.composedIDs == 2)
    }

    @Test func aHeaderInTheMiddleIsNoEvent() throws {
        for text in [
            "user,item,ts\n1,a,1\nuser,item,ts\n1,b,2\n\u{FEFF}user,item,ts\r\n1,c,3\n",
            "user,item\n1,a\nuser,item\n1,b\nuser,item\n1,c\n",
            "user,item\n1,a\nUser, Item\n1,b\n\"user\",\"item\"\n1,c\n",
        ] {
            let prepared = try prepare(text, text.contains("ts") ? .init() : .fileOrder)
            #expect(prepared.histories == [["a", "b", "c"]])
            #expect(prepared.readCounts == [3, 0, 0])
            #expect(prepared.summary?.report?.read.repeatedHeaders == 2)
        }
    }

    @Test func warnings() throws {
        func warnings(_ text: String) throws -> [String] {
            try withTemporaryFolder { folder in
                let url = folder.appendingPathComponent("log.csv")
                try Data(text.utf8).write(to: url)
                return try InteractionLog.read(url, .with { $0.skipsBadLines = true }).warnings
                    .map { $0.replacing(folder.path + "/", with: "") }
            }
        }
        #expect(try warnings("user,item,ts\n1,a,1\n2.0,b,1\n1.5,c,1\n") == [])
        #expect(
            try warnings("user,item,ts\n1,a,1\n1\n1,b\n1,c,2\n1,d,3\n1,e,4\n")
                == [
                    "skipped: 2 malformed lines, the first of them: log.csv, line 3: expected 3 fields, found 1"
                ])
        let found = try warnings("user,item,ts\n17850,a,1\nuser,item,ts\n17850.0,e\u{301},1\n3,7.0,1\n3,7,1\n")
        #expect(found.count == 4)
        #expect(found[0].hasPrefix("skipped: 1 line that only the header should be"))
        #expect(found[1].hasPrefix("taken for their composed form (NFC): 1 id in a decomposed Unicode form"))
        #expect(found[2].hasPrefix("1 user with and without .0 in the log (17850.0 beside 17850)"))
        #expect(found[3].hasPrefix("1 item with and without .0 in the log (7.0 beside 7)"))
    }
}
