import ArrowData
import Interactions
import Tensors
import Testing

/// Valid tables with random damage: a log or an error, never a trap; and everything is released once.
@Suite struct FuzzTests {
    @Test(arguments: EventTests.tables.indices) func randomDamage(_ index: Int) {
        var random = SeededGenerator(seed: UInt64(index))
        for round in 0..<400 {
            var batches = EventTests.tables[index].batches
            var schema: Handmade? = batches[0]
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let place = Int.random(in: 0..<batches.count, using: &random)
                damage(&batches[place], &random)
            }
            if Int.random(in: 0..<3, using: &random) == 0 { damage(&schema!, &random) }
            if Int.random(in: 0..<2, using: &random) == 0 { schema = batches[0] }
            var options = ReadOptions()
            options.skipsBadLines = round % 2 == 0
            do { _ = try read(batches, options, schema: schema) } catch {
                #expect(error is DatasetError || error is ArrowError, "\(error)")
            }
        }
    }

    /// Changes one thing. Buffers never get shorter than what the lengths say, since no reader could know: pointers would be wild.
    private func damage(_ array: inout Handmade, _ random: inout SeededGenerator) {
        let odd: [Int64] = [-1, .min, .max, 1 << 47, -2, 3, 0]
        func any(_ values: [Int64]) -> Int64 { values[Int.random(in: 0..<values.count, using: &random)] }
        let parts = array.children.indices.filter { array.children[$0] != nil }
        if !parts.isEmpty, Int.random(in: 0..<4, using: &random) > 0 {
            return damage(&array.children[parts[Int.random(in: 0..<parts.count, using: &random)]]!, &random)
        }
        if !array.dictionary.isEmpty, Int.random(in: 0..<2, using: &random) == 0 {
            return damage(&array.dictionary[0], &random)
        }
        switch Int.random(in: 0..<9, using: &random) {
        case 0:
            // Of a type that needs no more memory than there is.
            let formats = ["c", "C", "b", "n", "x", "", "tss", "+l", "d:1", "z", "vz", "+r", "\u{7F}", "e"]
            array.format =
                Int.random(in: 0..<8, using: &random) == 0
                ? nil : formats[Int.random(in: 0..<formats.count, using: &random)]
        case 1: array.length = any([-1, .min, 0])
        case 2: array.offset = any([-1, .min, .max, .max - 7])
        case 3: array.nullCount = any(odd)
        case 4: array.bufferCount = any([0, 1, -1, .min] + (array.buffers.count > 2 ? [2] : []))
        case 5: array.childCount = any([-1, .min, 0, 1].filter { $0 <= Int64(array.children.count) })
        case 6:
            if !array.children.isEmpty {
                array.children[Int.random(in: 0..<array.children.count, using: &random)] = nil
            }
        case 7: array.dictionary = []
        default: damageBytes(&array, &random)
        }
    }

    /// Offsets that decrease, positions out of range, views into nowhere, text that is not UTF-8: of what a reader can check.
    private func damageBytes(_ array: inout Handmade, _ random: inout SeededGenerator) {
        let isText = ["u", "U"].contains(array.format)
        let place = Int.random(in: 0..<max(1, array.buffers.count), using: &random)
        guard place < array.buffers.count, let bytes = array.buffers[place], !bytes.isEmpty else { return }
        // The last offset says how long the text is, the last buffer of views how long theirs are: nobody can check those.
        let last = place == 1 && isText ? bytes.count - (array.format == "u" ? 4 : 8) : bytes.count
        guard last > 0, !(array.format == "vu" && place == 3) else { return }
        let at = Int.random(in: 0..<last, using: &random)
        array.buffers[place]![at] = UInt8.random(in: 0...255, using: &random)
    }
}
