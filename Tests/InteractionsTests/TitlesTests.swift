import Foundation
import Interactions
import Testing

@Suite struct TitlesTests {
    private func titles(
        _ bytes: [UInt8], named name: String, item: String? = nil, title: String? = nil, skipsBadLines: Bool = false
    ) throws -> [String: String] {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent(name)
            try Data(bytes).write(to: url)
            let options = ReadOptions.with {
                $0.columns.item = item
                $0.skipsBadLines = skipsBadLines
            }
            return try Titles.read(.file(url), options, titleColumn: title)
        }
    }

    @Test(arguments: [
        ("ml.item", "item_id:token\tmovie_title:token_seq\tyear:token\n1\tToy Story\t1995\n2\tHeat, the\t1995\n"),
        ("movies.dat", "1::Toy Story::Animation|Comedy\n2::Heat, the::Crime\n"),
        ("movies.csv", "movieId,title,genres\n1,Toy Story,x\n2,\"Heat, the\",y\n"),
        ("titles.tsv", "name\titem\nToy Story\t1\nHeat, the\t2\n"),
    ])
    func formats(_ name: String, _ text: String) throws {
        let expected = ["1": "Toy Story", "2": "Heat, the"]
        #expect(try titles([UInt8](text.utf8), named: name) == expected)
        #expect(try titles(gzipped([UInt8](text.utf8)), named: name + ".gz") == expected)
    }

    @Test func latin1WhereItIsNotUTF8() throws {
        let bytes = Array("1::Les Mis".utf8) + [0xE9] + Array("rables::Drama\n2::Amélie::Romance\n".utf8)
        #expect(try titles(bytes, named: "movies.dat") == ["1": "Les Misérables", "2": "Amélie"])
    }

    @Test func columnsByName() throws {
        let text = "sku,title,label\n7,no,yes\n"
        #expect(try titles([UInt8](text.utf8), named: "t.csv", item: "sku", title: "label") == ["7": "yes"])
    }

    @Test(arguments: [
        ("t.csv", "", "t.csv: no titles"),
        ("t.csv", "item,title\n", "t.csv: no titles"),
        (
            "t.csv", "\nitem,what\n",
            "t.csv, line 2: there is no column of titles; found item, what"
        ),
        ("t.csv", "art,title\n", "t.csv, line 1: there is no column of items; found art, title"),
        ("t.csv", "item,title\n1\n", "t.csv, line 2: expected 2 fields, found 1"),
        ("t.csv", "item,title\n1,a, b\n", "t.csv, line 2: expected 2 fields, found 3"),
        ("t.csv", "item,title\nNA,x\n", "t.csv, line 2: the item is 'NA'"),
        ("movies.dat", "1:x\n", "movies.dat, line 1: there is no column of items; found 1:x"),
    ])
    func wording(_ name: String, _ text: String, _ expected: String) {
        #expect(complaint { _ = try titles([UInt8](text.utf8), named: name) } == expected)
    }

    /// Titles come in all the ways that logs do.
    @Test(arguments: [
        ("t.csv", "SKU;Product Name\n1;Toy Story\n2;\"Heat, the\"\n"),
        ("u.item", "1|Toy Story|01-Jan-1995||http://x\n2|Heat, the|01-Jan-1995||http://y\n"),
        ("t.json", "{\"sku\":1,\"title\":\"Toy Story\",\"x\":NaN}\n{\"sku\":\"2\",\"title\":\"Heat, the\"}\n"),
        ("t.txt", "sku\ttitle\n1\tToy Story\n2\tHeat, the\n"),
        ("t", "id|title\n1|Toy Story\n2|Heat, the\n"),
    ])
    func asLogsAreRead(_ name: String, _ text: String) throws {
        let expected = ["1": "Toy Story", "2": "Heat, the"]
        #expect(try titles([UInt8](text.utf8), named: name, item: name == "t" ? nil : "sku") == expected)
    }

    @Test func badLinesOfTitlesAreSkipped() throws {
        let text = "item,title\n1,Toy Story\n2,Heat, the\nNA,x\n3,None\n4,\"a\nb\"\n"
        #expect(
            try titles([UInt8](text.utf8), named: "t.csv", skipsBadLines: true) == ["1": "Toy Story", "4": "a\nb"])
    }

    /// The log calls its items sku; titles that call them otherwise are found all the same.
    @Test func anotherNameForTheItems() throws {
        let text = "product_id,title\n1,x\n"
        #expect(try titles([UInt8](text.utf8), named: "t.csv", item: "sku") == ["1": "x"])
        #expect(try titles([UInt8](text.utf8), named: "t.csv", item: "2") == ["1": "x"])
    }

    @Test func howTitlesFitTheLog() throws {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("log.csv")
            try Data("user,item,ts\n1,a,1\n1,b,2\n1,e\u{301},3\n".utf8).write(to: url)
            let log = try InteractionLog.read(url)
            let some = log.match(["a": "A", "x": "X", "\u{e9}": "É"])
            #expect((some.unmatched, some.untitled) == (1, 1) && some.example == nil)
            let none = log.match(["x": "X", "y": "Y"])
            #expect((none.unmatched, none.untitled) == (2, 3))
            #expect(none.example?.item == "a" && none.example?.title == "x")
        }
    }
}
