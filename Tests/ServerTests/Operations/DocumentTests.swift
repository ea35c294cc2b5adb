import Foundation
import Testing

@testable import Server

/// docs/operations.md has a row for each setting and each metric, in the words of the program, and no others.
@Suite struct DocumentTests {
    /// The first and the last cells but one of rows that begin with a name.
    private func rows(_ header: String) throws -> [String: [String]] {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../../docs/operations.md")
        let text = try String(contentsOf: file, encoding: .utf8)
        let lines = try #require(text.components(separatedBy: header + "\n").dropFirst().first).split(separator: "\n")
            .dropFirst()
        let cells = lines.prefix { $0.hasPrefix("| `") }.map { line in
            line.dropFirst(2).dropLast(2).components(separatedBy: " | ")
        }
        return Dictionary(uniqueKeysWithValues: cells.map { ($0[0].filter { $0 != "`" }, Array($0.dropFirst())) })
    }

    @Test func everySettingIsDocumented() throws {
        let rows = try rows("| setting | default | meaning |")
        #expect(Set(rows.keys) == Set(Setting.all.map(\.name)))
        for setting in Setting.all {
            let parts = setting.help.components(separatedBy: " (default: ")
            let standard = parts.count > 1 ? String(parts[1].dropLast()) : setting.text(ServiceSettings()) ?? "–"
            #expect(rows[setting.name] == [standard, parts[0]])
        }
    }

    @Test func everyMetricIsDocumented() throws {
        let rows = try rows("| metric | meaning | worry when |")
        #expect(rows.mapValues { $0[0] + "." } == metricDescriptions)
    }
}
