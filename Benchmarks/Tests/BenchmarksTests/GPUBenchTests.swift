import CUDABackend
import EmulatedGPU
import Foundation
import Models
import Operations
import Tensors
import Testing

@testable import Benchmarks

/// What `recblr bench gpu` measures, tried out on the emulated GPU and, where that is asked for, on a real one.
@Suite struct GPUBenchTests {
    private func backend(_ index: Int) -> CUDABackend { TestGPU.backends[index] as! CUDABackend }

    /// The shapes, and the paper's lengths up to a thousand times the shortest.
    @Test func sizesAreThoseOfTheGoals() {
        let sizes = GPUBench.Sizes.full
        #expect(sizes.scans.map(\.sequences) == [2048, 1] && sizes.scans.map(\.length) == [200, 1_000_000])
        #expect(sizes.channels == 128 && sizes.catalogue == 1_000_000 && sizes.queries == 256)
        #expect(sizes.items == 3416 && sizes.users == 6040)
        #expect(sizes.lengths == [100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 51_200, 102_400])
        // More than any cache holds.
        #expect(sizes.copyBytes >= 1 << 30)
    }

    @Test(arguments: TestGPU.backends.indices) func everythingIsMeasured(index: Int) throws {
        let bench = try GPUBench(backend(index), .tiny)
        #expect(bench.device == backend(index).device.name && bench.copyGigabytesPerSecond > 0)
        #expect(bench.scans.map(\.direction) == (0..<4).flatMap { _ in ["forward", "backward"] })
        #expect(
            bench.scans.map(\.decays) == (0..<2).flatMap { _ in [.slow, .slow, .fast, .fast] as [GPUBench.Decays] })
        #expect(bench.scans.allSatisfy { $0.seconds > 0 && $0.shareOfCopy > 0 })
        #expect(bench.training.allSatisfy { $0.tokensPerSecond > 0 && $0.epochSeconds > 0 })
        #expect(bench.topK.seconds > 0)
        #expect(bench.lengths.allSatisfy { $0.seconds > 0 })
    }

    /// On a GPU that computes nothing, whose memory ends a process that touches it.
    @Test(.enabled(if: TestGPU.nullFolder != nil)) func theHostLeavesTheDevicesMemoryAlone() throws {
        let bench = try GPUBench(try CUDABackend(searching: [TestGPU.nullFolder!], cacheFolder: nil), .tiny)
        #expect(bench.device == "Null GPU")
        #expect(bench.scans.allSatisfy { $0.seconds == 0.001 / 5 }, "every time between two events is a millisecond")
    }

    /// Six arrays forward and ten backward, what a scan that reads and writes everything once has to move, and the parameters.
    @Test(arguments: TestGPU.backends.indices) func bytesAreThoseOfEachArrayOnce(index: Int) {
        var sizes = GPUBench.Sizes.tiny
        sizes.channels = 32
        for scan in GPUBench.scans(backend(index), 3, 5, sizes, 1e9) {
            let (arrays, parameters) = scan.direction == "forward" ? (6, 3) : (10, 3 + 2 * 3)
            #expect(scan.shape == "3 x 5 x 32")
            #expect(scan.bytes == 4 * (arrays * 3 * 5 * 32 + parameters * 32))
            #expect(abs(scan.shareOfCopy * scan.seconds * 1e9 - Double(scan.bytes)) < 1e-3)
        }
    }

    /// On the emulator everything takes a microsecond. Of six calls a run five lie between the events, whose time is shared.
    @Test(.enabled(if: TestGPU.emulatorFolder != nil)) func severalCallsAreTimedTogether() throws {
        let own = try CUDABackend(searching: [TestGPU.emulatorFolder!], cacheFolder: nil)
        let block = own.allocate(100)
        var calls = 0
        let seconds = medianDeviceTime(own, 3) {
            calls += 1
            own.fill(block.tensor, with: 1)
            own.fill(block.tensor, with: 2)
        }
        #expect(abs(seconds - 2e-6) < 1e-10)
        #expect(calls == 1 + 3 * (1 + 5))
    }

    /// Over the 2,048 rows and more of a group of blocks, something is left of a state in most channels where decay is slow, and
    /// nothing in any where it is fast.
    @Test(arguments: TestGPU.backends.indices, GPUBench.Decays.allCases) func decaysAreAsTheirNamesSay(
        index: Int, decays: GPUBench.Decays
    ) {
        let gpu = backend(index)
        let (rows, columns) = (500, 64)
        let scan = Operations.Scan(rows: rows, columns: columns, division: .oneSequence, numbers: decays.numbers)
        let arguments = Arguments(measuring: gpu)
        _ = scan.forward.prepare(arguments)
        let gates = gpu.download(arguments.input("gates", rows, 2 * columns)).map(Double.init)
        let bias = gpu.download(arguments.input("gate bias", 1, 2 * columns)).map(Double.init)
        let decay = gpu.download(arguments.input("decay", 1, columns)).map(Double.init)
        var (smallest, mean, left): ([Double], [Double], [Float]) = ([], [], [])
        for c in 0..<columns {
            let rate = log1p(exp(decay[c]))
            let exponents = (0..<rows).map { row in
                let gate = gates[2 * columns * row + c] + bias[c]
                return rate / (1 + exp(-gate))
            }
            let exponent = exponents.reduce(0, +) / Double(rows)
            smallest.append(exp(-rate))
            mean.append(exp(-exponent))
            left.append(Float(exp(-2048 * exponent)))
        }
        switch decays {
        case .slow:
            #expect(smallest.allSatisfy { (0.8999...0.9991).contains($0) })
            #expect(left.count { $0 > 1e-30 } > columns / 2)
        case .fast:
            #expect((0.65...0.75).contains(mean.reduce(0, +) / Double(columns)))
            #expect(left.allSatisfy { $0 == 0 })
        }
    }

    /// Twice the events need at most twice the memory: nothing is kept of pairs of events. What a backend that other tests use
    /// holds at the same time would count, too.
    @Test(.enabled(if: TestGPU.emulatorFolder != nil)) func memoryGrowsWithLength() throws {
        var sizes = GPUBench.Sizes.tiny
        sizes.lengths = [64, 128, 256]
        let own = try CUDABackend(searching: [TestGPU.emulatorFolder!], cacheFolder: nil)
        let bytes = try GPUBench(own, sizes).lengths.map { Double($0.bytes) }
        for (shorter, longer) in zip(bytes, bytes.dropFirst()) {
            #expect(longer / shorter > 1.5 && longer / shorter < 2.2, "\(bytes)")
        }
    }

    @Test(arguments: TestGPU.backends.indices) func randomNumbersComeAgainAfterAMillion(index: Int) {
        let gpu = backend(index)
        let arguments = Arguments(measuring: gpu)
        let values = gpu.download(arguments.input("large", 3, 1 << 19))
        #expect(values.prefix(1 << 19) == values.suffix(1 << 19), "rows 0 and 2")
        #expect(values.prefix(1 << 19) != values.dropFirst(1 << 19).prefix(1 << 19))
        #expect(values.allSatisfy { abs($0) <= 1 } && Set(values.prefix(1000)).count > 900)
        #expect(gpu.download(arguments.output("written", 2, 3)) == [0, 0, 0, 0, 0, 0])
    }
}
