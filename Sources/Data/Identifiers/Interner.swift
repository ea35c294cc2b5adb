#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Numbers for byte strings in order of first appearance: an open-addressing hash table over one block of memory, without an
/// object for each string. Holds up to 2³¹ strings in 16 GB.
package struct Interner: Sendable {
    /// For each string its number, its length and its bytes, padded to whole words.
    private var records: [UInt32] = []
    /// The offset of each string's record.
    private var offsets: [UInt32] = []
    private var slots: [Slot] = Array(repeating: Slot(), count: 1024)

    /// A slot of the table. It has the hash as well as the record's offset, so that most different strings are distinguished
    /// without reading their bytes, which is a cache miss.
    private struct Slot {
        var offset = UInt32.max
        var hash: UInt32 = 0
        var isEmpty: Bool { offset == .max }
    }

    /// No strings.
    package init() {}

    /// Number of distinct strings.
    package var count: Int { offsets.count }

    /// The string numbered `index`, with replacement characters where it is not UTF-8.
    package func string(_ index: Int32) -> String { withBytes(index) { String(decoding: $0, as: UTF8.self) } }

    /// Calls `body` with the bytes of the string numbered `index`.
    package func withBytes<Value, Failure: Error>(
        _ index: Int32, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        let offset = Int(offsets[Int(index)])
        return try records.withUnsafeBufferPointer { (records) throws(Failure) in
            try body(UnsafeRawBufferPointer(start: records.baseAddress! + offset + 2, count: Int(records[offset + 1])))
        }
    }

    /// The number of a string; nil if it was never added. O(length).
    package func index(of bytes: UnsafeRawBufferPointer) -> Int32? {
        let slot = slots[slot(of: bytes, Self.hash(bytes))]
        return slot.isEmpty ? nil : index(at: slot.offset)
    }

    /// The number of a string, a new one if it is new. Amortised O(length).
    package mutating func intern(_ bytes: UnsafeRawBufferPointer) -> (index: Int32, isNew: Bool) {
        intern(bytes, Self.hash(bytes))
    }

    /// Interns many strings at once, with the same result as one after the other.
    ///
    /// In a table larger than the caches each string has two cache misses, for its slot and for its record. Many independent misses
    /// take hardly longer than one, so all slots are read first, then all records.
    package mutating func intern(_ texts: PackedTexts) -> [Int32] {
        texts.withEach { texts in
            let hashes = texts.map(Self.hash)
            let firstSlots = hashes.map { slots[firstSlot($0)] }
            let heads = zip(firstSlots, hashes).map { first, hash in
                first.isEmpty || first.hash != hash
                    ? nil : (index: index(at: first.offset), length: length(at: first.offset))
            }
            return texts.indices.map { i in
                if let head = heads[i], head.length == texts[i].count, equals(texts[i], firstSlots[i].offset) {
                    return head.index
                }
                return intern(texts[i], hashes[i]).index
            }
        }
    }

    private mutating func intern(_ bytes: UnsafeRawBufferPointer, _ hash: UInt32) -> (index: Int32, isNew: Bool) {
        let slot = slot(of: bytes, hash)
        if !slots[slot].isEmpty { return (index(at: slots[slot].offset), false) }
        let index = Int32(offsets.count)
        slots[slot] = Slot(offset: addRecord(bytes, index), hash: hash)
        if offsets.count * 2 > slots.count { grow() }
        return (index, true)
    }

    private mutating func addRecord(_ bytes: UnsafeRawBufferPointer, _ index: Int32) -> UInt32 {
        let offset = UInt32(records.count)
        offsets.append(offset)
        records.append(UInt32(bitPattern: index))
        records.append(UInt32(bytes.count))
        records.append(contentsOf: repeatElement(0, count: (bytes.count + 3) / 4))
        records.withUnsafeMutableBytes {
            UnsafeMutableRawBufferPointer(rebasing: $0[(4 * Int(offset) + 8)...]).copyMemory(from: bytes)
        }
        return offset
    }

    private func index(at offset: UInt32) -> Int32 { Int32(bitPattern: records[Int(offset)]) }
    private func length(at offset: UInt32) -> Int { Int(records[Int(offset) + 1]) }

    private func equals(_ bytes: UnsafeRawBufferPointer, _ offset: UInt32) -> Bool {
        guard length(at: offset) == bytes.count else { return false }
        guard let text = bytes.baseAddress else { return true }
        return records.withUnsafeBytes { memcmp($0.baseAddress! + 4 * Int(offset) + 8, text, bytes.count) == 0 }
    }

    /// The slot where the search for a hash begins.
    private func firstSlot(_ hash: UInt32) -> Int { Int(hash) & (slots.count - 1) }

    /// The slot of a string, or the empty slot where it would be inserted.
    private func slot(of bytes: UnsafeRawBufferPointer, _ hash: UInt32) -> Int {
        var slot = firstSlot(hash)
        while !slots[slot].isEmpty {
            if slots[slot].hash == hash, equals(bytes, slots[slot].offset) { break }
            slot = (slot + 1) & (slots.count - 1)
        }
        return slot
    }

    private mutating func grow() {
        let old = slots
        slots = Array(repeating: Slot(), count: old.count * 2)
        for entry in old where !entry.isEmpty {
            var slot = firstSlot(entry.hash)
            while !slots[slot].isEmpty { slot = (slot + 1) & (slots.count - 1) }
            slots[slot] = entry
        }
    }

    /// Multiplies eight bytes at a time into 64 bits and returns the upper half, which is mixed better.
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

extension Interner: Equatable {
    /// Whether the same strings have the same numbers.
    package static func == (a: Interner, b: Interner) -> Bool { a.records == b.records }
}

/// Byte strings, concatenated.
package struct PackedTexts: Sendable {
    private var bytes: [UInt8] = []
    private var ends: [Int] = []

    /// No strings.
    package init() {}

    /// Number of strings.
    package var count: Int { ends.count }

    /// Whether there are so many strings that interning more at once would not be faster.
    package var isFull: Bool { count >= 256 || bytes.count >= 1 << 16 }

    /// Adds a string.
    package mutating func append(_ text: UnsafeRawBufferPointer) {
        bytes.append(contentsOf: text)
        ends.append(bytes.count)
    }

    /// Removes all strings and keeps the capacity.
    package mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        ends.removeAll(keepingCapacity: true)
    }

    /// Calls `body` with the strings.
    func withEach<Value>(_ body: ([UnsafeRawBufferPointer]) -> Value) -> Value {
        bytes.withUnsafeBytes { bytes in
            var start = 0
            return body(
                ends.map { end in
                    defer { start = end }
                    return UnsafeRawBufferPointer(rebasing: bytes[start..<end])
                })
        }
    }
}
