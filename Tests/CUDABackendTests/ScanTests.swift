import CCUDA
import EmulatedGPU
import Foundation
import Tensors
import Testing

@testable import CUDABackend

/// What the blocks of scans leave for each other, and how they tell it from what earlier scans have left.
@Suite(.emulated) struct ScanTests {
    /// One layer's scan, both passes, over packed sequences.
    private struct Layer {
        let backend: CUDABackend
        let starts: Indices
        let inputs, gradients: ScanInputs
        let states, output, outputGradient: Tensor

        init(_ backend: CUDABackend, starts: [Int], channels: Int, seed: UInt64 = 1) {
            self.backend = backend
            self.starts = backend.indices(starts.map { Int32($0) })
            let rows = starts.last!
            var next = seed
            func tensor(_ rows: Int, _ columns: Int, _ low: Float = -1, _ high: Float = 1) -> Tensor {
                next += 1
                let numbers = randomNumbers(rows * columns, seed: next)
                return backend.tensor(numbers.map { (low + high + $0 * (high - low)) / 2 }, rows: rows).tensor
            }
            func arguments() -> ScanInputs {
                ScanInputs(
                    gates: tensor(rows, 2 * channels), gateBias: tensor(1, 2 * channels), input: tensor(rows, channels),
                    outputGate: tensor(rows, channels), decay: tensor(1, channels, -9, -4))  // remembers long
            }
            (inputs, gradients) = (arguments(), arguments())
            (states, output, outputGradient) = (
                tensor(rows, channels), tensor(rows, channels), tensor(rows, channels)
            )
        }

        func forward() {
            backend.scan(
                inputs, starts: starts, initial: nil, states: states, output: output, final: nil)
        }

        func run() {
            forward()
            backend.scanBackward(
                outputGradient, inputs: inputs, starts: starts, initial: nil, states: states,
                finalGradient: nil, gradients: gradients, initialGradient: nil)
        }

        /// All bits of all results.
        var results: [[UInt32]] {
            [
                states, output, gradients.gates, gradients.gateBias, gradients.input, gradients.outputGate!,
                gradients.decay,
            ]
            .map { bits(backend.download($0)) }
        }
    }

    /// Of which no two scans of these tests have the same number of chunks.
    private static let shapes: [(starts: [Int], channels: Int)] = [
        ([0, 5000], 3), ([0, 3, 3, 2100, 2111, 4300], 33), ([0, 32], 40), ([0, 1, 97], 8),
    ]

    private func links(_ backend: CUDABackend) -> (address: cu_address, words: [UInt64]) {
        let links = backend.queue.with { $0.scanLinks(words: 0) }
        var words = [UInt64](repeating: 0, count: links.words)
        words.withUnsafeMutableBytes { bytes in backend.queue.with { $0.download(from: links.address, to: bytes) } }
        return (links.address, words)
    }

    private func setLaunches(_ count: UInt32, _ backend: CUDABackend) {
        withUnsafeBytes(of: UInt64(count) << 32) { bytes in
            backend.queue.with { $0.upload(bytes, to: $0.scanLinks(words: 1).address) }
        }
    }

    /// Nothing is cleared between scans, and started graphs count as well as single kernels do.
    @Test func everyLaunchHasItsNumber() throws {
        let emulator = try Emulator()
        let backend = try emulator.backend()
        let layer = Layer(backend, starts: [0, 700, 1500], channels: 40)
        layer.run()
        #expect(links(backend).words[0] == 2 << 32, "launches, and no ticket")
        #expect(emulator.counts(of: ["copies", "allocations"]) { layer.run() } == [0, 0])
        let usual = layer.results
        for replay in 1...5 {
            backend.recordAsGraph { layer.forward() }
            #expect(links(backend).words[0] == UInt64(4 + replay) << 32)
            let numbers = Set(links(backend).words.dropFirst(Int(LINK_HEADER)).map { $0 >> 32 })
            #expect(numbers.contains(UInt64(4 + replay)) && numbers.isSubset(of: Set(0...UInt64(4 + replay))))
        }
        #expect(layer.results[0] == usual[0] && layer.results[1] == usual[1])
    }

    /// Shapes alternate in one block of memory: what one leaves is never taken for another's.
    @Test(arguments: [0, 1 << 20, LAST_LAUNCH - 6]) func whatOthersLeaveIsNotTaken(launches: UInt32) throws {
        let expected = try Self.shapes.map { starts, channels in
            let layer = Layer(try Emulator().backend(), starts: starts, channels: channels)
            layer.run()
            return layer.results
        }
        let backend = try Emulator().backend()
        setLaunches(launches, backend)
        for _ in 0..<2 {
            for (shape, results) in zip(Self.shapes, expected) {
                let layer = Layer(backend, starts: shape.starts, channels: shape.channels)
                layer.run()
                #expect(layer.results == results, "\(shape)")
            }
        }
        #expect(backend.failure == nil)
    }

    /// Numbers begin again after the largest: that launch's last block forgets all of them.
    @Test func theLastNumberIsFollowedByTheFirst() throws {
        let backend = try Emulator().backend()
        let layer = Layer(backend, starts: [0, 3000], channels: 33)
        layer.forward()
        let usual = layer.results
        setLaunches(LAST_LAUNCH - 2, backend)
        layer.forward()
        #expect(links(backend).words[0] == UInt64(LAST_LAUNCH - 1) << 32)
        layer.forward()
        #expect(links(backend).words.allSatisfy { $0 == 0 }, "launch \(LAST_LAUNCH)")
        #expect(layer.results == usual)
        layer.forward()
        #expect(links(backend).words[0] == 1 << 32)
        #expect(layer.results == usual)
    }

    /// A scan in the middle of a step needs more memory than there was, while commands before it keep theirs.
    @Test func memoryGrowsWithinAStep() throws {
        let backends = try (0..<2).map { _ in try Emulator().backend() }
        let layers = backends.map { backend in
            [(300, 40), (2500, 3)].map { Layer(backend, starts: [0, $0.0], channels: $0.1) }
        }
        for step in 1...4 {
            for layer in layers[0] { layer.run() }
            let words = links(backends[1]).words.count
            backends[1].recordAsGraph {
                layers[1][0].run()
                if step % 2 == 0 {
                    #expect(backends[1].queue.with { $0.scanLinks(words: words + 1).words } == 2 * words)
                }
                layers[1][1].run()
            }
            // What was the links' before is anybody's now.
            let block = backends[1].allocate(2 * words)
            backends[1].fill(block.tensor, with: .nan)
            for (one, other) in zip(layers[0], layers[1]) { #expect(one.results == other.results, "step \(step)") }
        }
        #expect(backends[1].failure == nil)
    }

    /// The kernels' forms cut the same rows into other chunks and groups.
    @Test(arguments: [1, 31, 33, 64, 65, 2047, 2049, 4200]) func longScansComputeWhatShortOnesDo(rows: Int) throws {
        let backend = try Emulator().backend()
        for (starts, channels) in [([0, rows], 3), ([0, 0, rows / 3, (rows + 2) / 3, rows], 33)] {
            let short = results(backend, .short, .backwardShort, starts: starts, channels: channels)
            let long = results(backend, .long, .backwardLong, starts: starts, channels: channels)
            for (short, long) in zip(short, long) {
                #expect(abs(short - long) <= 1e-4 * max(1, abs(short)), "\(rows) x \(channels)")
            }
        }
    }

    /// Everything but the sums over all rows.
    private func results(
        _ backend: CUDABackend, _ forward: Geometry.Scan.Form, _ backward: Geometry.Scan.Form, starts: [Int],
        channels: Int
    ) -> [Float] {
        let layer = Layer(backend, starts: starts, channels: channels)
        let rows = starts.last!
        backend.scan(
            layer.inputs, cut: Geometry.Scan(forward, rows: rows, channels: channels), starts: layer.starts,
            initial: nil,
            states: layer.states, output: layer.output)
        backend.scanBackward(
            layer.outputGradient, cut: Geometry.Scan(backward, rows: rows, channels: channels), inputs: layer.inputs,
            starts: layer.starts, initial: nil, states: layer.states, finalGradient: nil, gradients: layer.gradients,
            initialGradient: nil)
        return [layer.states, layer.output, layer.gradients.gates, layer.gradients.input, layer.gradients.outputGate!]
            .flatMap { backend.download($0) }
    }
}
