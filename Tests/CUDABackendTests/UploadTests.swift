import EmulatedGPU
import Foundation
import Tensors
import Testing

@testable import CUDABackend

/// Numbers on their way to the device, more of them than the memory that they go through holds.
@Suite(.emulated) struct UploadTests {
    /// `count` floats, another one every 64 KB from `first` on.
    private func steps(_ count: Int, from first: Int) -> [Float] {
        [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
            for start in stride(from: 0, to: count, by: 1 << 14) {
                let value = Float(first + start >> 14)
                buffer[start..<min(start + 1 << 14, count)].initialize(repeating: value)
            }
            initialized = count
        }
    }

    /// Whether a block holds these values. (A failed expectation would print them all.)
    private func holds(_ block: Storage<Float>, _ values: [Float], on backend: CUDABackend) -> Bool {
        let own = backend.download(block.tensor)
        guard own.count == values.count else { return false }
        return own.withUnsafeBytes { own in
            values.withUnsafeBytes { memcmp(own.baseAddress!, $0.baseAddress!, own.count) == 0 }
        }
    }

    /// 24 MB through 8 MB, and nobody waits but who has to.
    @Test func manyUploads() throws {
        let backend = try Emulator().backend()
        let blocks = (0..<24).map { _ in backend.allocate(1 << 18) }
        for (index, block) in blocks.enumerated() {
            backend.upload(steps(1 << 18, from: 100 * index), to: block.tensor)
        }
        for (index, block) in blocks.enumerated() {
            let isRight = holds(block, steps(1 << 18, from: 100 * index), on: backend)
            #expect(isRight, "block \(index)")
        }
    }

    @Test(arguments: [false, true], [0, 1, 1 << 19, 1 << 21 + 1, 9_000_001])
    func uploadsOfAnySize(together: Bool, count: Int) throws {
        let backend = try Emulator().backend()
        let block = backend.allocate(count + 1)
        let values = steps(count, from: 1)
        func upload() { backend.upload(values, to: block.tensor.columns(0..<count)) }
        for _ in 0..<3 { if together { backend.recordAsGraph(upload) } else { upload() } }
        let isRight = holds(block, values + [0], on: backend)
        #expect(isRight)
        #expect(backend.failure == nil)
    }

    /// A recorded step (Adam's, over a million ranges) may be told more numbers than may be on the way otherwise.
    @Test func manyNumbersForOneCommand() throws {
        let backend = try Emulator().backend()
        let values = steps(3_000_000, from: 5)
        let block = backend.allocate(values.count)
        backend.recordAsGraph {
            values.withUnsafeBytes { bytes in
                backend.queue.with { [bytes] stream in
                    stream.copy(from: stream.stage(bytes), to: block.address, bytes: bytes.count)
                }
            }
        }
        let isRight = holds(block, values, on: backend)
        #expect(isRight && backend.failure == nil)
    }

    /// What is staged before and after a recording had to be cut is what its commands read.
    @Test func smallNumbersAroundALargeUpload() throws {
        let backend = try Emulator().backend()
        let table = backend.tensor((0..<50).map(Float.init), rows: 50)
        let (rows, output, sum) = (backend.allocateIndices(3), backend.allocate(3), backend.allocate(3))
        let large = backend.allocate(9_000_000)
        func add(_ numbers: [Int32]) {
            backend.upload(numbers, to: rows.indices)
            backend.gather(rows.indices, from: table.tensor, into: output.tensor.reshaped(3, 1))
            backend.add(output.tensor, to: sum.tensor)
        }
        for round in 0..<3 as Range<Int32> {
            let values = steps(9_000_000, from: Int(round))
            backend.recordAsGraph {
                add([round, 1, 2])
                backend.upload(values, to: large.tensor)
                add([10, 20 + round, 30])
            }
            let isRight = round == 1 || holds(large, values, on: backend)
            #expect(isRight, "round \(round)")
        }
        #expect(backend.download(sum.tensor) == [33, 66, 96])
    }

    /// A step that needs larger blocks leaves the old ones to be freed when the next one begins, while the device has done nothing yet.
    @Test func blocksThatWereTooSmallAreReadBeforeTheyAreFreed() throws {
        let backend = try Emulator().backend()
        let (small, large) = (backend.allocate(4), backend.allocate(9_000_000))
        let values = steps(9_000_000, from: 3)
        for round in 0..<3 {
            backend.recordAsGraph {
                backend.upload([Float](repeating: Float(round), count: 4), to: small.tensor)
                if round == 0 { backend.upload(values, to: large.tensor) }
            }
        }
        #expect(backend.download(small.tensor) == [2, 2, 2, 2])
        let isRight = holds(large, values, on: backend)
        #expect(isRight && backend.failure == nil)
    }

    /// Within a recording they are read where the step's one upload puts them: no copies, no allocations; else they are kept.
    @Test func stagedValues() throws {
        let emulator = try Emulator()
        let backend = try emulator.backend()
        let table = backend.tensor((0..<50).map(Float.init), rows: 50)
        let (output, sum) = (backend.allocate(3), backend.allocate(3))
        func add(_ rows: [Int32], _ values: [Float]) {
            backend.gather(backend.staged(rows), from: table.tensor, into: output.tensor.reshaped(3, 1))
            backend.add(output.tensor, to: sum.tensor)
            backend.add(backend.staged(values), to: sum.tensor)
        }
        for round in 0..<4 as Range<Int32> {
            let counts = emulator.counts(of: ["copies", "kernels", "allocations"]) {
                backend.recordAsGraph { add([round, 20, 30 + 2 * round], [0.5, Float(round), 0]) }
                _ = backend.download(output.tensor)
            }
            #expect(round == 0 || counts == [2, 3, 0], "the upload and the download")
        }
        #expect(backend.download(sum.tensor) == [8, 86, 132])
        let (rows, values) = (backend.staged([1, 2, 3] as [Int32]), backend.staged([4, 5] as [Float]))
        for round in 0..<3000 { _ = backend.staged([Float](repeating: Float(round), count: 1024)) }
        #expect(backend.download(rows) == [1, 2, 3] && backend.download(values) == [4, 5])
        #expect(backend.download(backend.staged([Int32]())) == [])
    }

    /// Tensors with gaps between their rows are put together on the device.
    @Test func downloadsOfStridedTensors() throws {
        let backend = try Emulator().backend()
        let whole = backend.tensor((0..<35).map(Float.init), rows: 5)
        let part = backend.download(whole.tensor.columns(2..<4).rows(1..<4))
        #expect(part == [9, 10, 16, 17, 23, 24])
    }
}
