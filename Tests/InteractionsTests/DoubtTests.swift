import Foundation
import Testing

@testable import Interactions

/// Logs that can be read and yet are hardly what they should be, and files that were joined.
@Suite struct DoubtTests {
    private func doubts(_ lines: String, skippingBadLines: Bool = false) throws -> [String] {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("log.csv")
            try Data(("user,item,ts\n" + lines).utf8).write(to: url)
            return try InteractionLog.read(url, .with { $0.skipsBadLines = skippingBadLines }).doubts
                .map { $0.replacing(folder.path + "/", with: "") }
        }
    }

    @Test func aSoundLogRaisesNone() throws {
        #expect(try doubts("1,a,1600000000\n1,b,1600000000.25\n") == [])
        #expect(try doubts("1,a,0\n1,b,1\n1,c,2\n") == [])
        #expect(try doubts("1,a+b,1.600000000000000000e+09\n1e5,C++,1.600000001000000000e+09\n") == [])
    }

    /// An odd first line settles how times are spelled, and all others are malformed.
    @Test func mostLinesPassedOver() throws {
        let found = try doubts("1,a,1600000000\n1,b,2024-05-01\n1,c,2024-05-02\n", skippingBadLines: true)
        #expect(found.count == 1)
        #expect(found[0].hasPrefix("skipped: 2 malformed lines of 3"))
        #expect(found[0].contains("log.csv, line 3: the timestamp '2024-05-01' is a date"))
    }

    @Test func roundedNumbers() throws {
        let found = try doubts("1.23457E+12,a,1.65611E+09\n1,2.5e+15,1.65612E+09\n")
        #expect(found.count == 3)
        #expect(found[0].hasPrefix("rounded, as spreadsheets do: 1 id of users, the first 1.23457E+12;"))
        #expect(found[1].hasPrefix("rounded, as spreadsheets do: 1 id of items"))
        #expect(found[2].hasPrefix("rounded, as spreadsheets do: 2 times, the first '1.65611E+09' in line 2;"))
    }

    @Test(arguments: ["1,a,1600000000\n1,b,0\n1,c,1600000001\n", "1,a,1600000000\n1,b,-1\n1,c,1600000001\n"])
    func timesThatAreZero(_ lines: String) throws {
        #expect(try doubts(lines).map { $0.prefix(28) } == ["1970-01-01 or before: 1 time"])
    }

    @Test func datesThatAreZero() throws {
        #expect(
            try doubts("1,a,2024-05-01\n1,b,1970-01-01\n").map { $0.prefix(28) } == ["1970-01-01 or before: 1 time"])
    }

    /// What stands behind the header of a file whose columns stand otherwise is never read with the columns before.
    @Test(arguments: [false, true]) func aHeaderInAnotherOrderEndsTheFile(_ skips: Bool) {
        let error = #expect(throws: DatasetError.self) {
            try prepare(
                "user,item\n1,a\n2,b\nITEM,USER\nc,3\n",
                .with { ($0.usesFileOrder, $0.skipsBadLines) = (true, skips) })
        }
        #expect(error?.description.contains("line 4: the names of columns stand here in another order") == true)
    }

    /// The numbers of a day, or of a time of day, are not taken for times where another column belongs to them.
    @Test(arguments: [
        "user\titem\tday\tmonth\tyear\n1\ta\t1\t4\t2009\n1\tb\t2\t4\t2008\n",
        "user\titem\tdate\ttime\n1\ta\t2020-01-02\t1000\n1\tb\t2020-01-01\t1100\n",
    ])
    func aPartOfTheTimeIsRefused(_ text: String) throws {
        let error = #expect(throws: DatasetError.self) { try prepare(text, named: "log.tsv") }
        #expect(error?.description.contains("too: a time that takes several columns must be written as one") == true)
        let whole = try prepare(
            text, named: "log.tsv", .with { $0.columns.timestamp = text.contains("year") ? "year" : "date" })
        #expect(whole.histories == [["b", "a"]])
        #expect(try prepare("user,item,time,date\n1,a,20240502,x\n1,b,20240501,x\n").histories == [["b", "a"]])
        #expect(try prepare("user,item,day\n1,a,2\n1,b,1\n").histories == [["b", "a"]])
    }

    @Test func byteOrderMarksOfJoinedFiles() throws {
        let objects = try prepare(
            "\u{FEFF}{\"user\":\"1\",\"item\":\"a\",\"ts\":1}\n\u{FEFF}{\"user\":\"1\",\"item\":\"b\",\"ts\":2}\n",
            named: "log.jsonl")
        #expect(objects.histories == [["a", "b"]])
        let table = try prepare("\u{FEFF}user,item,ts\n1,a,1\n\u{FEFF}\"1\",\"b\",2\n\u{FEFF}user,item,ts\n1,c,3\n")
        #expect(table.users == ["1"])
        #expect(table.histories == [["a", "b", "c"]])
    }

    @Test(arguments: ["{'user': '1', 'item': 'a'}\n", "{u'user': u'1', u'item': u'a'}\n"])
    func pythonsDictsAreNamed(_ line: String) {
        let error = #expect(throws: DatasetError.self) { try prepare(line, named: "log.json") }
        #expect(error?.description.contains("as Python prints them") == true)
        guard case .convert(let shell, .jsonl)? = error?.remedies.first as? LogRemedy else {
            Issue.record("\(String(describing: error?.remedies))")
            return
        }
        #expect(shell.contains("ast.literal_eval"))
    }
}
