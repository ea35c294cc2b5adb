import FileSupport
import Foundation
import Identifiers
import Tensors
import Testing

@Suite struct VocabularyTests {
    /// Terminals and file names often give the decomposed form.
    @Test func aDecomposedIdFindsItsComposedForm() throws {
        let composed = try #require(Vocabulary(ids: ["a", "caf\u{E9}"]))
        #expect(composed.position(of: "cafe\u{301}") == 1)
        let both = try #require(Vocabulary(ids: ["caf\u{E9}", "cafe\u{301}"]))
        #expect(both.position(of: "cafe\u{301}") == 1)
        #expect(both.position(of: "e\u{301}") == nil)
    }

    private let odd = [
        "a\tb", "line\nend", "back\\slash", "cr\r", "\\t", "é", "e\u{301}", " ", "\u{FEFF}x", "日本", "\u{0}",
    ]

    @Test func escapesComeBack() throws {
        var random = SeededGenerator(seed: 2)
        let alphabet: [Unicode.Scalar] = ["\t", "\n", "\r", "\\", "t", "n", "é", "\u{301}", "a"]
        for _ in 0..<500 {
            var text = ""
            for _ in 0..<Int.random(in: 0...8, using: &random) {
                text.unicodeScalars.append(alphabet[Int.random(in: 0..<alphabet.count, using: &random)])
            }
            let escaped = TableText.escaped(text)
            #expect(!escaped.utf8.contains { $0 == 0x09 || $0 == 0x0A || $0 == 0x0D })
            let back = try #require(TableText.unescaped(escaped[...]))
            #expect(Array(back.utf8) == Array(text.utf8))
        }
    }

    @Test(arguments: ["\\", "a\\", "\\x", "\\\\\\"])
    func brokenEscapesAreRefused(_ text: String) { #expect(TableText.unescaped(text[...]) == nil) }

    @Test func writesAndReads() throws {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("items.tsv")
            for titles in [[], odd.reversed()] as [[String]] {
                let vocabulary = try #require(Vocabulary(ids: odd, titles: titles))
                try vocabulary.write(to: url)
                let back = try Vocabulary.read(url)
                #expect(back.ids.map { Array($0.utf8) } == odd.map { Array($0.utf8) })
                #expect(back.titles.map { Array($0.utf8) } == titles.map { Array($0.utf8) })
                for (i, id) in odd.enumerated() {
                    #expect(back.position(of: id) == i)
                    #expect(back.ids[i].utf8.elementsEqual(id.utf8))
                }
                #expect(back.position(of: "absent") == nil)
            }
        }
    }

    @Test(arguments: [["", "", "c"], ["a", "", ""], ["", "b", ""], ["a", "b", "c"]])
    func someHaveTitles(_ titles: [String]) throws {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("items.tsv")
            let vocabulary = try #require(Vocabulary(ids: ["1", "2", "3"], titles: titles))
            try vocabulary.write(to: url)
            let back = try Vocabulary.read(url)
            #expect(back == vocabulary)
            #expect((0..<3).map(back.title) == titles.map { $0.isEmpty ? nil : $0 })
        }
    }

    @Test func writesSomeOfATableInAnyOrder() throws {
        try withTemporaryFolder { folder in
            var table = Interner()
            for text in odd { Array(text.utf8).withUnsafeBytes { _ = table.intern($0) } }
            let url = folder.appendingPathComponent("items.tsv")
            try Vocabulary.write([4, 0, 7], of: table, titles: ["x", "", "\t"], to: url)
            #expect(try Vocabulary.read(url) == Vocabulary(ids: [odd[4], odd[0], odd[7]], titles: ["x", "", "\t"]))
            #expect(try contents(of: folder) == ["items.tsv"])
        }
    }

    @Test func findsTitlesInEitherCase() throws {
        let vocabulary = try #require(Vocabulary(ids: ["1", "2", "3"], titles: ["Alien", "", "ALIEN"]))
        #expect(vocabulary.positions(ofTitle: "alien") == [0, 2])
        #expect(vocabulary.title(at: 0) == "Alien")
        #expect(vocabulary.title(at: 1) == nil)
        #expect(vocabulary.count == 3)
    }

    @Test func refusesDuplicatesAndMissingTitles() {
        #expect(Vocabulary(ids: ["1", "1"]) == nil)
        #expect(Vocabulary(ids: ["1", "2"], titles: ["one"]) == nil)
    }

    @Test(arguments: [
        ("", "cannot read line 1: expected the header id<TAB>title"),
        ("id,title\n", "cannot read line 1: expected the header id<TAB>title"),
        ("id\ttitle\na\n", "cannot read line 2: expected an id, a tab and a title"),
        ("id\ttitle\na\tb\tc\n", "cannot read line 2: expected an id, a tab and a title"),
        ("id\ttitle\na\t\nb\\q\t\n", "cannot read line 3: expected an id, a tab and a title"),
        ("id\ttitle\na\t\na\t\n", "cannot read line 3: an id that an earlier line has"),
    ])
    func brokenFiles(_ text: String, _ expected: String) throws {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("items.tsv")
            try Data(text.utf8).write(to: url)
            #expect(fileError { _ = try Vocabulary.read(url) }?.description == "\(url.path): \(expected)")
        }
    }

    @Test func bytesThatAreNotText() throws {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("items.tsv")
            try Data(Array("id\ttitle\n".utf8) + [0xFF, 0x09, 0x0A]).write(to: url)
            #expect(
                fileError { _ = try Vocabulary.read(url) }?.description == "\(url.path): cannot read line 2: not UTF-8")
        }
    }
}
