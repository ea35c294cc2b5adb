#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Numbers for byte strings in order of first appearance: an open-addressing table over one block of memory, no object a
/// string. Holds up to 2³¹ strings in 16 GB.
public struct Interner: Sendable {
    /// For each string its number, its length and its bytes, filled up to whole words.
    private var records: [UInt32] = []
    /// Where each string's record begins.
    private var places: [UInt32] = []
    private var slots: [Slot] = Array(repeating: Slot(), count: 1024)

    /// A place in the table. The hash is kept beside the record's place, so that strangers are told apart without a look
    /// at their bytes, which lie far away in memory.
    private struct Slot {
        var place = UInt32.max
        var hash: UInt32 = 0
        var isEmpty: Bool { place == .max }
    }

    /// No strings.
    public init() {}

    /// Number of different strings.
    public var count: Int { places.count }

    /// The string numbered `index`, repaired where it is not UTF-8.
    public func string(_ index: Int32) -> String { withBytes(index) { String(decoding: $0, as: UTF8.self) } }

    /// Calls `body` with the bytes of the string numbered `index`.
    public func withBytes<Value, Failure: Error>(
        _ index: Int32, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        let place = Int(places[Int(index)])
        return try records.withUnsafeBufferPointer { (records) throws(Failure) in
            try body(UnsafeRawBufferPointer(start: records.baseAddress! + place + 2, count: Int(records[place + 1])))
        }
    }

    /// The number of a string; nil if it was never added. O(length).
    public func index(of bytes: UnsafeRawBufferPointer) -> Int32? {
        let slot = slots[slot(of: bytes, Self.hash(bytes))]
        return slot.isEmpty ? nil : index(at: slot.place)
    }

    /// The number of a string, a new one if it is new. Amortised O(length).
    public mutating func intern(_ bytes: UnsafeRawBufferPointer) -> (index: Int32, isNew: Bool) {
        intern(bytes, Self.hash(bytes))
    }

    /// The numbers of strings that lie end to end, as interning one after the other would give.
    ///
    /// In a table larger than the caches a string waits for memory twice, for its slot and for its record. Many waits at
    /// once take hardly longer than one, so here all slots are fetched first, then all records.
    public mutating func intern(_ texts: PackedTexts) -> [Int32] {
        texts.withEach { texts in
            let hashes = texts.map(Self.hash)
            let homes = hashes.map { slots[home($0)] }
            let heads = zip(homes, hashes).map { home, hash in
                home.isEmpty || home.hash != hash ? nil : (index: index(at: home.place), length: length(at: home.place))
            }
            return texts.indices.map { i in
                if let head = heads[i], head.length == texts[i].count, equals(texts[i], homes[i].place) {
                    return head.index
                }
                return intern(texts[i], hashes[i]).index
            }
        }
    }

    private mutating func intern(_ bytes: UnsafeRawBufferPointer, _ hash: UInt32) -> (index: Int32, isNew: Bool) {
        let slot = slot(of: bytes, hash)
        if !slots[slot].isEmpty { return (index(at: slots[slot].place), false) }
        let index = Int32(places.count)
        slots[slot] = Slot(place: addRecord(bytes, index), hash: hash)
        if places.count * 2 > slots.count { grow() }
        return (index, true)
    }

    private mutating func addRecord(_ bytes: UnsafeRawBufferPointer, _ index: Int32) -> UInt32 {
        let place = UInt32(records.count)
        places.append(place)
        records.append(UInt32(bitPattern: index))
        records.append(UInt32(bytes.count))
        records.append(contentsOf: repeatElement(0, count: (bytes.count + 3) / 4))
        records.withUnsafeMutableBytes {
            UnsafeMutableRawBufferPointer(rebasing: $0[(4 * Int(place) + 8)...]).copyMemory(from: bytes)
        }
        return place
    }

    private func index(at place: UInt32) -> Int32 { Int32(bitPattern: records[Int(place)]) }
    private func length(at place: UInt32) -> Int { Int(records[Int(place) + 1]) }

    private func equals(_ bytes: UnsafeRawBufferPointer, _ place: UInt32) -> Bool {
        guard length(at: place) == bytes.count else { return false }
        guard let text = bytes.baseAddress else { return true }
        return records.withUnsafeBytes { memcmp($0.baseAddress! + 4 * Int(place) + 8, text, bytes.count) == 0 }
    }

    /// The slot where a search begins.
    private func home(_ hash: UInt32) -> Int { Int(hash) & (slots.count - 1) }

    /// The slot that holds a string, or the empty one where it belongs.
    private func slot(of bytes: UnsafeRawBufferPointer, _ hash: UInt32) -> Int {
        var slot = home(hash)
        while !slots[slot].isEmpty {
            if slots[slot].hash == hash, equals(bytes, slots[slot].place) { break }
            slot = (slot + 1) & (slots.count - 1)
        }
        return slot
    }

    private mutating func grow() {
        let old = slots
        slots = Array(repeating: Slot(), count: old.count * 2)
        for entry in old where !entry.isEmpty {
            var slot = home(entry.hash)
            while !slots[slot].isEmpty { slot = (slot + 1) & (slots.count - 1) }
            slots[slot] = entry
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

extension Interner: Equatable {
    /// Whether the same strings have the same numbers.
    public static func == (a: Interner, b: Interner) -> Bool { a.records == b.records }
}

/// Byte strings end to end.
public struct PackedTexts: Sendable {
    private var bytes: [UInt8] = []
    private var ends: [Int] = []

    /// No strings.
    public init() {}

    /// Number of strings.
    public var count: Int { ends.count }

    /// Whether there are so many that more would not be interned any quicker, or that their memory counts.
    public var isFull: Bool { count >= 256 || bytes.count >= 1 << 16 }

    /// Adds a string.
    public mutating func append(_ text: UnsafeRawBufferPointer) {
        bytes.append(contentsOf: text)
        ends.append(bytes.count)
    }

    /// Forgets all strings, but keeps their memory for new ones.
    public mutating func removeAll() {
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
