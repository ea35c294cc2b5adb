import Foundation
import Testing

@testable import Server

struct JSONReaderTests {
    private func any(_ text: String) throws(Problem) -> String { try any(Array(text.utf8)) }
    private func any(_ bytes: [UInt8]) throws(Problem) -> String {
        try JSONReader.read(bytes) { (reader) throws(Problem) in try reader.any() }
    }
    private func string(_ text: String) throws(Problem) -> String {
        try JSONReader.read(Array(text.utf8)) { (reader) throws(Problem) in try reader.string() }
    }

    @Test(arguments: [
        "1", "-0", "0.5", "1e5", "1E+05", "-12.25e-3", "true", "false", "null", "\"\"", "[]", "{}", " [ 1 , 2 ] ",
        "{\"a\":{\"b\":[{}]}}", "\t\r\n\"x\"\n", "\"\\u00e9\\ud83d\\ude00\"", "\"é😀\u{7F}\"",
    ])
    func takesJSON(_ text: String) throws {
        #expect(try any(text) == text.trimmingCharacters(in: .whitespacesAndNewlines))
    }

    @Test(arguments: [
        "", " ", "01", "1.", ".5", "+1", "-", "1e", "1e+", "0x1", "NaN", "Infinity", "-Infinity", "tru", "truex", "nul",
        "'a'",
        "\"", "\"\n\"", "\"\t\"", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\\ud800\"", "\"\\ud800x\"",
        "\"\\ud800\\u0041\"",
        "\"\\udc00\"", "\"\\", "[", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "]", "{", "{\"a\"", "{\"a\":", "{\"a\":1",
        "{\"a\":1,}",
        "{a:1}", "{\"a\" 1}", "{,}", "{\"a\":1,,\"b\":2}", "1 2", "{}{}", "[]//", "\u{FEFF}1", "\u{A0}1", "\0",
    ])
    func refusesAllElse(_ text: String) {
        #expect(throws: Problem.self) { try any(text) }
    }

    @Test(
        arguments: [[0x80], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xE2, 0x82], [0xFF]]
            as [[UInt8]])
    func refusesWhatIsNotUTF8(_ bytes: [UInt8]) {
        #expect(throws: Problem.self) { try any([0x22] + bytes + [0x22]) }
        #expect(throws: Problem.self) { try any([0x22, 0x5C, 0x6E] + bytes + [0x22]) }
        #expect(throws: Problem.self) { try any(bytes) }
    }

    @Test func decodesEscapes() throws {
        #expect(try string(#""\"\\\/\b\f\n\r\t\u0041\u00e9\uD83D\uDE00\u0000""#) == "\"\\/\u{8}\u{C}\n\r\tAé😀\0")
    }

    @Test func refusesKeysThatOccurTwice() {
        #expect(throws: Problem(field: "b.a", "occurs twice")) { try any(#"{"b":{"a":1,"\u0061":2}}"#) }
        let many = (0..<100).map { "\"k\($0)\":0" }
        #expect(throws: Never.self) { try any("{\(many.joined(separator: ","))}") }
        #expect(throws: Problem(field: "k7", "occurs twice")) {
            try any("{\((many + ["\"k7\":1"]).joined(separator: ","))}")
        }
    }

    @Test func equalLookingKeysAreTwo() {
        #expect(throws: Never.self) { try any("{\"\u{E9}\":1,\"e\u{301}\":2}") }
    }

    @Test func refusesDeepNests() {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(throws: Never.self) { try any(nested(JSONReader.maximumDepth)) }
        #expect(throws: Problem.self) { try any(nested(JSONReader.maximumDepth + 1)) }
        #expect(throws: Problem.self) { try any(String(repeating: "{\"a\":", count: 1_000_000)) }
    }

    @Test func refusesLongNumbers() {
        #expect(throws: Never.self) { try any(String(repeating: "1", count: 256)) }
        #expect(throws: Problem.self) { try any(String(repeating: "1", count: 257)) }
    }

    @Test(arguments: ["1", "1.0", "10e-1", "0.1e1"]) func wholeNumbersMayBeWrittenInManyWays(_ text: String) throws {
        let value = try JSONReader.read(Array(text.utf8)) { (reader) throws(Problem) in try reader.integer(in: 1...1) }
        #expect(value == 1)
    }

    @Test(arguments: ["0", "2", "1.5", "1e400", "-1", "99999999999999999999", "\"1\"", "true", "null"])
    func otherNumbersAreRefused(_ text: String) {
        #expect(throws: Problem.self) {
            try JSONReader.read(Array(text.utf8)) { (reader) throws(Problem) in try reader.integer(in: 1...1) }
        }
    }

    @Test func doublesAreExactAndFinite() throws {
        for text in ["0.1", "1e308", "123456789.123456789", "5e-324", "-0.0"] {
            let value = try JSONReader.read(Array(text.utf8)) { (reader) throws(Problem) in try reader.double() }
            #expect(value == Double(text))
        }
        #expect(throws: Problem.self) {
            try JSONReader.read(Array("1e309".utf8)) { (reader) throws(Problem) in try reader.double() }
        }
    }

    /// Foundation's parser is the judge of random changes of a document. It takes what we refuse on purpose: repeated keys, numbers that no double
    /// holds, other encodings; never the other way round.
    @Test func takesNothingThatFoundationRefuses() {
        let document = Array(#"{"a":[1,-2.5e3,true,null,"x\u00e9\n"],"bc":{"d":{},"e":[[]]},"f":"é"}"#.utf8)
        let alphabet = Array("{}[],:\"\\ue0123456789-+.tfna \n\u{1}é".utf8) + [0x80, 0xFF]
        var generator = SeededRandom(seed: 7)
        var taken = 0
        for _ in 0..<20_000 {
            var bytes = document
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: bytes[place] = alphabet.randomElement(using: &generator)!
                case 1: bytes.remove(at: place)
                default: bytes.insert(alphabet.randomElement(using: &generator)!, at: place)
                }
            }
            guard (try? any(bytes)) != nil else { continue }
            taken += 1
            let judged = try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
            #expect(judged != nil, "\(String(decoding: bytes, as: UTF8.self))")
        }
        #expect(taken > 1_000)
    }
}

/// The same numbers in every run (SplitMix64).
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
