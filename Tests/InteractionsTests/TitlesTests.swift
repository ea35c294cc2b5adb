import Foundation
import Interactions
import Testing

@Suite struct TitlesTests {
    private func titles(
        _ bytes: [UInt8], named name: String, id: String? = nil, title: String? = nil
    ) throws -> [String: String] {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent(name)
            try Data(bytes).write(to: url)
            return try Titles.read(url, idColumn: id, titleColumn: title)
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
        #expect(try titles([UInt8](text.utf8), named: "t.csv", id: "sku", title: "label") == ["7": "yes"])
    }

    @Test(arguments: [
        ("t.csv", "", "t.csv: no titles"),
        ("t.csv", "item,title\n", "t.csv: no titles"),
        ("t.csv", "\nitem,what\n", "t.csv, line 2: there is no column of titles; found item, what"),
        ("t.csv", "sku,title\n", "t.csv, line 1: there is no column of items; found sku, title"),
        ("t.csv", "item,title\n1\n", "t.csv, line 2: expected at least 2 fields, found 1"),
        (
            "t.csv", "item,title\n1,\"x\n",
            "t.csv, line 2: a quote is not closed (a quoted field may not run over several lines)"
        ),
        ("movies.dat", "1:x\n", "movies.dat, line 1: expected at least 2 fields, found 1"),
    ])
    func wording(_ name: String, _ text: String, _ expected: String) {
        #expect(complaint { _ = try titles([UInt8](text.utf8), named: name) } == expected)
    }
}
