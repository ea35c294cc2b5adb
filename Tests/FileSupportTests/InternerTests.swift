import FileSupport
import Identifiers
import Tensors
import Testing

@Suite struct InternerTests {
    private func withBytes<Value>(_ text: String, _ body: (UnsafeRawBufferPointer) -> Value) -> Value {
        Array(text.utf8).withUnsafeBytes(body)
    }

    /// Numbers, some often, some once, of one to a dozen digits; sometimes nothing at all.
    private func randomText(_ random: inout SeededGenerator) -> String {
        if Int.random(in: 0..<1_000, using: &random) == 0 { return "" }
        let limit = 1 << Int.random(in: 1...40, using: &random)
        return String(Int.random(in: 0..<limit, using: &random), radix: Int.random(in: 2...36, using: &random))
    }

    @Test func numbersByFirstAppearance() {
        var random = SeededGenerator(seed: 5)
        var interner = Interner()
        var numbers: [String: Int32] = [:]
        for _ in 0..<20_000 {
            let text = randomText(&random)
            #expect(withBytes(text) { interner.index(of: $0) } == numbers[text])
            let (index, isNew) = withBytes(text) { interner.intern($0) }
            #expect(isNew == (numbers[text] == nil))
            #expect(index == numbers[text, default: Int32(numbers.count)])
            numbers[text] = index
        }
        #expect(interner.count == numbers.count)
        for (text, index) in numbers {
            #expect(interner.string(index) == text)
            #expect(interner.withBytes(index) { $0.elementsEqual(text.utf8) })
        }
    }

    @Test func manyAtOnceAreNumberedLikeOneAfterTheOther() {
        var random = SeededGenerator(seed: 6)
        var (single, batched) = (Interner(), Interner())
        var texts = PackedTexts()
        for round in 0..<200 {
            #expect(batched.intern(texts) == [])
            let batch = (0..<Int.random(in: 0...300, using: &random)).map { _ in randomText(&random) }
            for text in batch { withBytes(text) { texts.append($0) } }
            #expect(texts.count == batch.count && texts.isFull == (batch.count >= 256))
            #expect(batched.intern(texts) == batch.map { text in withBytes(text) { single.intern($0).index } })
            #expect(batched == single, "round \(round)")
            texts.removeAll()
        }
        #expect(single.count > 5_000 && !texts.isFull)
        withBytes("new") { _ = single.intern($0) }
        #expect(batched != single)
    }
}
