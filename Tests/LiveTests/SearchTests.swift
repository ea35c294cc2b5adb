import Events
import Foundation
import Identifiers
import Tensors
import Testing

@testable import Live

/// Searching titles and identifiers.
@Suite struct SearchTests {
    private static let alphabet = ["a", "A", "b", "é", "e\u{301}", "E", "ß", "Ж", "ж", "茶", " ", "0"]

    /// The rows are those whose texts contain the part, found by Foundation one by one.
    @Test(arguments: [1, 2, 3] as [UInt64]) func rowsAreThoseThatContainThePart(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        func text(_ most: Int) -> String {
            (0..<Int(generator.next() % UInt64(most + 1))).map { _ in
                Self.alphabet[Int(generator.next() % UInt64(Self.alphabet.count))]
            }.joined()
        }
        let texts = (0..<200).map { $0 % 9 == 0 ? nil : text(12) }
        let folded = FoldedTexts(texts)
        for _ in 0..<100 {
            let part = text(2)
            guard !part.isEmpty else { continue }
            var rows: [Int] = []
            folded.forEachRow(containing: FoldedTexts.folded(part)) { rows.append($0) }
            let expected = texts.indices.filter { plain(texts[$0] ?? "").contains(plain(part)) }
            #expect(rows == expected, "\(part)")
            for (row, text) in texts.enumerated() {
                #expect(FoldedTexts.contains(FoldedTexts.folded(part), in: text) == expected.contains(row))
            }
        }
    }

    private func plain(_ text: String) -> String {
        text.folding(options: [.caseInsensitive, .diacriticInsensitive], locale: nil)
    }

    @Test func nothingIsFoundByNothing() {
        let texts = FoldedTexts(["a", nil, ""])
        for part in [[], [0], [0x61, 0]] as [[UInt8]] {
            texts.forEachRow(containing: part) { Issue.record("row \($0)") }
        }
    }

    /// An annotation's title takes the place of the model's; identifiers are found all the same.
    @Test func titlesOfAnnotationsTakeThePlaceOfTheModels() async throws {
        let models = try TestModels(["a"])
        let service = try LiveService(models: models.url, log: MemoryEventLog(), options: .test())
        try await service.annotate([
            AnnotationChange("i7", annotation: ItemAnnotation(title: "Grüner Tee")),
            AnnotationChange("new", annotation: ItemAnnotation(title: "Tee")),
            AnnotationChange("i8", annotation: ItemAnnotation(categories: ["TEE"])),
        ])
        func found(_ text: String) async throws -> [RawID] {
            try await service.items(matching: text, limit: 100).map(\.item)
        }
        #expect(try await found("GRUNER") == ["i7"])
        #expect(try await found("tee") == ["i7", "new"])
        #expect(try await found("title 7").isEmpty)
        #expect(try await found("title 8") == ["i8"])
        #expect(try await found("I59") == ["i59"])
        #expect(try await service.items(matching: "title", limit: 3).map(\.item) == ["i0", "i1", "i2"])
        await service.stop()
    }
}
