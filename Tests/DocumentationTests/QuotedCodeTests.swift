import Foundation
import Testing

/// Swift code in documents is code that is compiled: each block is a part of a source file.
@Suite struct QuotedCodeTests {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    static let documents =
        ["README.md", "CONTRIBUTING.md"]
        + files(in: "Sources/RecBLR/RecBLR.docc", suffix: ".md") + files(in: "docs", suffix: ".md")

    @Test(arguments: documents)
    func swiftBlocksAreCompiled(document: String) throws {
        let sources = try
            (Self.files(in: "Examples", suffix: ".swift") + Self.files(in: "Sources", suffix: ".swift")
            + Self.files(in: "Tests", suffix: ".swift")).map { Self.plain(try Self.text(of: $0)) }
        for block in try Self.swiftBlocks(in: Self.text(of: document)) {
            #expect(sources.contains { $0.contains(Self.plain(block)) }, "no source file holds\n\(block)")
        }
    }

    /// README.md has a whole program.
    @Test func theReadmeHasAWholeExample() throws {
        let program = try Self.text(of: "Examples/TrainAndRecommend/main.swift")
        #expect(try Self.swiftBlocks(in: Self.text(of: "README.md")) == [program])
    }

    /// Types and files that are named in the documents of the code are there.
    @Test(arguments: ["docs/design.md", "CONTRIBUTING.md"])
    func namesAreThoseOfTheCode(document: String) throws {
        let folders = ["Examples", "Sources", "Tests", "scripts"]
        let paths = folders.flatMap { Self.files(in: $0, suffix: "") } + ["Benchmarks"]
        let code = try paths.filter { $0.hasSuffix(".swift") }.map(Self.text(of:)).joined()
        func exists(_ name: String) -> Bool {
            if name.contains(/\.(swift|h|py|sh)$/) { return paths.contains { ("/" + $0).hasSuffix("/" + name) } }
            guard let type = name.wholeMatch(of: /[A-Z]\w+(?:\.(\w+))?/) else { return true }
            return code.contains(type.1 ?? type.0) || paths.contains { ("/" + $0 + "/").contains("/" + name + "/") }
        }
        let names = try Self.text(of: document).matches(of: /`([^`\s]+)/).map { String($0.1) }
        #expect(names.filter { !exists($0) } == [])
    }

    private static func text(of path: String) throws -> String {
        try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
    }

    private static func files(in folder: String, suffix: String) -> [String] {
        let paths = FileManager.default.enumerator(atPath: root.appendingPathComponent(folder).path)
        return (paths?.compactMap { $0 as? String } ?? []).filter { $0.hasSuffix(suffix) }.sorted().map {
            folder + "/" + $0
        }
    }

    private static func swiftBlocks(in text: String) -> [String] {
        text.components(separatedBy: "```swift\n").dropFirst().map { $0.components(separatedBy: "```")[0] }
    }

    /// Without indentation, which a part of a program loses in a document.
    private static func plain(_ code: String) -> String {
        code.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }.joined(separator: "\n")
    }
}
