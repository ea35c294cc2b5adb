#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Numbers for byte strings in order of first appearance: an open-addressing table over one arena, no object a string.
struct Interner {
    private var arena: [UInt8] = []
    private var ends: [Int] = []
    private var slots: [Slot] = Array(repeating: Slot(), count: 1024)

    /// A place in the table. The hash is kept beside the number, so that strangers are told apart without a look at
    /// their bytes, which lie far away in memory.
    private struct Slot {
        var index: Int32 = -1
        var hash: UInt32 = 0
    }

    /// Number of different strings.
    var count: Int { ends.count }

    /// The string numbered `index`; nil if it is not UTF-8.
    func string(_ index: Int32) -> String? { String(validating: arena[range(Int(index))], as: UTF8.self) }

    /// The number of a string, a new one if it is new. Amortised O(length).
    mutating func intern(_ bytes: UnsafeRawBufferPointer) -> (index: Int32, isNew: Bool) {
        let hash = Self.hash(bytes)
        var place = Int(hash) & (slots.count - 1)
        while slots[place].index >= 0 {
            if slots[place].hash == hash, equals(bytes, Int(slots[place].index)) { return (slots[place].index, false) }
            place = (place + 1) & (slots.count - 1)
        }
        let index = Int32(ends.count)
        arena.append(contentsOf: bytes)
        ends.append(arena.count)
        slots[place] = Slot(index: index, hash: hash)
        if ends.count * 2 > slots.count { grow() }
        return (index, true)
    }

    private func range(_ index: Int) -> Range<Int> { (index == 0 ? 0 : ends[index - 1])..<ends[index] }

    private func equals(_ bytes: UnsafeRawBufferPointer, _ index: Int) -> Bool {
        let own = range(index)
        guard own.count == bytes.count, let text = bytes.baseAddress else { return own.count == bytes.count }
        return arena.withUnsafeBytes { arena in
            arena.baseAddress.map { memcmp($0 + own.lowerBound, text, bytes.count) == 0 } ?? false
        }
    }

    private mutating func grow() {
        let old = slots
        slots = Array(repeating: Slot(), count: old.count * 2)
        for slot in old where slot.index >= 0 {
            var place = Int(slot.hash) & (slots.count - 1)
            while slots[place].index >= 0 { place = (place + 1) & (slots.count - 1) }
            slots[place] = slot
        }
    }

    /// Multiplies eight bytes at a time into 64 bits and keeps the upper, better mixed half.
    private static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        var hash = UInt64(bytes.count)
        var start = 0
        while start < bytes.count {
            var word: UInt64 = 0
            if start + 8 <= bytes.count {
                word = bytes.loadUnaligned(fromByteOffset: start, as: UInt64.self)
            } else {
                for i in start..<bytes.count { word = word << 8 | UInt64(bytes[i]) }
            }
            hash = (hash ^ word) &* 0x9E37_79B9_7F4A_7C15
            hash ^= hash >> 32
            start += 8
        }
        return UInt32(truncatingIfNeeded: (hash &* 0xBF58_476D_1CE4_E5B9) >> 32)
    }
}
