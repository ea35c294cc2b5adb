import EmulatedGPU
import Foundation
import Tensors
import Testing

@testable import CUDABackend

/// What goes wrong on the way: it shows in `failure`, nothing ends the program, and nothing is asked of the device any more.
@Suite(.emulated) struct FailureTests {
    /// Everything that a backend is asked for after it has failed does nothing.
    private func expectNothingHappens(_ emulator: Emulator, _ backend: CUDABackend) {
        let failure = backend.failure
        let done = emulator.counts(of: ["launches", "graph_launches", "allocations", "products"]) {
            let (a, rows) = (backend.allocate(16), backend.allocateIndices(4))
            let square = a.tensor.reshaped(4, 4)
            backend.upload([1, 2, 3], to: a.tensor)
            backend.upload([1, 2], to: rows.indices)
            backend.fill(a.tensor, with: 3)
            backend.multiply(square, transposed: false, square, transposed: true, into: square, accumulate: true)
            backend.recordAsGraph { backend.gather(rows.indices, from: square, into: square) }
            backend.adam(
                a.tensor, gradient: a.tensor, firstMoment: a.tensor, secondMoment: a.tensor,
                step: AdamStep(number: 1, learningRate: 1))
            #expect(backend.download(a.tensor) == [Float](repeating: 0, count: 16))
            #expect(backend.download(rows.indices) == [0, 0, 0, 0])
            #expect(backend.squaredNorm(a.tensor) == 0)
            let best = backend.topK(
                square, table: square, bias: nil, k: 2, candidates: Array(repeating: .allExcept([]), count: 4))
            #expect(best == [[], [], [], []])
        }
        #expect(done == [0, 0, 0, 0])
        #expect(backend.failure == failure, "the first failure is the one that is told")
    }

    private let outOfMemory = #/the GPU has no memory for another \d+ MB; \d+ MB are free/#

    @Test func noMemoryIsLeft() throws {
        let emulator = try Emulator()
        let backend = try emulator.backend()
        emulator.set("memory_bytes", emulator.count("bytes") + 3_000_000)
        let small = backend.allocate(100_000)
        #expect(backend.failure == nil)
        let large = backend.allocate(1_000_000)
        #expect(backend.failure == "the GPU has no memory for another 5 MB; 2 MB are free")
        backend.fill(large.tensor, with: 1)
        #expect(backend.download(large.tensor).allSatisfy { $0 == 0 })
        backend.fill(small.tensor, with: 1)
        expectNothingHappens(emulator, backend)
    }

    /// Unused blocks are freed before an allocation fails, though commands that use them still wait.
    @Test func spareMemoryIsGivenUpFirst() throws {
        let emulator = try Emulator()
        let backend = try emulator.backend()
        emulator.set("memory_bytes", emulator.count("bytes") + 6_000_000)
        let kept = backend.allocate(1000)
        do {
            let passing = backend.allocate(1_000_000)
            backend.fill(passing.tensor, with: 2)
            backend.copy(passing.tensor.columns(0..<1000), to: kept.tensor)
        }
        let other = backend.allocate(800_000)
        backend.fill(other.tensor, with: 3)
        #expect(backend.download(kept.tensor) == [Float](repeating: 2, count: 1000))
        #expect(backend.download(other.tensor.columns(799_999..<800_000)) == [3])
        #expect(backend.failure == nil)
    }

    @Test func noMemoryIsLeftForABackend() throws {
        let emulator = try Emulator()
        for megabytes in [1, 36] {
            emulator.set("memory_bytes", megabytes << 20)
            let error = #expect(throws: CUDAError.self) { try emulator.backend() }
            #expect(try #require(error?.description).contains(outOfMemory))
            #expect(emulator.count("contexts") == 0, "with everything in it")
        }
    }

    /// In the middle of a recorded step: what was recorded is dropped, and reading afterwards gives zeros.
    @Test func noMemoryIsLeftWithinARecording() throws {
        let emulator = try Emulator()
        let backend = try emulator.backend()
        let block = backend.allocate(100)
        backend.recordAsGraph { backend.fill(block.tensor, with: 1) }
        emulator.set("memory_bytes", emulator.count("bytes"))
        backend.recordAsGraph {
            backend.fill(block.tensor, with: 2)
            let large = backend.allocate(1_000_000)
            backend.fill(large.tensor, with: 3)
        }
        #expect(try #require(backend.failure).contains(outOfMemory))
        #expect(backend.download(block.tensor).allSatisfy { $0 == 0 })
        expectNothingHappens(emulator, backend)
    }

    @Test func noMemoryIsLeftForTheFirstRecording() throws {
        let emulator = try Emulator()
        let backend = try emulator.backend()
        let block = backend.allocate(100)
        emulator.set("memory_bytes", emulator.count("bytes"))
        backend.recordAsGraph { backend.fill(block.tensor, with: 2) }
        #expect(try #require(backend.failure).contains(outOfMemory))
        expectNothingHappens(emulator, backend)
    }

    /// A kernel that fails is found out when somebody waits.
    @Test(arguments: 1...3, [false, true]) func aKernelFails(number: Int, together: Bool) throws {
        let emulator = try Emulator()
        let backend = try emulator.backend()
        let block = backend.allocate(100)
        emulator.set("fail_launch_after", number)
        func work() { for value in 1...5 { backend.fill(block.tensor, with: Float(value)) } }
        if together { backend.recordAsGraph(work) } else { work() }
        #expect(backend.failure == nil, "nobody has waited")
        _ = backend.download(block.tensor)
        let text = "cuStreamSynchronize failed: CUDA_ERROR_ILLEGAL_ADDRESS, an illegal memory access was encountered"
        #expect(backend.failure == text)
        expectNothingHappens(emulator, backend)
    }

    /// Within a graph, and while the next steps are being recorded.
    @Test func aKernelFailsInAGraph() throws {
        let emulator = try Emulator()
        let backend = try emulator.backend()
        let block = backend.allocate(100)
        func step() { backend.recordAsGraph { for value in 1...5 { backend.fill(block.tensor, with: Float(value)) } } }
        for _ in 0..<4 { step() }
        _ = backend.download(block.tensor)
        emulator.set("fail_launch_after", 3)
        for _ in 0..<6 { step() }
        #expect(try #require(backend.failure).contains("CUDA_ERROR_ILLEGAL_ADDRESS"))
        expectNothingHappens(emulator, backend)
    }

    /// Ranks and scores of a device that has failed are empty or zero, not rubbish.
    @Test func rankingAfterAFailure() throws {
        let emulator = try Emulator()
        let backend = try emulator.backend()
        let hidden = backend.tensor(randomNumbers(8, seed: 1), rows: 2)
        let targets = backend.indices([0, 1])
        emulator.set("fail_launch_after", 1)
        let ranks = backend.rank(
            hidden.tensor, table: hidden.tensor, targets: targets, bias: nil, seen: [[], []])
        #expect(ranks == [RankCounts(all: 0, masked: 0), RankCounts(all: 0, masked: 0)])
        #expect(backend.failure != nil)
        expectNothingHappens(emulator, backend)
    }

    @Test func abandonedBackendsGiveEverythingBack() throws {
        let emulator = try Emulator()
        do {
            let training = try SmallTraining(try emulator.backend())
            for step in 1...3 { training.backend.recordAsGraph { training.step(step, lengths: [5, 9]) } }
            #expect(emulator.count("bytes") > 64 << 20)
        }
        #expect(emulator.count("bytes") == 0)
        do {  // after a failure, too
            let backend = try emulator.backend()
            emulator.set("memory_bytes", emulator.count("bytes") + 1000)
            let blocks = (0..<3).map { _ in backend.allocate(100) }
            #expect(backend.failure != nil && blocks.count == 3)
        }
        #expect(emulator.count("bytes") == 0)
    }

    @Test func sourcesThatDoNotCompile() throws {
        let emulator = try Emulator()
        let compiler = try Libraries(searching: [emulator.folder]).compiler().0
        let error = #expect(throws: CUDAError.self) {
            try compile("__global__ void a() {}\n#error here is the mistake\n", compilerOptions(90), compiler)
        }
        let text = try #require(error?.description)
        #expect(text.hasPrefix("the kernels do not compile for this GPU: error: #error here is the mistake\n"))
        #expect(throws: CUDAError.self) { try compile("", compilerOptions(999), compiler) }
    }

    /// A compiler that makes nothing any more for such a device. (Of one that is older, see `ArchitectureTests`.)
    @Test func aCompilerThatDoesNotKnowTheDevice() throws {
        let emulator = try Emulator()
        emulator.set("compute_major", 7)
        emulator.set("nvrtc_major", 13)
        let error = #expect(throws: CUDAError.self) { try emulator.backend() }
        #expect(
            error?.description
                == "the kernels do not compile for this GPU: nvrtc: error: invalid value for --gpu-architecture (-arch)\n"
        )
    }
}
