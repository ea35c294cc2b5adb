import CCUDA

/// Blocks of a device's memory, kept when they are given back: asking the driver for one waits for the device.
///
/// Whoever takes a block after another has given it back comes later in the one stream of commands, too, so that nobody
/// needs to wait. The same requests in the same order get the same blocks, which keeps graphs of commands valid.
struct MemoryPool {
    private var spare: [Int: [cu_address]] = [:]
    /// Bytes in blocks that somebody holds, and the most that it was since ``resetPeak()``.
    private(set) var heldBytes = 0, peakBytes = 0

    /// What is asked of the driver for a block of `bytes`: multiples of 512 up to 64 KB, then one of four sizes in each
    /// power of two, so that blocks that grow a little fit again.
    static func blockSize(_ bytes: Int) -> Int {
        guard bytes > 1 << 16 else { return max(512, (bytes + 511) / 512 * 512) }
        let quarter = (1 << (Int.bitWidth - 1 - (bytes - 1).leadingZeroBitCount)) / 4
        return (bytes + quarter - 1) / quarter * quarter
    }

    /// A block of exactly this size that was given back, if there is one.
    mutating func take(_ size: Int) -> cu_address? {
        guard let address = spare[size]?.popLast() else { return nil }
        hold(size)
        return address
    }

    /// A new block of this size is in somebody's hands.
    mutating func hold(_ size: Int) {
        heldBytes += size
        peakBytes = max(peakBytes, heldBytes)
    }

    mutating func resetPeak() { peakBytes = heldBytes }

    mutating func giveBack(_ address: cu_address, _ size: Int) {
        spare[size, default: []].append(address)
        heldBytes -= size
    }

    /// All blocks that nobody holds, which it forgets.
    mutating func drain() -> [cu_address] {
        defer { spare = [:] }
        return spare.values.flatMap(\.self)
    }
}
