import CCUDA
import EmulatedGPU
import Tensors
import Testing

@testable import CUDABackend

/// Gradients of biases that a recorded step adds in one launch, when something needs them.
@Suite(.emulated) struct ColumnSumsTests {
    /// Two biases, and operations on them in any order.
    fileprivate final class Biases {
        let emulator: Emulator
        let backend: CUDABackend
        let first, second, copies: Tensor
        private let input, gradient, output: Tensor
        private let storages: [Storage<Float>]
        static let (rows, columns) = (50, 40)

        init() throws {
            emulator = try Emulator()
            backend = try emulator.backend()
            let (rows, columns) = (Self.rows, Self.columns)
            let (x, g) = (
                backend.tensor(randomNumbers(rows * columns, seed: 1), rows: rows),
                backend.tensor(randomNumbers(rows * columns, seed: 2), rows: rows)
            )
            let (y, b, c) = (backend.allocate(rows * columns), backend.allocate(2 * columns), backend.allocate(columns))
            (input, gradient) = (x.tensor, g.tensor)
            output = y.tensor.reshaped(rows, columns)
            (first, second) = (b.tensor.columns(0..<columns), b.tensor.columns(columns..<2 * columns))
            copies = c.tensor
            storages = [x.storage, g.storage, y, b, c]
        }

        /// Adds the column sums of the input's gradient.
        func backward(into bias: Tensor) {
            backend.activateBackward(
                gradient, input: input, bias: nil, dropout: nil, inputGradient: output, biasGradient: bias)
        }

        var values: [[UInt32]] { [first, second, copies].map { bits(backend.download($0)) } }
    }

    /// Each reads or overwrites what sums were recorded for before it, or adds to it once more.
    enum Body: CaseIterable, Sendable {
        case apart, twice, copied, added, filled, overwritten, uploaded, updated

        fileprivate func run(_ biases: Biases) {
            let backend = biases.backend
            biases.backward(into: biases.first)
            biases.backward(into: biases.second)
            switch self {
            case .apart: break
            case .twice: for _ in 0..<2 { biases.backward(into: biases.first) }
            case .copied: backend.copy(biases.second, to: biases.copies)
            case .added: backend.add(biases.first, to: biases.copies)
            case .filled: backend.fill(biases.first, with: 3)
            case .overwritten: backend.fill(biases.second, with: 0)
            case .uploaded: backend.upload([1, 2, 3], to: biases.first)
            case .updated:
                backend.adam(
                    biases.copies, gradient: biases.first, firstMoment: biases.second, secondMoment: biases.second,
                    step: AdamStep(number: 1, learningRate: 0.1))
            }
            biases.backward(into: biases.second)
        }
    }

    @Test(arguments: Body.allCases) func recordedAndImmediateAreTheSame(body: Body) throws {
        let (recorded, immediate) = (try Biases(), try Biases())
        for _ in 0..<3 {
            recorded.backend.recordAsGraph { body.run(recorded) }
            body.run(immediate)
            #expect(recorded.values == immediate.values)
        }
        #expect(recorded.backend.failure == nil)
    }

    /// As many sums as fit, and one more.
    @Test func manySumsAreFewLaunches() throws {
        let biases = try Biases()
        let most = Int(SUMS_AT_ONCE)
        let block = biases.backend.allocate((most + 1) * Biases.columns)
        func launches(_ count: Int) -> Int {
            biases.emulator.counts(of: ["launches"]) {
                biases.backend.recordAsGraph {
                    for i in 0..<count {
                        biases.backward(into: block.tensor.columns(i * Biases.columns..<(i + 1) * Biases.columns))
                    }
                }
            }[0]
        }
        #expect(launches(1) == 1 + 1 && launches(most) == most + 1 && launches(most + 1) == most + 1 + 2)
        biases.backward(into: biases.first)
        let sums = bits(biases.backend.download(block.tensor))
        let one = biases.backend.download(biases.first)
        #expect(sums.prefix(Biases.columns) == bits(one.map { $0 + $0 + $0 })[...])
        #expect(sums.suffix(Biases.columns) == bits(one)[...])
    }

    /// A step waits with all of them until the optimiser runs.
    @Test func aStepHasOneLaunchForAll() throws {
        func launches(recorded: Bool) throws -> Int {
            let emulator = try Emulator()
            let training = try SmallTraining(try emulator.backend(), repeatAware: true)
            func step() { training.step(1, lengths: [8, 8, 8]) }
            return emulator.counts(of: ["launches"]) { recorded ? training.backend.recordAsGraph(step) : step() }[0]
        }
        // Two norms and the embedding's, a convolution, a scan, biases of the feed-forward network, and the head's classes.
        #expect(try launches(recorded: false) - launches(recorded: true) == 6)
    }
}
