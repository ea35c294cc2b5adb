import Events
import Identifiers
import Tensors
import Testing

@testable import Live

/// Which rows annotations leave, against a plain list of annotations.
@Suite struct ItemFilterTests {
    private let rowCount = 1000
    private let names = ["none", "few", "some", "many", "all"]

    /// Categories of a few rows and of many, changed again and again: rows are listed, then bits, then gone.
    @Test(arguments: [1, 2, 3] as [UInt64]) func filtersAreThoseOfTheAnnotations(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        func random(_ count: Int) -> Int { Int(generator.next() % UInt64(count)) }
        var (notes, filters) = ([Int32: ItemAnnotation](), ItemFilters(rowCount: rowCount))
        for step in 0..<3000 {
            let row = Int32(random(rowCount))
            let isGrowing = step < 2000
            let categories = names.enumerated().filter { index, _ in random(200) < index * index * 20 }.map(\.element)
            let note = ItemAnnotation(categories: isGrowing ? categories : [], isHidden: random(6) == 0)
            if let before = notes[row] { filters.remove(before, row) }
            notes[row] = note
            filters.add(note, row)
            filters.add(note, row)
            guard step % 50 == 0 else { continue }
            check(filters, notes)
        }
        for (row, note) in notes { filters.remove(note, row) }
        check(filters, [:])
    }

    /// é and e + ́ are two categories.
    @Test func categoriesAreComparedByteByByte() {
        var filters = ItemFilters(rowCount: rowCount)
        filters.add(ItemAnnotation(categories: ["caf\u{E9}"]), 1)
        filters.add(ItemAnnotation(categories: ["cafe\u{301}"]), 2)
        #expect(filters.rows(ofAny: ["caf\u{E9}"]) == RowSet(rowCount: rowCount, [1]))
        #expect(filters.rows(ofAny: ["cafe\u{301}"]) == RowSet(rowCount: rowCount, [2]))
    }

    private func check(_ filters: ItemFilters, _ notes: [Int32: ItemAnnotation]) {
        let hidden = notes.filter { $0.value.isHidden }.keys
        #expect(filters.visible == RowSet(rowCount: rowCount, (0..<Int32(rowCount)).filter { !hidden.contains($0) }))
        for asked in names.map({ [$0] }) + [["few", "many"], ["many", "some", "many"], ["unheard of"], []] {
            let rows = notes.filter { !$0.value.isHidden && !Set($0.value.categories).isDisjoint(with: asked) }.keys
            #expect(filters.rows(ofAny: asked) == RowSet(rowCount: rowCount, rows), "\(asked)")
        }
    }

    /// A question with a large category makes no set of its own.
    @Test func questionsShareTheRowsOfALargeCategory() {
        var filters = ItemFilters(rowCount: rowCount)
        for row in 0..<Int32(100) { filters.add(ItemAnnotation(categories: ["large"]), row) }
        func place() -> UnsafePointer<UInt64>? {
            filters.rows(ofAny: ["large"]).words.withUnsafeBufferPointer(\.baseAddress)
        }
        #expect(place() == place())
        let before = filters.rows(ofAny: ["large"])
        filters.add(ItemAnnotation(categories: ["large"]), 500)
        #expect(before.count == 100 && filters.rows(ofAny: ["large"]).count == 101)
    }

    /// What is said while a release is being made ready counts for it and for the one that still answers.
    @Test func annotationsCountForEveryReleaseThatIsThere() throws {
        let models = try TestModels(["a", "b"])
        let a = try Oracle(models, "a").release
        let annotations = try Annotations(MemoryEventLog(), for: a)
        annotations.set([
            AnnotatedItem("i1", ItemAnnotation(isHidden: true)),
            AnnotatedItem("i65", ItemAnnotation(categories: ["new"])),
        ])
        let b = try Oracle(models, "b").release  // it knows ten more items, "i65" among them
        annotations.prepare(for: b)
        annotations.set([AnnotatedItem("i2", ItemAnnotation(title: "Two", isHidden: true)), AnnotatedItem("i1", nil)])
        for (release, count) in [(a, 60), (b, 70)] {
            let filters = annotations.filters(for: release)
            #expect(filters.visible.count == count - 1 && !filters.visible.contains(2))
            #expect(filters.rows(ofAny: ["new"]).count == (count == 70 ? 1 : 0))
        }
        #expect(annotations.titles(of: ["i1", "i2", "i3"]) == [nil, "Two", nil])
    }
}
