import Tensors
import Testing

/// In a process of its own, where no other test allocates.
@Suite struct HostMemoryTests {
    @Test func memoryIsCountedByTheByte() async {
        await #expect(processExitsWith: .success) {
            let before = HostMemory.bytesInUse
            var block: Storage<Float>? = allocateHost(1001, of: Float.self)
            #expect(HostMemory.bytesInUse - before == 4004)
            var bytes: Storage<UInt8>? = allocateHost(7, of: UInt8.self, zeroed: false)
            #expect(HostMemory.bytesInUse - before == 4011 && HostMemory.peakBytes - before == 4011)
            withExtendedLifetime(block) {}
            block = nil
            #expect(HostMemory.bytesInUse - before == 7 && HostMemory.peakBytes - before == 4011)
            HostMemory.resetPeak()
            #expect(HostMemory.peakBytes - before == 7)
            withExtendedLifetime(bytes) {}
            bytes = nil
            #expect(HostMemory.bytesInUse == before && HostMemory.peakBytes - before == 7)
        }
    }

    /// Threads that allocate at the same time lose nothing.
    @Test func threadsAreCountedTogether() async {
        await #expect(processExitsWith: .success) {
            let before = HostMemory.bytesInUse
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    group.addTask { for size in 1...5000 { _ = allocateHost(size, of: UInt8.self, zeroed: false) } }
                }
            }
            #expect(HostMemory.bytesInUse == before)
            #expect((5000...20_000).contains(HostMemory.peakBytes - before))
        }
    }
}
