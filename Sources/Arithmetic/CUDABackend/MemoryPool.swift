import CCUDA

/// Blocks of a device's memory, kept when they are given back: asking the driver for one waits for the device.
///
/// Whoever takes a block after another has given it back comes later in the one stream of commands, too, so that nobody
/// needs to wait. Of blocks of one size the one that the driver gave first goes first: when all are back, the same requests
/// in the same order get the same blocks, which keeps graphs of commands valid.
struct MemoryPool {
    /// By size; what the driver gave first comes last.
    private var spare: [Int: [cu_address]] = [:]
    /// The how-manieth of the driver's blocks each is.
    private var numbers: [cu_address: Int] = [:]
    private var adopted = 0
    /// Bytes in blocks that somebody holds, and the most that it was since ``resetPeak()``.
    private(set) var heldBytes = 0, peakBytes = 0

    /// What is asked of the driver for a block of `bytes`: multiples of 512 up to 64 KB, then one of four sizes in each
    /// power of two, so that blocks that grow a little fit again.
    static func blockSize(_ bytes: Int) -> Int {
        guard bytes > 1 << 16 else { return max(512, (bytes + 511) / 512 * 512) }
        let quarter = (1 << (Int.bitWidth - 1 - (bytes - 1).leadingZeroBitCount)) / 4
        return (bytes + quarter - 1) / quarter * quarter
    }

    /// A block of this size that the driver has just given, in somebody's hands.
    mutating func adopt(_ address: cu_address, _ size: Int) {
        numbers[address] = adopted
        adopted += 1
        hold(size)
    }

    /// A block of exactly this size that was given back, if there is one.
    mutating func take(_ size: Int) -> cu_address? {
        guard let address = spare[size]?.popLast() else { return nil }
        hold(size)
        return address
    }

    private mutating func hold(_ size: Int) {
        heldBytes += size
        peakBytes = max(peakBytes, heldBytes)
    }

    mutating func resetPeak() { peakBytes = heldBytes }

    /// What the driver never gave is not taken.
    mutating func giveBack(_ address: cu_address, _ size: Int) {
        guard let number = numbers[address] else { return }
        let blocks = spare[size, default: []]
        spare[size, default: []].insert(
            address, at: blocks.firstIndex { numbers[$0]! < number } ?? blocks.endIndex)
        heldBytes -= size
    }

    /// All blocks that nobody holds, which it forgets.
    mutating func drain() -> [cu_address] {
        let blocks = spare.values.flatMap(\.self)
        for block in blocks { numbers[block] = nil }
        spare = [:]
        return blocks
    }
}
