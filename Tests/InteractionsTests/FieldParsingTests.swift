import FileSupport
import Foundation
import Tensors
import Testing

@testable import Interactions

/// The small parsers against Foundation's, or against a plain way to do the same.
@Suite struct FieldParsingTests {
    private func withBytes<Value>(_ text: String, _ body: (UnsafeRawBufferPointer) throws -> Value) rethrows -> Value {
        try Array(text.utf8).withUnsafeBytes(body)
    }

    @Test func csvFieldsComeBack() throws {
        var random = SeededGenerator(seed: 3)
        let alphabet = ["a", "b", ",", "\"", " ", "é", ";", ""]
        for _ in 0..<2_000 {
            let fields = (0..<Int.random(in: 1...5, using: &random)).map { _ in
                (0..<Int.random(in: 0...4, using: &random)).map { _ in
                    alphabet[Int.random(in: 0..<alphabet.count, using: &random)]
                }.joined()
            }
            let line = fields.map { field in
                let needsQuotes =
                    field.contains(",") || field.contains("\"") || field.contains(" ") || Bool.random(using: &random)
                return needsQuotes ? "\"" + field.replacing("\"", with: "\"\"") + "\"" : field
            }.joined(separator: ",")
            var splitter = FieldSplitter(TableDialect(delimiter: .comma, isQuoted: true, hasHeader: true))
            for _ in 0..<2 {
                try withBytes(line) { bytes in
                    try splitter.split(bytes)
                    #expect(splitter.fields.map { String(decoding: $0, as: UTF8.self) } == fields, "\(line)")
                }
            }
        }
    }

    @Test(arguments: [
        ("", [""]), ("::", ["", ""]), ("a::b", ["a", "b"]), ("a:b::c", ["a:b", "c"]), ("a:::b", ["a", ":b"]),
        ("a:", ["a:"]),
    ])
    func doubleColons(_ line: String, _ expected: [String]) {
        var splitter = FieldSplitter(TableDialect(delimiter: .doubleColon, isQuoted: false, hasHeader: false))
        withBytes(line) { bytes in
            try? splitter.split(bytes)
            #expect(splitter.fields.map { String(decoding: $0, as: UTF8.self) } == expected)
        }
    }

    @Test(arguments: [
        ("0", 0), ("007", 7), ("978300760", 978_300_760), ("9007199254740993", 9_007_199_254_740_992),
        ("123456789012345678901", 1.2345678901234568e20), ("-5", -5), ("+5", 5), ("1.5", 1.5), (".5", 0.5),
        ("5.", 5), ("1e3", 1000), ("1E-2", 0.01), ("", nil), (" 1", nil), ("1 ", nil), ("-", nil), ("1e", nil),
        ("0x10", nil), ("inf", nil), ("nan", nil), ("1e999", nil), ("1,5", nil), ("--1", nil), ("1.2.3", nil),
        ("é", nil),
        (String(repeating: "1", count: 65), nil),
    ])
    func numbers(_ text: String, _ expected: Double?) { #expect(withBytes(text, parseNumber) == expected) }

    @Test func numbersAreRoundedAsTheStandardLibraryDoes() {
        var random = SeededGenerator(seed: 11)
        for _ in 0..<20_000 {
            var digits = (0..<Int.random(in: 1...20, using: &random)).map { _ in
                String(Int.random(in: 0...9, using: &random))
            }
            if Bool.random(using: &random) { digits.insert(".", at: Int.random(in: 0...digits.count, using: &random)) }
            let text = digits.joined()
            let (found, expected) = (withBytes(text, parseNumber), Double(text))
            if found != expected { Issue.record("\(text): \(String(describing: found))") }
        }
    }

    @Test func jsonStringsAsFoundationWritesThem() throws {
        var random = SeededGenerator(seed: 4)
        let alphabet: [Unicode.Scalar] = ["a", "\"", "\\", "/", "\n", "\t", "\u{1}", "é", "日", "😀", "{", "]", ","]
        for _ in 0..<1_000 {
            var object: [String: String] = [:]
            for key in 0..<Int.random(in: 0...4, using: &random) {
                var value = "\(key)"
                for _ in 0..<Int.random(in: 0...6, using: &random) {
                    value.unicodeScalars.append(alphabet[Int.random(in: 0..<alphabet.count, using: &random)])
                }
                object[value] = value
            }
            let line = try JSONSerialization.data(withJSONObject: object)
            var found: [String: String] = [:]
            try line.withUnsafeBytes { bytes in
                var scanner = try JSONObjectScanner(bytes, Scratch())
                while let key = try scanner.nextKey() {
                    guard case .text(let text) = try scanner.value() else { continue }
                    found[String(decoding: key, as: UTF8.self)] = String(decoding: text, as: UTF8.self)
                }
                let members = try JSONObjectScanner.members(of: bytes).map { [$0.key, $0.value] }
                #expect(Set(members) == Set(object.map { [$0.key, $0.value] }))
            }
            #expect(found == object)
        }
    }
}
