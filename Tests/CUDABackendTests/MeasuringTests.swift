import EmulatedGPU
import Tensors
import Testing

@testable import CUDABackend

/// What a backend tells of itself, and views of it with another precision.
@Suite(.emulated) struct MeasuringTests {
    @Test func memoryThatWasHeldAtOnce() throws {
        let backend = try Emulator().backend()
        let kept = backend.allocate(1 << 20)
        let held = backend.peakBytes {
            _ = backend.allocate(1 << 18)  // 1 MB, which nobody keeps
            let (first, second) = (backend.allocate(1 << 17), backend.allocate(1 << 17))
            withExtendedLifetime((first, second)) { _ = backend.allocate(1 << 16) }
        }
        #expect(held == (1 << 20) + (1 << 18), "the halves and a quarter")
        #expect(backend.peakBytes {} == 0)
        withExtendedLifetime(kept) {}
    }

    /// On the emulator everything takes a microsecond; what was queued before does not count.
    @Test func timeOfTheDevice() throws {
        let backend = try Emulator().backend()
        let block = backend.allocate(1000)
        for value in 1...7 { backend.fill(block.tensor, with: Float(value)) }
        let seconds = backend.deviceSeconds { for value in 1...50 { backend.fill(block.tensor, with: Float(value)) } }
        #expect(abs(seconds - 50e-6) < 1e-10)
        #expect(backend.download(block.tensor.columns(0..<1)) == [50])
        #expect(backend.deviceSeconds {} == 0)
    }

    @Test func anotherPrecisionOnTheSameDevice() throws {
        let emulator = try Emulator()
        let backend = try emulator.backend()
        let bytes = emulator.count("bytes")
        let rounded = backend.with(.bfloat16)
        #expect(emulator.count("bytes") == bytes)
        #expect(rounded.name == "CUDA Emulated GPU 0 bfloat16" && backend.precision == .float32)
        let (a, product) = (backend.tensor([1 + 1 / 1024]), backend.allocate(1))
        for (backend, expected) in [(backend, 1 + 1 / 1024), (rounded, 1)] as [(CUDABackend, Float)] {
            let one = backend.tensor([1])
            backend.multiply(
                a.tensor, transposed: false, one.tensor, transposed: false, into: product.tensor, accumulate: false)
            #expect(backend.download(product.tensor) == [expected])
        }
    }
}
