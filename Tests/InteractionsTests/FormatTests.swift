import Foundation
import Interactions
import Testing

/// The same five events in every format.
@Suite struct FormatTests {
    static let logs: [(name: String, text: String)] = [
        ("log.csv", "user_id,item_id,rating,timestamp\nu1,a,5,30\nu1,b,4,10\nu2,a,3,5\nu1,c,2,10\nu2,c,1,6\n"),
        ("log.tsv", "timestamp\titem\tuser\n30\ta\tu1\n10\tb\tu1\n5\ta\tu2\n10\tc\tu1\n6\tc\tu2\n"),
        (
            "log.inter",
            "user_id:token\titem_id:token\trating:float\ttimestamp:float\n"
                + "u1\ta\t5\t30.0\nu1\tb\t4\t10.0\nu2\ta\t3\t5\nu1\tc\t2\t1e1\nu2\tc\t1\t6\n"
        ),
        ("ratings.dat", "u1::a::5::30\nu1::b::4::10\nu2::a::3::5\nu1::c::2::10\nu2::c::1::6\n"),
        (
            "log.jsonl",
            #"{"user":"u1","item":"a","ts":30,"rating":5}"# + "\n"
                + #"{"item":"b","user":"u1","rating":4,"ts":10.0, "tags":["x",{"user":"no"}]}"# + "\n"
                + #" { "user" : "u\u0032" , "item" : "\u0061" , "ts" : "5", "rating":3 } "# + "\n"
                + #"{"user":"u1","item":"c","ts":"1e1","rating":2,"extra":null}"# + "\n"
                + #"{"user":"u2","item":"c","ts":6,"rating":1,"nested":{"item":"no","text":"]}\""}}"# + "\n"
        ),
    ]

    @Test(arguments: logs) func theSameEventsFromEveryFormat(_ name: String, _ text: String) throws {
        let forms: [(String, [UInt8])] = [
            (name, [UInt8](text.utf8)),
            (name + ".gz", try gzipped([UInt8](text.utf8))),
            (name, [UInt8](text.replacing("\n", with: "\r\n").utf8)),
            (name, [UInt8](("\u{FEFF}" + text.dropLast()).utf8)),
            (name, [UInt8](text.replacing("\n", with: "\n\n").utf8)),
        ]
        for (name, bytes) in forms {
            let prepared = try prepare(bytes, named: name)
            #expect(prepared.users == ["u1", "u2"])
            #expect(prepared.histories == [["b", "c", "a"], ["a", "c"]])
            #expect(prepared.times == [[10, 10, 30], [5, 6]])
            #expect(prepared.summary?.report?.read.lines == 5)
            #expect(prepared.summary?.source == name)
        }
    }

    @Test(arguments: logs.filter { $0.name != "log.tsv" })
    func ratingsBelowTheThresholdAreDropped(_ name: String, _ text: String) throws {
        let prepared = try prepare(text, named: name, .with { $0.minimumRating = 3 })
        #expect(prepared.histories == [["b", "a"], ["a"]])
        #expect(prepared.readCounts == [5, 0, 2])
    }

    @Test func sequencesHaveNoTimes() throws {
        let prepared = try prepare("u1 b c a\nu2\ta \t c \n\nu1 d\r\n", named: "log.txt")
        #expect(prepared.histories == [["b", "c", "a", "d"], ["a", "c"]])
        #expect(prepared.times == [])
        #expect(prepared.summary?.timestamps == false)
    }

    @Test(arguments: [
        ("log.csv", "user,item\n1,3\n2,9\n1,2\n"),
        ("l.jsonl", "{\"user\":1,\"item\":3}\n{\"user\":2,\"item\":9}\n{\"user\":1,\"item\":2}"),
    ])
    func withoutTimesFileOrderIsTimeOrder(_ name: String, _ text: String) throws {
        let prepared = try prepare(text, named: name, .fileOrder)
        #expect(prepared.histories == [["3", "2"], ["9"]])
        #expect(prepared.times == [])
    }

    @Test func anExplicitFormatOverridesTheName() throws {
        let prepared = try prepare("1::2::3::4\n", named: "log.csv", .with { $0.format = .movielens })
        #expect(prepared.histories == [["2"]])
    }

    @Test func columnsByName() throws {
        let columns = ColumnNames(user: "who", item: "what, exactly", timestamp: "when")
        let text = "item,when,\"what, exactly\",who,user\nx,2,b,1,y\nx,1,a,1,y\n"
        #expect(try prepare(text, .with { $0.columns = columns }).histories == [["a", "b"]])
    }

    @Test func quotedFields() throws {
        let text = "\"user\",item,ts\n\"a,b\",\"say \"\"hi\"\"\",\"2\"\n\"a,b\",\"\"\"\",1\nx\"y,'z',3\n"
        let prepared = try prepare(text)
        #expect(prepared.users == ["a,b", "x\"y"])
        #expect(prepared.histories == [["\"", "say \"hi\""], ["'z'"]])
    }

    @Test func anUnusedColumnMayOccurTwice() throws {
        #expect(try prepare("user,item,rating,rating,x,x\n1,2,a,b,c,d\n", .fileOrder).histories == [["2"]])
    }

    @Test func idsKeepTheirBytes() throws {
        let prepared = try prepare("user,item\n1,é\n1,É\n1,01\n1,1\n1,a\tb\n1,\" 1\"\n", .fileOrder)
        #expect(
            prepared.histories[0].map { Array($0.utf8) }
                == ["é", "É", "01", "1", "a\tb", " 1"].map { Array($0.utf8) })
    }

    @Test func jsonNumbersAreIdsAsWritten() throws {
        let line = #"{"user":12345678901234567890,"item":9007199254740993}"#
        let prepared = try prepare(line, named: "log.jsonl", .fileOrder)
        #expect(prepared.users == ["12345678901234567890"])
        #expect(prepared.histories == [["9007199254740993"]])
    }

    @Test func aTenMegabyteLine() throws {
        let long = String(repeating: "x", count: 10 << 20)
        let prepared = try prepare("user,item,note\n1,a,\(long)\n1,\(long),\n1,b,\"\(long)\"\n", .fileOrder)
        #expect(prepared.histories[0].map(\.utf8.count) == [1, 10 << 20, 1])
        let ids = (0..<1_500_000).map { "i\($0 % 1000)" }.joined(separator: " ")
        #expect(try prepare("u \(ids)\nv i1", named: "log.txt").histories.map(\.count) == [1_500_000, 1])
    }

    @Test(arguments: [
        ("a.csv", InputFormat.csv), ("A.CSV.GZ", .csv), ("a.b.tsv", .tsv), ("x.tab", .tsv), ("x.inter.gz", .recbole),
        ("ratings.dat", .movielens), ("x.ndjson", .jsonl), ("x.jsonl", .jsonl), ("x.txt.gz", .sequences), ("gz", nil),
        ("x.json", .jsonl), ("x.tsv.bz2", .tsv), ("X.CSV.ZST", .csv), ("x.gz", nil), ("x.parquet", nil), ("csv", nil),
    ])
    func formatByName(_ name: String, _ format: InputFormat?) { #expect(InputFormat(fileName: name) == format) }
}
