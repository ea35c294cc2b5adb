import Foundation
import Interactions
import Testing

/// Every way a log can be wrong, and the words for it.
@Suite struct ErrorTests {
    @Test(arguments: [
        ("log.csv", "", "log.csv: it is empty"),
        ("log.csv", "user,item,ts\n", "log.csv: no events"),
        ("log.csv", "user,item,ts\n\n\n", "log.csv: no events"),
        (
            "log.csv", "\nsku,item\n",
            "log.csv, line 2: there is no column of users; found sku, item"
        ),
        ("log.csv", "a,b\n1,2\n", "log.csv, line 1: there is no column of users; found a, b"),
        (
            "log.csv", "user,b\n1,2\n",
            "log.csv, line 1: there is no column of items; found user, b"
        ),
        (
            "log.csv", "user,item,user\n",
            "log.csv, line 1: the column user occurs more than once; found user, item, user"
        ),
        ("log.csv", "user,item\n1,2\n1\n", "log.csv, line 3: expected 2 fields, found 1"),
        ("log.csv", "user,item\n1,2,3\n", "log.csv, line 2: expected 2 fields, found 3"),
        (
            "log.csv", "user,item\n,2\n",
            "log.csv, line 2: the user is empty"
        ),
        (
            "log.csv", "user,item\n1,\"\"\n",
            "log.csv, line 2: the item is empty"
        ),
        (
            "log.csv", "user,item,ts\n1,2,x\n",
            "log.csv, line 2: the timestamp 'x' is neither a number nor a date such as 2024-05-01 12:30:00"
        ),
        (
            "log.csv", "user,item,ts\n1,2,\n",
            "log.csv, line 2: the timestamp '' is neither a number nor a date such as 2024-05-01 12:30:00"
        ),
        (
            "log.csv", "user,item,ts\n1,2,nan\n",
            "log.csv, line 2: the timestamp 'nan' is neither a number nor a date such as 2024-05-01 12:30:00"
        ),
        ("log.csv", "user,item,ts\n1,2,1e999\n", "log.csv, line 2: the timestamp '1e999' is beyond 64 bits"),
        (
            "log.csv", "user,item,ts\n1,2,\(String(repeating: "z", count: 99))\n",
            "log.csv, line 2: the timestamp '\(String(repeating: "z", count: 40))…' is neither a number nor a date such as 2024-05-01 12:30:00"
        ),
        (
            "log.csv", "user,item\n1,\"2\n3\",4\n",
            "log.csv, line 2: expected 2 fields, found 3"
        ),
        (
            "log.csv", "user,item\n1,\"2\"3\n",
            "log.csv, line 2: a closing quote must be followed by a delimiter (comma) or the end of the line"
                + "; what follows cannot be distinguished from quoted text, so it is not read: the line must be mended"
        ),
        (
            "log.inter", "user:token\tx:token\n",
            "log.inter, line 1: there is no column of items; found user, x"
        ),
        ("ratings.dat", "", "ratings.dat: it is empty"),
        ("ratings.dat", "1::2::3\n", "ratings.dat, line 1: expected 4 fields, found 3"),
        (
            "ratings.dat", "1:2:3:4\n",
            "ratings.dat: the format follows neither from its name nor from its first lines"
        ),
        ("log.txt", "u1 a\nu2\n", "log.txt, line 2: expected a user id and at least one item id"),
        ("log.txt", " \n", "log.txt: it is empty"),
        ("log.jsonl", "[1]\n", "log.jsonl, line 1: expected a JSON object at byte 1"),
        (
            "log.jsonl", "{\"user\":1}\n",
            "log.jsonl, line 1: there is no key of items; found user"
        ),
        (
            "log.jsonl", "{\"user\":true,\"item\":1}\n",
            "log.jsonl, line 1: expected the user (user) as text or a number"
        ),
        ("log.jsonl", "{\"user\":1,\"item\":2}}\n", "log.jsonl, line 1: expected the end of the line at byte 20"),
        (
            "log.jsonl", "{\"user\":1 \"item\":2}\n",
            "log.jsonl, line 1: expected a comma or the end of the object at byte 11"
        ),
        ("log.jsonl", "{\"user\":1,}\n", "log.jsonl, line 1: expected a key at byte 11"),
        ("log.jsonl", "{\"user\" 1}\n", "log.jsonl, line 1: expected a colon at byte 9"),
        ("log.jsonl", "{\"item\":2,\"user\":-}\n", "log.jsonl, line 1: expected a number at byte 18"),
        ("log.jsonl", "{\"user\":}\n", "log.jsonl, line 1: expected a value at byte 9"),
        ("log.jsonl", "{\"item\":2,\"user\":\"\\x\"}\n", "log.jsonl, line 1: expected an escape at byte 20"),
        (
            "log.jsonl", "{\"item\":2,\"user\":\"\\u00g0\"}\n",
            "log.jsonl, line 1: expected four hexadecimal digits at byte 23"
        ),
        (
            "log.jsonl", "{\"item\":2,\"user\":\"\\ud800x\"}\n",
            "log.jsonl, line 1: expected the other half of a surrogate pair at byte 25"
        ),
        ("log.jsonl", "{\"user\":[1\n", "log.jsonl, line 1: expected a closing bracket at byte 11"),
        ("log.jsonl", "{\"user\":\"1\n", "log.jsonl, line 1: expected a closing quote at byte 11"),
        (
            "log.jsonl", "{\"item\":2,\"user\":1,\"user\":2}\n",
            "log.jsonl, line 1: the key 'user' occurs more than once"
        ),
        (
            "log.jsonl", "{\"user\":1,\"item\":2,\"ts\":3}\n{\"user\":1,\"item\":2}\n",
            "log.jsonl, line 2: there is no key ts of the time; found user, item"
        ),
        (
            "log.jsonl", "{\"user\":1,\"item\":2}\n{\"user\":1,\"item\":2,\"ts\":3}\n",
            "log.jsonl, line 1: there is no key ts of the time; found user, item"
        ),
        (
            "log.unknown", "a b\nc d e\n",
            "log.unknown: the format follows neither from its name nor from its first lines"
        ),
    ])
    func wording(_ name: String, _ text: String, _ expected: String) {
        // Logs that say nothing of times are read in the order of their lines.
        let hasTimes = text.contains("ts")
        #expect(complaint { _ = try prepare(text, named: name, hasTimes ? ReadOptions() : .fileOrder) } == expected)
    }

    @Test(arguments: [
        (
            "user,item\n1,2\n", ReadOptions.with { $0.columns.timestamp = "t" },
            "log.csv, line 1: there is no column t; found user, item"
        ),
        (
            "user,item\n1,2\n", .with { $0.columns.user = "id" },
            "log.csv, line 1: there is no column id; found user, item"
        ),
        (
            "user,item,ts\n1,2,3\n", .with { $0.minimumRating = 3 },
            "log.csv, line 1: there is no column of ratings; found user, item, ts"
        ),
        (
            "user,item,ts,rating,rating\n1,2,3,4,5\n", .with { $0.minimumRating = 3 },
            "log.csv, line 1: the column rating occurs more than once; found user, item, ts, rating, rating"
        ),
        (
            "user,item,rating,ts\n1,2,good,1\n", .with { $0.minimumRating = 3 },
            "log.csv, line 2: the rating 'good' is not a number"
        ),
        (
            "user,item,rating,ts\n1,2,3,1\n1,3,2,1\n", .with { $0.minimumRating = 4 },
            "log.csv: none of its 2 lines is an event that passes"
        ),
        (
            "user,item,ts\n1\n2\n", .with { $0.skipsBadLines = true },
            "log.csv: none of its 2 lines is an event that passes; the first that is malformed: log.csv, line 2: "
                + "expected 3 fields, found 1"
        ),
        (
            "1 2\n",
            .with {
                $0.format = .sequences; $0.minimumRating = 4
            }, "sequence files have no ratings to compare"
        ),
        (
            "{\"user\":1,\"item\":2,\"ts\":1,\"rating\":\"good\"}",
            .with {
                $0.format = .jsonl; $0.minimumRating = 4
            },
            "log.csv, line 1: the rating 'good' is not a number"
        ),
        (
            "{\"user\":1,\"item\":2}",
            .with {
                $0.format = .jsonl; $0.columns.timestamp = "when"
            },
            "log.csv, line 1: there is no key when; found user, item"
        ),
    ])
    func wordingWithOptions(_ text: String, _ options: ReadOptions, _ expected: String) {
        #expect(complaint { _ = try prepare(text, options) } == expected)
    }

    @Test(arguments: [
        ("log.csv", "a,item,ts\n1,2,3\n", ReadOptions(), [LogRemedy.nameColumn(.user)]),
        ("log.csv", "user,item\n1,2\n", ReadOptions(), [.nameColumn(.time), .fileOrder]),
        ("log.csv", "user,uid,item,ts\n1,2,3,4\n", ReadOptions(), []),
        ("log.csv", "user,User,item,ts\n1,2,3,4\n", ReadOptions(), [.nameColumn(.user)]),
        ("log.csv", "user,user,item,ts\n1,2,3,4\n", ReadOptions(), [.numberColumn(.user)]),
        ("log.csv", "user,sku,ts\nu,a,5\n", .with { $0.columns.item = "4" }, [.nameColumn(.item)]),
        (
            "log.csv", "1,2,3\n", .with { ($0.hasHeader, $0.columns.user) = (false, "1") },
            [.numberColumns(user: 1, item: 2, time: nil)]
        ),
        (
            "log.csv", "1,2,3\n",
            .with {
                $0.hasHeader = false
                $0.columns = ColumnNames(user: "x", item: "2", timestamp: "3")
            }, [.numberColumn(.user)]
        ),
        (
            "log.txt", "1,10,4\n1,11,3\n", ReadOptions(),
            [.numberColumns(user: 1, item: 2, time: nil), .format(.sequences)]
        ),
        ("log.csv", "user,item\n1,2\n", .with { $0.hasHeader = false }, [.keepHeader]),
        ("log.csv", "user,item\n1,\"2\"3\n", .fileOrder, [.withoutQuotes(.comma)]),
        ("log.csv", "user,item\n1,\n", .fileOrder, [.skipBadLines]),
        ("log.csv", "user,item\n1,NA\n", .fileOrder, [.skipBadLines]),
        ("log.jsonl", "{\"user\":1,\"item\":2,\"ts\":3}\n{\"user\":1}\n", ReadOptions(), [.nameColumn(.item)]),
        ("log.unknown", "a b\nc d e\n", ReadOptions(), [.nameFormat]),
        ("log.tsv", "user\titem\tdate\ttime\n1\ta\t2020-01-02\t1000\n", ReadOptions(), [.nameColumn(.time)]),
    ])
    func whatHelps(_ name: String, _ text: String, _ options: ReadOptions, _ expected: [LogRemedy]) {
        #expect(remedies { _ = try prepare(text, named: name, options) } == expected)
    }

    @Test(arguments: ["log.csv", "log.txt", "log.jsonl"]) func bytesThatAreNotUTF8(_ name: String) {
        let good = ["log.csv": "user,item\n1,", "log.txt": "1 ", "log.jsonl": "{\"item\":2,\"user\":\""][name] ?? ""
        let end = name == "log.jsonl" ? "\"}" : ""
        let expected = [
            "log.csv": "log.csv, line 2: the item ", "log.txt": "log.txt, line 1: the item ",
            "log.jsonl": "log.jsonl, line 1: the user ",
        ]
        for bad in [[0xFF], [0xC3], [0xED, 0xA0, 0x80], [0xC0, 0x80]] as [[UInt8]] {
            let bytes = Array(good.utf8) + bad + Array(end.utf8)
            let message = complaint { _ = try prepare(bytes, named: name, .fileOrder) }
            #expect(message?.hasPrefix(expected[name] ?? "?") == true && message?.hasSuffix(" is not UTF-8") == true)
        }
    }

    /// Nobody reads the column Größe.
    @Test func aHeaderThatIsNotUTF8() throws {
        let bytes = Array("user,item,ts,Gr".utf8) + [0xF6, 0xDF] + Array("e\n1,a,1,x\n".utf8)
        #expect(try prepare(bytes).histories == [["a"]])
    }

    @Test func badLinesAreCountedAndSkipped() throws {
        let text = "user,item,ts\n1,a,1\n1,b\n,c,1\n1,d,x\n1,\"e \"x\" \",1\n1,f,2\n"
        let prepared = try prepare(text, .with { $0.skipsBadLines = true })
        #expect(prepared.histories == [["a", "f"]])
        #expect(prepared.readCounts == [6, 4, 0])
    }

    @Test func skippedLinesLeaveNoIdsBehind() throws {
        let text = "{\"user\":\"x\",\"item\":\"y\",\"ts\":\"never\"}\n{\"user\":\"u\",\"item\":\"i\",\"ts\":1}\n"
        let prepared = try prepare(text, named: "log.jsonl", .with { $0.skipsBadLines = true })
        #expect(prepared.users == ["u"])
        #expect(prepared.summary?.items == 1)
    }

    @Test func truncatedGzipAndMissingFiles() throws {
        let packed = try gzipped([UInt8]("user,item\n1,2\n".utf8))
        let message = complaint { _ = try prepare(Array(packed.dropLast(9)), named: "log.csv.gz") }
        #expect(message?.hasPrefix("log.csv.gz: cannot read: damaged gzip data") == true)
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("none.csv")
            #expect(
                complaint { _ = try InteractionLog.read(url) } == "none.csv: cannot open: No such file or directory")
        }
    }

    @Test func filtersThatLeaveNothing() {
        var filters = Filters()
        filters.minimumUserEvents = 3
        #expect(
            complaint { _ = try prepare("user,item\n1,2\n1,3\n", .fileOrder, filters) }
                == "the filters leave no event of 2: users need 3 events, items 1, counted among what is left; "
                + "the longest history has 2 events, the most frequent item 1")
        #expect(remedies { _ = try prepare("user,item\n1,2\n1,3\n", .fileOrder, filters) } == [.fewerEvents])
    }
}
