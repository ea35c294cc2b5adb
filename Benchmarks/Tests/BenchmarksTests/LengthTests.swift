import Tensors
import Testing

@testable import Benchmarks

@Suite struct LengthTests {
    @Test func memoryIsCountedByTheByte() {
        // So much that what other tests allocate meanwhile does not matter; untouched, so that it costs nothing.
        let bytes = 1 << 30
        let before = HostMemory.bytesInUse
        var block: Storage<UInt8>? = allocateHost(bytes, of: UInt8.self, zeroed: false)
        #expect(abs(HostMemory.bytesInUse - before - bytes) < bytes / 8)
        #expect(HostMemory.peakBytes >= bytes)
        _ = block
        block = nil
        #expect(abs(HostMemory.bytesInUse - before) < bytes / 8)
    }

    @Test func lengthsAreMeasuredOneByOne() throws {
        let bench = try LengthBench(lengths: [8, 32])
        #expect(bench.rows.map(\.length) == [8, 32])
        #expect(bench.rows.allSatisfy { $0.attentionTraining != nil && $0.training.nanoseconds > 0 })
        #expect(
            try LengthBench(lengths: []).rows.isEmpty
                && (LengthBench.lengths.last, LengthBench.lengths.count) == (25600, 9))
    }
}
