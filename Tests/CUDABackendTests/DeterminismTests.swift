import EmulatedGPU
import Foundation
import Layers
import Models
import Tensors
import Testing

@testable import CUDABackend

/// Equal inputs give equal bits: from run to run, whichever thread of a block comes first, and whoever else uses the device.
@Suite(.emulated) struct DeterminismTests {
    enum Kind: CaseIterable, Sendable { case full, repeatAware, sampled, pairwise, inChunks }

    /// Three steps of training, then recommendations: hashes of all bits.
    private func outcome(_ kind: Kind, on backend: CUDABackend, seed: Int = 0) throws -> [UInt64] {
        let training = try SmallTraining(backend, repeatAware: kind == .repeatAware)
        let lengths = kind == .inChunks ? [200] : [1, 40, 23, 7]
        let negatives: Negatives =
            switch kind {
            case .sampled: .shared(samples: [[2, 8, 0, 29], [16, 1]], logQ: (1...30).map { -0.05 * Float($0) })
            case .pairwise: .paired((0..<71).map { $0 % 30 })
            default: .all
            }
        for step in 1...3 { training.step(seed + step, lengths: lengths, negatives) }
        let hidden = backend.tensor(randomNumbers(24, seed: UInt64(seed)), rows: 3)
        let best = training.recommendations(hidden.tensor).joined().map { "\($0.row) \($0.score.bitPattern)" }
        #expect(best.count == 27)
        return [training.fingerprint, fnv1a(best.joined(separator: ",").utf8)]
    }

    @Test(arguments: Kind.allCases) func everyOrderOfThreadsGivesTheSameBits(kind: Kind) throws {
        let emulator = try Emulator()
        let backend = try emulator.backend()
        let usual = try outcome(kind, on: backend)
        for order in [0, 1, 2, 2] {
            emulator.set("order", order)
            #expect(try outcome(kind, on: backend) == usual, "order \(order)")
        }
        #expect(try outcome(kind, on: backend, seed: 1) != usual, "other numbers give other bits")
        #expect(backend.failure == nil)
    }

    /// Long enough for chunks that wait for each other, and for groups of them.
    @Test(arguments: [8, 33, 1000, 8200]) func scansDoNotDependOnWhoComesFirst(rows: Int) throws {
        let emulator = try Emulator()
        let backend = try emulator.backend()
        let channels = 40
        let gates = backend.tensor(randomNumbers(rows * 2 * channels, seed: 1), rows: rows)
        let input = backend.tensor(randomNumbers(rows * channels, seed: 2), rows: rows)
        let bias = backend.tensor(randomNumbers(2 * channels, seed: 3))
        let decay = backend.tensor([Float](repeating: -6, count: channels))  // remembers long
        let starts = backend.indices([0, 3, 3, Int32(rows)])
        let states = backend.allocate(rows * channels)
        func scan() -> UInt64 {
            backend.scan(
                ScanInputs(
                    gates: gates.tensor, gateBias: bias.tensor, input: input.tensor, outputGate: nil,
                    decay: decay.tensor),
                starts: starts, initial: nil, states: states.tensor.reshaped(rows, channels),
                output: states.tensor.reshaped(rows, channels), final: nil)
            return backend.download(states.tensor).withUnsafeBytes { fnv1a($0) }
        }
        let usual = scan()
        for order in 0...2 {
            emulator.set("order", order)
            #expect(scan() == usual, "order \(order)")
        }
    }

    /// Sums of many rows into one, where the order matters most.
    @Test func rowsThatMeetAreAddedInOrder() throws {
        let emulator = try Emulator()
        let backend = try emulator.backend()
        let rows = (0..<9000).map { Int32($0 * $0 % 7) }
        let values = randomNumbers(3 * rows.count, seed: 4)
        var expected = [Float](repeating: 0, count: 21)
        for (n, row) in rows.enumerated() {
            for c in 0..<3 { expected[3 * Int(row) + c] += values[3 * n + c] }
        }
        let gradient = backend.tensor(values, rows: rows.count)
        let indices = backend.indices(rows)
        for order in 0...2 {
            emulator.set("order", order)
            let table = backend.tensor([Float](repeating: 0, count: 21), rows: 7)
            backend.scatterAdd(gradient.tensor, to: indices, of: table.tensor)
            #expect(bits(backend.download(table.tensor)) == bits(expected), "order \(order)")
        }
    }

    @Test func threadsShareABackend() throws {
        let backend = try Emulator().backend()
        let expected = try (0..<4).map { try outcome(.full, on: backend, seed: 10 * $0) }
        let results = Results(count: 8)
        DispatchQueue.concurrentPerform(iterations: 8) { index in
            // Half of them record, and nothing of the others gets into that.
            let seed = 10 * (index % 4)
            guard index % 2 == 0 else { return results[index] = try? outcome(.full, on: backend, seed: seed) }
            let block = backend.allocate(50)
            for _ in 0..<20 { backend.recordAsGraph { backend.fill(block.tensor, with: Float(index)) } }
            if backend.download(block.tensor) == [Float](repeating: Float(index), count: 50) {
                results[index] = try? outcome(.full, on: backend, seed: seed)
            }
        }
        for index in 0..<8 { #expect(results[index] == expected[index % 4], "thread \(index)") }
        #expect(backend.failure == nil)
    }

    /// Written by many threads.
    private final class Results: @unchecked Sendable {
        private var values: [[UInt64]?]
        private let lock = NSLock()

        init(count: Int) { values = Array(repeating: nil, count: count) }

        subscript(index: Int) -> [UInt64]? {
            get { lock.withLock { values[index] } }
            set { lock.withLock { values[index] = newValue } }
        }
    }
}
