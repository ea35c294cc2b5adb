import EmulatedGPU
import Foundation
import Tensors
import Testing

@testable import CUDABackend

/// A GPU that computes nothing (Tests/NullGPU), whose memory ends a process that touches it.
@Suite(.enabled("the null GPU needs Linux and a C compiler") { TestGPU.nullFolder != nil }) struct NullGPUTests {
    static func backend() throws -> CUDABackend {
        try CUDABackend(precision: .float32, searching: [#require(TestGPU.nullFolder)], cacheFolder: nil)
    }

    /// Everything is accepted, and nothing done.
    @Test func nothingIsComputed() throws {
        let backend = try NullGPUTests.backend()
        #expect(backend.device.name == "Null GPU")
        let (block, other) = (backend.tensor([1, 2, 3]), backend.allocate(3))
        backend.copy(block.tensor, to: other.tensor)
        backend.fill(block.tensor, with: 4)
        #expect(backend.download(block.tensor) == [0, 0, 0])
        #expect(backend.failure == nil)
    }

    @Test func theHostCannotReadItsMemory() async {
        await #expect(processExitsWith: .failure) {
            let block = try NullGPUTests.backend().allocate(3)
            print(block.tensor.pointer[0])
        }
    }

    @Test func theHostCannotWriteToItsMemory() async {
        await #expect(processExitsWith: .failure) {
            let block = try NullGPUTests.backend().allocate(3)
            block.tensor.pointer[2] = 1
        }
    }

    /// What the two before end of: not of opening it.
    @Test func aProcessThatLeavesItAloneGoesOn() async {
        await #expect(processExitsWith: .success) {
            let block = try NullGPUTests.backend().allocate(3)
            try #require(try NullGPUTests.backend().download(block.tensor) == [0, 0, 0])
        }
    }

    /// Bytes of the host in the place of the device's, and the reverse.
    @Test func addressesAreWhereTheyShouldBe() throws {
        let backend = try NullGPUTests.backend()
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: 64, alignment: 64)
        defer { bytes.deallocate() }
        let host = Tensor(bytes.bindMemory(to: Float.self).baseAddress!, rows: 1, columns: 3, in: .device)
        _ = backend.download(host)
        #expect(backend.failure?.contains("an address is not where it should be") == true)
    }
}
