import Foundation
import Interactions
import Testing

/// How files are understood from their names and first lines, and what is refused rather than guessed.
@Suite struct LayoutTests {
    private func layout(_ text: String, named name: String = "log.csv", _ options: ReadOptions = .init()) throws
        -> LogLayout
    {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent(name)
            try Data(text.utf8).write(to: url)
            var result: LogLayout?
            _ = try InteractionLog.read([.file(url)], options, understood: { result = $0 }, progress: { _, _ in })
            return try #require(result)
        }
    }

    private func columns(_ layout: LogLayout) -> [String] {
        layout.columns.map { $0.name ?? "\(($0.position ?? -1) + 1)" }
    }

    /// Headers of public data sets, and what they mean.
    @Test(arguments: [
        ("userId,movieId,rating,timestamp", "userId movieId timestamp"),
        ("reviewerID,asin,overall,unixReviewTime", "reviewerID asin unixReviewTime"),
        ("rating,title,asin,parent_asin,user_id,timestamp", "user_id parent_asin timestamp"),
        ("review_id,user_id,business_id,stars,date", "user_id business_id date"),
        ("timestamp,visitorid,event,itemid,transactionid", "visitorid itemid timestamp"),
        ("SessionId,ItemId,Time", "SessionId ItemId Time"),
        ("sessionId;userName;itemId;timeframe;eventdate", "userName itemId eventdate"),
        ("t_dat,customer_id,article_id,price", "customer_id article_id t_dat"),
        ("Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID", "Customer ID StockCode InvoiceDate"),
        ("event_time,event_type,product_id,category_id,brand,user_id,user_session", "user_id product_id event_time"),
        ("userId,venueId,venueCategory,latitude,utcTimestamp", "userId venueId utcTimestamp"),
        ("user_id,book_id,date_added,read_at", "user_id book_id read_at"),
        ("USER ID|Track-Id|Created.At", "USER ID Track-Id Created.At"),
        ("user_id,video_id,time,date,timestamp", "user_id video_id timestamp"),
    ])
    func headersOfPublicData(_ header: String, _ expected: String) throws {
        let count = header.split { ",;|".contains($0) }.count
        let delimiter = header.first { ",;|".contains($0) } ?? ","
        let row = (1...count).map(String.init).joined(separator: String(delimiter))
        #expect(columns(try layout("\(header)\n\(row)\n")).joined(separator: " ") == expected)
        let tabs = "\(header)\n\(row)\n".replacing(String(delimiter), with: "\t")
        for name in ["log.tsv", "log.txt", "log"] {
            #expect(columns(try layout(tabs, named: name)).joined(separator: " ") == expected)
        }
    }

    @Test(arguments: [
        "TIMESTAMP", "event_time", "unixReviewTime", "created_at", "Created At", "created-at", "EventTime",
        "purchase_date",
        "order_purchase_timestamp", "clicked at", "timestamp_ms", "Date", "reviewTime", "time_stamp", "DATETIME",
    ])
    func namesOfTimes(_ name: String) throws {
        for (file, text) in [
            ("log.csv", "user,item,\(name)\n1,a,20\n1,b,10\n"),
            ("log.tsv", "user\titem\t\(name)\n1\ta\t20\n1\tb\t10\n"),
            ("log.inter", "user:token\titem:token\t\(name):float\n1\ta\t20\n1\tb\t10\n"),
            ("log.jsonl", "{\"user\":1,\"item\":\"a\",\"\(name)\":20}\n{\"user\":1,\"item\":\"b\",\"\(name)\":10}\n"),
            ("log.txt", "user;item;\(name)\n1;a;20\n1;b;10\n"),
        ] {
            #expect(try prepare(text, named: file).histories == [["b", "a"]], "\(file)")
        }
    }

    @Test func withoutATimeItIsRefusedAndTheColumnsAreListed() {
        let end = "; found user, item, moment"
        #expect(
            complaint { _ = try prepare("user,item,moment\n1,a,1\n") }
                == "log.csv, line 1: there is no column of times" + end)
        #expect(
            complaint { _ = try prepare("user\titem\tmoment\n1\ta\t2024-05-01 10:00\n", named: "log.tsv") }
                == "log.tsv, line 1: there is no column of times (moment looks like times)" + end)
        #expect(
            complaint { _ = try prepare("{\"user\":1,\"item\":2,\"moment\":3}\n", named: "log.jsonl") }
                == "log.jsonl, line 1: there is no key of times" + end)
    }

    @Test func fileOrderIsFileOrder() throws {
        let text = "user,item,ts\n1,a,2\n1,b,1\n"
        #expect(try prepare(text, .fileOrder).histories == [["a", "b"]])
        #expect(try prepare(text).histories == [["b", "a"]])
    }

    @Test func theBestNameIsPreferredAloud() throws {
        let found = try layout("session_id,user_id,item_id,date,timestamp\n1,2,3,4,5\n")
        #expect(columns(found) == ["user_id", "item_id", "timestamp"])
        #expect(found.columns.map(\.others) == [["session_id"], [], ["date"]])
        #expect(found.description.contains("user: user_id (column 2), by its name, not session_id\n"))
        #expect(
            complaint { _ = try prepare("user_id,UserID,item,ts\n1,2,3,4\n") }
                == "log.csv, line 1: the columns user_id and UserID mean the same; "
                + "found user_id, UserID, item, ts")
        let chosen = ReadOptions.with { $0.columns.user = "UserID" }
        #expect(try prepare("user_id,UserID,item,ts\n1,2,3,4\n", chosen).users == ["2"])
    }

    @Test func namesThatAreNumbers() throws {
        let options = ReadOptions.with { $0.columns.item = "1" }
        let found = try layout("user,1,ts\nu,a,5\n", options)
        #expect(found.first == ["u", "a", "5"])
        #expect(found.notes == ["the item is the column with the name 1, not column number 1"])
        #expect(try layout("user,sku,ts\nu,a,5\n", .with { $0.columns.item = "2" }).first == ["u", "a", "5"])
        #expect(
            complaint { _ = try prepare("user,sku,ts\nu,a,5\n", .with { $0.columns.item = "4" }) }
                == "log.csv, line 1: there is no column 4 for the item: the line has 3")
    }

    /// Tables without header are refused with numbers of columns that, taken literally, read every event.
    @Test(arguments: [
        ("x.csv", "1,2,3\n4,5,6\n", ColumnNames(user: "1", item: "2")),
        (
            "u.data", "196\t242\t3\t881250949\n186\t302\t3\t891717742\n",
            ColumnNames(user: "1", item: "2", timestamp: "4")
        ),
        (
            "checkins.txt",
            "0\t2010-10-19T23:55:27Z\t30.2359\t-97.7951\t22847\n0\t2010-10-18T22:17:43Z\t30.2691\t-97.7493\t420315\n",
            ColumnNames(user: "1", item: "5", timestamp: "2")
        ),
        (
            "r.csv", "A39,0205616461,5.0,1369699200\nA3J,0558925278,3.0,1355443200\n",
            ColumnNames(user: "1", item: "2", timestamp: "4")
        ),
        ("r.csv", "1369699200;bob;x1\n1355443200;ann;x2\n", ColumnNames(user: "2", item: "3", timestamp: "1")),
        ("r.csv", "u1,i1\nu2,i1\n", ColumnNames(user: "1", item: "2")),
        ("r.txt", "1 10 4 978300760\n1 11 3 978302109\n", ColumnNames(user: "1", item: "2", timestamp: "4")),
        ("r.txt", "1,10,4\n1,11,3\n", ColumnNames(user: "1", item: "2")),
        ("pipes", "1|10|978300760\n2|11|978302109\n", ColumnNames(user: "1", item: "2", timestamp: "3")),
        ("one.csv", "7,8,2024-01-01\n", ColumnNames(user: "1", item: "2", timestamp: "3")),
    ])
    func tablesWithoutHeader(_ name: String, _ text: String, _ expected: ColumnNames) throws {
        for columns in [ColumnNames(), ColumnNames(user: "1", item: "2")] {
            let failing = { _ = try prepare(text, named: name, .with { $0.columns = columns }) }
            #expect(complaint(failing)?.contains("line 1: it looks like an event") == true)
            guard case .numberColumns(let user, let item, let time)? = remedies(failing).first else {
                Issue.record("\(name): the columns are not guessed")
                return
            }
            #expect(ColumnNames(user: "\(user)", item: "\(item)", timestamp: time.map { "\($0)" }) == expected)
        }
        let options = ReadOptions.with {
            ($0.hasHeader, $0.columns, $0.usesFileOrder) = (false, expected, expected.timestamp == nil)
        }
        let prepared = try prepare(text, named: name, options)
        #expect(prepared.summary?.events == text.split(separator: "\n").count)
    }

    @Test func whetherThereIsAHeaderMayHaveToBeSaid() throws {
        let text = "bob,apple\nann,pear\n"
        let byNumber = ReadOptions.with {
            $0.columns = ColumnNames(user: "1", item: "2")
            $0.usesFileOrder = true
        }
        let message = complaint { _ = try prepare(text, byNumber) }
        #expect(message?.contains("it is ambiguous whether it names columns or is an event") == true)
        for (hasHeader, users) in [(true, ["ann"]), (false, ["bob", "ann"])] {
            var options = byNumber
            options.hasHeader = hasHeader
            #expect(try prepare(text, options).users == users)
        }
        // A word that could be a column's name is none yet.
        #expect(remedies { _ = try prepare("bob,game\nann,chess\n", byNumber) } == [.tellHeader])
        let inter = complaint { _ = try prepare("1\t2\t3\n4\t5\t6\n", named: "log.inter", byNumber) }
        #expect(inter?.contains("it looks like an event") == true)
        let wrong = ReadOptions.with {
            $0.columns = ColumnNames(user: "1", item: "2")
            $0.usesFileOrder = true
            $0.hasHeader = false
        }
        #expect(
            complaint { _ = try prepare("user,item\n1,2\n", wrong) }
                == "log.csv, line 1: it names columns (user, item)")
    }

    @Test(arguments: [
        (";", Delimiter.semicolon), ("|", .bar), ("\t", .tab), ("::", .doubleColon), (",", .comma), (" ", .blanks),
        ("^", .text([0x5E])), (" || ", .text(Array(" || ".utf8))),
    ])
    func delimiters(_ text: String, _ delimiter: Delimiter) throws {
        let log =
            ["user", "item", "ts"].joined(separator: text) + "\n" + ["1", "a", "5"].joined(separator: text) + "\n"
        let options = ReadOptions.with { $0.delimiter = delimiter }
        for name in ["log.csv", "log.tsv", "log.txt", "log.dat", "log"] {
            #expect(try prepare(log, named: name, options).times == [[5]], "\(name)")
        }
        #expect(Delimiter(text) == delimiter)
    }

    @Test func wordsForDelimiters() {
        #expect([Delimiter("tab"), Delimiter("\\t"), Delimiter("\t")] == [.tab, .tab, .tab])
        #expect([Delimiter("Semicolon"), Delimiter("pipe"), Delimiter("space")] == [.semicolon, .bar, .blanks])
        #expect([Delimiter(""), Delimiter("\n"), Delimiter("\"")] == [nil, nil, nil])
    }

    @Test func excelsOwnLineAndComments() throws {
        #expect(try prepare("sep=;\nuser;item;ts\n1;a;5\n").times == [[5]])
        #expect(try prepare("# made by x, with care\n# 2024\nuser,item,ts\n1,a,5\n").times == [[5]])
        #expect(try prepare("#user,item,ts\n1,a,5\n").times == [[5]])
        let asked = ReadOptions.with {
            $0.hasHeader = false
            $0.columns = ColumnNames(user: "1", item: "2", timestamp: "3")
        }
        #expect(try prepare("# made by x\n1\ta\t5\n", named: "x.tsv", asked).times == [[5]])
    }

    /// What is in a .txt file decides, not its name.
    @Test(arguments: [
        ("1 2 3 4\n2 5 6\n", [["2", "3", "4"], ["5", "6"]]),
        (
            "u a b c d e\nv a b c d e\nw a b c d e\n",
            [["a", "b", "c", "d", "e"], ["a", "b", "c", "d", "e"], ["a", "b", "c", "d", "e"]]
        ),
        ("1 1\n1 2\n2 1\n", [["1", "2"], ["1"]]),
        ("A1 0205616461 0558925278\n", [["0205616461", "0558925278"]]),
        ("u\ta b c\nv\td\n", [["a", "b", "c"], ["d"]]),
    ])
    func sequences(_ text: String, _ expected: [[String]]) throws {
        #expect(try prepare(text, named: "log.txt").histories == expected)
    }

    @Test(arguments: [
        "user_id item_ids\n1 2 3\n", "1\t2\t4.5\n2\t3\t3.0\n", "1 2 978300760\n1 3 978302109\n",
        "1\ta\tb\n2\ta\tc\n3\tb\tc\n", "1 5 3\n1 6 4\n2 7 5\n", "{\"user\":1}\n", "1,2,3\n",
        "u 2024-05-01T10:00:00Z x\n",
    ])
    func tablesAreNotSequences(_ text: String) {
        #expect(complaint { _ = try prepare(text, named: "log.txt") } != nil)
    }

    @Test func sequencesHaveBlanksBetweenItems() {
        let failing = { _ = try prepare("u1 a,b,c\nu2 b,c\n", named: "log.txt") }
        #expect(complaint(failing) == "log.txt: its items ('a,b,c') have ',' between them; sequences have blanks")
        guard case .convert(let shell, .sequences)? = remedies(failing).first else {
            Issue.record("nothing helps")
            return
        }
        #expect(shell.hasPrefix("tr ',' ' ' < '"))
    }

    @Test func presplitFilesOfRecBoleAreRefused() {
        let text = "session_id:token\titem_id_list:token_seq\titem_id:token\n1\t1 2 3\t4\n"
        for name in ["x.train.inter", "x.tsv", "x.txt"] {
            #expect(
                complaint { _ = try prepare(text, named: name) }?.contains("cases that were split for training") == true
            )
        }
    }

    @Test func whatIsSaid() throws {
        let found = try layout("customer;item;when\n\"a;b\";x;2024-05-01\n", .with { $0.columns.user = "Customer" })
        let lines = found.description.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
        #expect(
            lines.dropFirst() == [
                "user: customer (column 1), as asked", "item: item (column 2), by its name",
                "time: when (column 3), by its name", "first event: user 'a;b', item 'x', time '2024-05-01'",
            ])
        #expect(lines[0].hasSuffix("log.csv: csv, delimiter semicolon, with a header, fields may be quoted"))
        let sequences = try layout("u a b\n", named: "log.txt")
        #expect(sequences.description.hasSuffix("first line: user 'u', items 'a', 'b'"))
    }
}
