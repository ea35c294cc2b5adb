/// Numbers for byte strings in order of first appearance: an open-addressing table over one arena, no object a string.
struct Interner {
    private var arena: [UInt8] = []
    private var ends: [Int] = []
    private var slots: [Int32] = Array(repeating: -1, count: 1024)

    /// Number of different strings.
    var count: Int { ends.count }

    /// The string numbered `index`; nil if it is not UTF-8.
    func string(_ index: Int32) -> String? { String(validating: arena[range(Int(index))], as: UTF8.self) }

    /// The number of a string, a new one if it is new. Amortised O(length).
    mutating func intern(_ bytes: UnsafeRawBufferPointer) -> (index: Int32, isNew: Bool) {
        var slot = Self.hash(bytes) & (slots.count - 1)
        while slots[slot] >= 0 {
            if equals(bytes, Int(slots[slot])) { return (slots[slot], false) }
            slot = (slot + 1) & (slots.count - 1)
        }
        let index = Int32(ends.count)
        arena.append(contentsOf: bytes)
        ends.append(arena.count)
        slots[slot] = index
        if ends.count * 2 > slots.count { grow() }
        return (index, true)
    }

    private func range(_ index: Int) -> Range<Int> { (index == 0 ? 0 : ends[index - 1])..<ends[index] }

    private func equals(_ bytes: UnsafeRawBufferPointer, _ index: Int) -> Bool {
        let own = range(index)
        guard own.count == bytes.count else { return false }
        return arena.withUnsafeBufferPointer { buffer in
            for i in 0..<bytes.count where buffer[own.lowerBound + i] != bytes[i] { return false }
            return true
        }
    }

    private mutating func grow() {
        slots = Array(repeating: -1, count: slots.count * 2)
        for index in ends.indices {
            let hash = arena.withUnsafeBytes { Self.hash(UnsafeRawBufferPointer(rebasing: $0[range(index)])) }
            var slot = hash & (slots.count - 1)
            while slots[slot] >= 0 { slot = (slot + 1) & (slots.count - 1) }
            slots[slot] = Int32(index)
        }
    }

    /// FNV-1a, folded so that the low bits depend on all others.
    private static func hash(_ bytes: UnsafeRawBufferPointer) -> Int {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return Int(truncatingIfNeeded: (hash ^ (hash >> 29)) >> 1)
    }
}
