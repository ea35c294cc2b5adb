import Foundation
import Testing

@testable import FileSupport

struct JSONScannerTests {
    private struct Failure: JSONFailure, Equatable {
        var expected: String
        var byte: Int

        init(expected: String, atByte byte: Int) { (self.expected, self.byte) = (expected, byte) }
    }

    private func scan<Value>(
        _ text: String, _ body: (inout JSONScanner<Failure>) throws -> Value
    ) throws -> Value {
        try Array(text.utf8).withUnsafeBytes { bytes in
            var json = JSONScanner<Failure>(bytes)
            return try body(&json)
        }
    }

    private func string(_ text: String) throws -> String {
        try scan(text) { json in
            _ = json.take("\"")
            let bytes = try json.string()
            let text = try json.text(bytes)
            return json.next() == nil ? text : "something follows"
        }
    }

    @Test func aStringWithoutEscapesIsNotCopied() throws {
        try Array(#" "plain" "#.utf8).withUnsafeBytes { bytes in
            var json = JSONScanner<Failure>(bytes)
            _ = json.take("\"")
            let found = try json.string()
            #expect(found.baseAddress == bytes.baseAddress! + 2 && found.count == 5)
        }
    }

    /// Each of several strings keeps its bytes until the text ends, also where all need memory of their own.
    @Test func stringsWithEscapesStayWhileOthersAreRead() throws {
        let words = (0..<200).map { "\($0)\n\u{1}é😀\"" }
        let encoded = String(decoding: try JSONEncoder().encode(words), as: UTF8.self)
        let found = try scan(encoded) { json in
            _ = json.take("[")
            var found: [UnsafeRawBufferPointer] = []
            repeat {
                _ = json.take("\"")
                found.append(try json.string())
            } while json.take(",")
            return found.map { String(decoding: $0, as: UTF8.self) }
        }
        #expect(found == words)
    }

    @Test(arguments: [
        ("\"", "a closing quote", 2), ("\"a\n\"", "a closing quote", 3), ("\"a\\\"", "a closing quote", 5),
        ("\"ab\\", "an escape", 5), ("\"ab\\x\"", "an escape", 5), ("\"\\u12\"", "four hexadecimal digits", 6),
        ("\"\\u00g0\"", "four hexadecimal digits", 6), ("\"\\u", "four hexadecimal digits", 4),
        ("\"\\udc00\"", "the other half of a surrogate pair", 8),
        ("\"\\ud800\"", "the other half of a surrogate pair", 8),
        ("\"\\ud800\\n\"", "the other half of a surrogate pair", 8),
        ("\"\\ud800\\u0041\"", "the other half of a surrogate pair", 14),
        ("\"\\ud800\\u00\"", "four hexadecimal digits", 12),
    ])
    func badStringsNameTheByte(_ text: String, _ expected: String, _ byte: Int) {
        #expect(throws: Failure(expected: expected, atByte: byte)) { try string(text) }
    }

    @Test func everyEscapeIsDecoded() throws {
        #expect(try string(#""\"\\\/\b\f\n\r\t\u0041\u00e9\uD83D\uDE00\u0000""#) == "\"\\/\u{8}\u{C}\n\r\tAé😀\0")
        #expect(try string(#""\ud7ff\ue000\udbff\udfff""#) == "\u{D7FF}\u{E000}\u{10FFFF}")
    }

    @Test func textIsUTF8() throws {
        try ([0x22, 0xED, 0xA0, 0x80, 0x22] as [UInt8]).withUnsafeBytes { bytes in
            var json = JSONScanner<Failure>(bytes)
            _ = json.take("\"")
            let string = try json.string()
            #expect(throws: Failure(expected: "text in UTF-8", atByte: 6)) { try json.text(string) }
        }
    }

    @Test(arguments: [
        (#"{"a":[{"]":"\""},2],"b":tru"e"}"#, "a comma or the end of the object", 28),
        ("{\"a\":[1", "a closing bracket", 8),
        ("{\"a\":\"\\", "a closing quote", 8), ("{\"a\":}", "a value", 6), ("{\"a\":", "a value", 6),
        ("{\"a\" 1}", "a colon", 6), ("{\"a\":1,}", "a key", 8),
        ("{\"a\":1 \"b\":2}", "a comma or the end of the object", 8),
    ])
    func badObjectsNameTheByte(_ text: String, _ expected: String, _ byte: Int) {
        #expect(throws: Failure(expected: expected, atByte: byte)) {
            try scan(text) { json in
                _ = json.take("{")
                var count = 0
                while try json.nextKey(isFirst: count == 0) != nil {
                    try json.passValue()
                    count += 1
                }
            }
        }
    }

    @Test func aDeepNestIsSkippedWithoutRecursion() {
        let nest = String(repeating: "[", count: 1_000_000)
        #expect(throws: Failure(expected: "a closing bracket", atByte: 1_000_001)) {
            try scan(nest) { json in _ = try json.passValue() }
        }
    }

    @Test func whatIsSkippedIsReturnedAsItIsWritten() throws {
        let members = try scan(#" { "a" : [1, "]"] , "b":-1.5e3,"c" : "x\"}" } "#) { json in
            _ = json.take("{")
            var members: [[String]] = []
            while let key = try json.nextKey(isFirst: members.isEmpty) {
                let value = try json.passValue()
                members.append([key, value].map { String(decoding: $0, as: UTF8.self) })
            }
            return members
        }
        #expect(members == [["a", #"[1, "]"]"#], ["b", "-1.5e3"], ["c", #""x\"}""#]])
    }

    @Test(arguments: ["0", "-0", "10", "0.5", "1e5", "1E+05", "-12.25e-3"]) func numbers(_ text: String) throws {
        #expect(isJSONNumber(text.utf8))
        let found = try scan(text + ",") { json in
            String(decoding: try json.number { isJSONNumber($0) }, as: UTF8.self)
        }
        #expect(found == text)
    }

    @Test(arguments: ["", "-", "01", "1.", ".5", "+1", "1e", "1e+", "0x1", "1x", "--1", "1.2.3", "NaN"])
    func otherWordsAreNoNumbers(_ text: String) {
        #expect(!isJSONNumber(text.utf8))
        #expect(throws: Failure(expected: "a number", atByte: 2)) {
            try scan(" " + text + "]") { json in
                _ = json.next()
                return try json.number { isJSONNumber($0) }.count
            }
        }
    }
}
