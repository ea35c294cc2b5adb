import CCUDA

/// Reuses blocks of a device's memory, because an allocation by the driver waits for the device.
///
/// A block may be reused as soon as it is released: all commands are in one stream, so those of the next user run later. Of
/// free blocks of one size the oldest is reused first: once all are released, the same requests in the same order get the same
/// addresses, which keeps recorded graphs valid.
struct MemoryPool {
    /// Free blocks by size, oldest last.
    private var free: [Int: [cu_address]] = [:]
    /// The age of each block: in which order the driver allocated them.
    private var numbers: [cu_address: Int] = [:]
    private var registered = 0
    /// Bytes of the blocks in use, and their peak since ``resetPeak()``.
    private(set) var usedBytes = 0, peakBytes = 0

    /// The size of a block for `bytes`: a multiple of 512 up to 64 KB, then one of four sizes for each power of two, so that
    /// similar requests fit the same blocks.
    static func blockSize(_ bytes: Int) -> Int {
        guard bytes > 1 << 16 else { return max(512, (bytes + 511) / 512 * 512) }
        let quarter = (1 << (Int.bitWidth - 1 - (bytes - 1).leadingZeroBitCount)) / 4
        return (bytes + quarter - 1) / quarter * quarter
    }

    /// Adds a block that the driver has just allocated; it is in use.
    mutating func register(_ address: cu_address, _ size: Int) {
        numbers[address] = registered
        registered += 1
        countAsUsed(size)
    }

    /// A free block of exactly this size, which is in use from now on; nil if there is none.
    mutating func take(_ size: Int) -> cu_address? {
        guard let address = free[size]?.popLast() else { return nil }
        countAsUsed(size)
        return address
    }

    private mutating func countAsUsed(_ size: Int) {
        usedBytes += size
        peakBytes = max(peakBytes, usedBytes)
    }

    mutating func resetPeak() { peakBytes = usedBytes }

    /// Makes a block free. Ignores addresses that the driver did not allocate.
    mutating func release(_ address: cu_address, _ size: Int) {
        guard let number = numbers[address] else { return }
        let blocks = free[size, default: []]
        free[size, default: []].insert(
            address, at: blocks.firstIndex { numbers[$0]! < number } ?? blocks.endIndex)
        usedBytes -= size
    }

    /// Removes all free blocks and returns them.
    mutating func drain() -> [cu_address] {
        let blocks = free.values.flatMap(\.self)
        for block in blocks { numbers[block] = nil }
        free = [:]
        return blocks
    }
}
