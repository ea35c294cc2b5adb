import CCUDA
import Tensors
import Testing

@testable import CUDABackend

/// Blocks of the device's memory: sizes, and who gets which.
@Suite struct MemoryPoolTests {
    /// All small ones, and those around powers of two and around their quarters.
    private static let sizes: [Int] = {
        var sizes = Array(0...2049)
        for power in 11...40 {
            for quarters in 4...7 {
                let edge = quarters << (power - 2)
                sizes += [edge - 513, edge - 1, edge, edge + 1, edge + 512, edge + 513]
            }
        }
        return sizes.sorted()
    }()

    @Test func blocksAreLargeEnoughAndNotMuchLarger() {
        var before = 0
        for bytes in Self.sizes {
            let size = MemoryPool.blockSize(bytes)
            #expect(size >= max(bytes, 512) && size % 512 == 0, "\(bytes)")
            #expect(size - bytes <= max(512, bytes / 4), "\(bytes) became \(size)")
            #expect(MemoryPool.blockSize(size) == size, "a block's size is its own")
            #expect(size >= before, "\(bytes) became \(size), less than something smaller")
            before = size
        }
    }

    /// Four sizes in each power of two: what grows a little fits again.
    @Test func sizesAreFew() {
        let sizes = Set(stride(from: 1 << 20, through: 1 << 21, by: 4096).map(MemoryPool.blockSize))
        #expect(sizes.count == 5)
    }

    /// A driver that counts on.
    private struct Memory {
        var pool = MemoryPool()
        var next: cu_address = 1 << 20

        mutating func allocate(_ size: Int) -> cu_address {
            if let known = pool.take(size) { return known }
            next -= 4096  // addresses may fall
            pool.register(next, size)
            return next
        }
    }

    /// Blocks that some work takes, and gives back in an order of its own.
    private func blocks(of memory: inout Memory, seed: UInt64) -> [cu_address] {
        var generator = SeededGenerator(seed: seed)
        var (all, held): ([cu_address], [(cu_address, Int)]) = ([], [])
        for _ in 0..<200 {
            if !held.isEmpty, Bool.random(using: &generator) {
                let (address, size) = held.remove(at: Int.random(in: held.indices, using: &generator))
                memory.pool.release(address, size)
            } else {
                let size = [512, 1024, 1536].randomElement(using: &generator)!
                held.append((memory.allocate(size), size))
                all.append(held.last!.0)
            }
            #expect(Set(held.map(\.0)).count == held.count, "nobody shares a block")
        }
        for (address, size) in held { memory.pool.release(address, size) }
        return all
    }

    @Test(arguments: 0..<8 as Range<UInt64>) func theSameWorkGetsTheSameBlocks(seed: UInt64) {
        var memory = Memory()
        let first = blocks(of: &memory, seed: seed)
        let end = memory.next
        for _ in 0..<3 { #expect(blocks(of: &memory, seed: seed) == first) }
        #expect(memory.next == end, "nothing more was asked of the driver")
    }

    /// Other work between does not change it, either: what it needed besides has higher numbers.
    @Test func otherWorkBetweenChangesNothing() {
        var memory = Memory()
        let first = blocks(of: &memory, seed: 1)
        _ = blocks(of: &memory, seed: 2)
        #expect(blocks(of: &memory, seed: 1) == first)
    }

    @Test func drainedBlocksAreForgotten() {
        var memory = Memory()
        let kept = memory.allocate(512)
        let given = [memory.allocate(512), memory.allocate(1024)]
        memory.pool.release(given[0], 512)
        memory.pool.release(given[1], 1024)
        #expect(memory.pool.usedBytes == 512 && memory.pool.peakBytes == 2048)
        #expect(Set(memory.pool.drain()) == Set(given))
        #expect(memory.pool.take(512) == nil && memory.pool.take(1024) == nil)
        memory.pool.release(kept, 512)
        memory.pool.release(256, 512)  // what is handed out where there is no memory
        #expect(memory.pool.usedBytes == 0)
        #expect(memory.pool.take(512) == kept && memory.pool.take(512) == nil)
    }

    @Test func stagingHasRoomForItsCapacityAndNoMore() {
        let host = UnsafeMutableRawPointer.allocate(byteCount: 1024, alignment: 256)
        defer { host.deallocate() }
        let staging = Staging(host: host, device: 4096, capacity: 1024)
        func put(_ count: Int) -> Int? { [UInt8](repeating: 7, count: count).withUnsafeBytes { staging.put($0) } }
        #expect(put(1) == 0 && put(300) == 256 && put(0) == 768)
        #expect(put(257) == nil && staging.used == 768)
        #expect(put(256) == 768 && staging.used == 1024)
        #expect(put(1) == nil && put(0) == 1024)
        staging.restart()
        #expect(put(1024) == 0 && put(1) == nil)
    }
}
