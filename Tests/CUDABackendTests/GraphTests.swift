import EmulatedGPU
import Tensors
import Testing

@testable import CUDABackend

/// Steps that are recorded and started as one.
@Suite(.emulated) struct GraphTests {
    private static let shape = [[8, 8, 8], [1, 20, 3], [0, 24, 0], [22, 1, 1], [12, 12, 0], [2, 2, 20]]

    /// Items, dropout, the loss's scale and Adam's numbers all change from step to step, and nobody waits between steps.
    @Test(arguments: [false, true]) func recordedStepsDoWhatImmediateOnesDo(repeatAware: Bool) throws {
        let (recorded, immediate) = (
            try SmallTraining(try Emulator().backend(), repeatAware: repeatAware),
            try SmallTraining(try Emulator().backend(), repeatAware: repeatAware)
        )
        for (index, lengths) in Self.shape.enumerated() {
            immediate.step(index + 1, lengths: lengths)
            recorded.backend.recordAsGraph { recorded.step(index + 1, lengths: lengths) }
        }
        #expect(recorded.fingerprint == immediate.fingerprint)
        #expect(recorded.backend.failure == nil)
    }

    @Test func theThirdStepIsOneCall() throws {
        let emulator = try Emulator()
        let training = try SmallTraining(try emulator.backend())
        let calls = Self.shape.enumerated().map { index, lengths in
            emulator.counts(of: ["launches", "graph_launches", "allocations"]) {
                training.backend.recordAsGraph { training.step(index + 1, lengths: lengths) }
            }
        }
        #expect(calls[0][0] > 10 && calls[0][1] == 0, "command by command")
        #expect(calls[1] == [calls[0][0], 1, 0], "captured, then started")
        for call in calls[2...] { #expect(call == [0, 1, 0]) }
    }

    @Test func alternatingShapesKeepTheirGraphs() throws {
        let emulator = try Emulator()
        let (training, immediate) = (
            try SmallTraining(try emulator.backend()), try SmallTraining(try Emulator().backend())
        )
        let shapes = [[10, 14], [3, 3, 30], [5]]
        let calls = (0..<12).map { index in
            immediate.step(index + 1, lengths: shapes[index % 3])
            return emulator.counts(of: ["launches", "graph_launches"]) {
                training.backend.recordAsGraph { training.step(index + 1, lengths: shapes[index % 3]) }
            }
        }
        for call in calls[6...] { #expect(call == [0, 1]) }
        #expect(training.fingerprint == immediate.fingerprint)
    }

    /// Sixteen lists are remembered; the one that was used least recently makes way.
    @Test func theSeventeenthShapeTakesThePlaceOfTheOldest() throws {
        let emulator = try Emulator()
        let backend = try emulator.backend()
        let block = backend.allocate(100)
        func calls(_ columns: Int) -> [Int] {
            emulator.counts(of: ["launches", "graph_launches"]) {
                backend.recordAsGraph { backend.fill(block.tensor.columns(0..<columns), with: Float(columns)) }
            }
        }
        for columns in 1...16 { #expect(calls(columns) == [1, 0]) }
        for columns in 1...16 { #expect(calls(columns) == [1, 1]) }
        for columns in 1...16 { #expect(calls(columns) == [0, 1]) }
        #expect(calls(1) == [0, 1])
        #expect(calls(17) == [1, 0], "takes the place of 2")
        for columns in [1] + Array(3...16) { #expect(calls(columns) == [0, 1], "\(columns) was used later than 2") }
        #expect(calls(2) == [1, 0], "has to begin again, in the place of 17")
        #expect(calls(2) == [1, 1])
        #expect(calls(17) == [1, 0])
        #expect(backend.download(block.tensor.columns(0..<18)) == [Float](repeating: 17, count: 17) + [0])
    }

    /// In a graph some products run beside others; which of them comes first makes no difference, and outside of graphs nothing does.
    @Test(arguments: [0, 1, 2]) func branchesOfAGraphGiveTheSameBits(order: Int) throws {
        let emulator = try Emulator()
        emulator.set("order", order)
        let (recorded, immediate) = (
            try SmallTraining(try emulator.backend(), repeatAware: true),
            try SmallTraining(try Emulator().backend(), repeatAware: true)
        )
        for step in 1...4 {
            immediate.step(step, lengths: [8, 8, 8])
            let branches = emulator.counts(of: ["branches"]) {
                recorded.backend.recordAsGraph { recorded.step(step, lengths: [8, 8, 8]) }
            }
            // Five linear maps and the scores.
            #expect(branches == [step == 2 ? 6 : 0])
        }
        #expect(recorded.fingerprint == immediate.fingerprint && recorded.backend.failure == nil)
    }

    @Test func nestedRecordingsAreOne() throws {
        let emulator = try Emulator()
        let backend = try emulator.backend()
        let block = backend.allocate(6)
        func step() {
            backend.recordAsGraph {
                backend.fill(block.tensor, with: 1)
                backend.recordAsGraph {
                    backend.recordAsGraph {}
                    backend.fill(block.tensor.columns(1..<4), with: 2)
                }
                backend.fill(block.tensor.columns(3..<5), with: 3)
            }
        }
        step()
        step()
        #expect(emulator.counts(of: ["launches", "graph_launches"]) { step() } == [0, 1])
        #expect(backend.download(block.tensor) == [1, 2, 2, 3, 3, 1])
    }

    @Test func recordingNothingStartsNothing() throws {
        let emulator = try Emulator()
        let backend = try emulator.backend()
        for _ in 0..<4 {
            #expect(emulator.counts(of: ["launches", "graph_launches"]) { backend.recordAsGraph {} } == [0, 0])
        }
        #expect(backend.failure == nil)
    }

    /// A step's numbers are fetched while the next one is prepared: 40 steps, none of which anybody waits for.
    @Test func numbersOnTheirWayAreNotOverwritten() throws {
        let backend = try Emulator().backend()
        let table = backend.tensor((0..<50).map(Float.init), rows: 50)
        let (rows, output, sum) = (backend.allocateIndices(4), backend.allocate(4), backend.allocate(4))
        var expected: [Float] = [0, 0, 0, 0]
        for step in 0..<40 {
            let numbers = (0..<4).map { Int32((step * 7 + $0 * 11) % 50) }
            backend.recordAsGraph {
                backend.upload(numbers, to: rows.indices)
                backend.gather(rows.indices, from: table.tensor, into: output.tensor.reshaped(4, 1))
                backend.add(output.tensor, to: sum.tensor)
            }
            expected = zip(expected, numbers).map { $0 + Float($1) }
        }
        #expect(backend.download(sum.tensor) == expected)
    }

    /// Whoever reads what is not computed yet has made a mistake, and finds out.
    @Test func readingWithinARecordingTraps() async {
        await #expect(processExitsWith: .success) {
            let backend = try Emulator().backend()
            let block = backend.allocate(4)
            backend.recordAsGraph { backend.fill(block.tensor, with: 1) }
            _ = backend.download(block.tensor)
        }
        await #expect(processExitsWith: .failure) {
            let backend = try Emulator().backend()
            let block = backend.allocate(4)
            backend.recordAsGraph {
                backend.fill(block.tensor, with: 1)
                _ = backend.download(block.tensor)
            }
        }
    }

    /// Plans of products have numbers that recorded steps name; when there are too many both begin anew.
    @Test func thousandsOfShapesDoNotConfuseRecordedSteps() throws {
        let backend = try Emulator().backend()
        let most = ProductPlans.maximumPlans
        let (a, b, result) = (backend.allocate(most + 9), backend.allocate(most + 9), backend.allocate(1))
        for block in [a, b] { backend.fill(block.tensor, with: 1) }
        func product(_ depth: Int) {
            backend.multiply(
                a.tensor.columns(0..<depth), transposed: false, b.tensor.columns(0..<depth), transposed: true,
                into: result.tensor, accumulate: false)
        }
        func recorded() -> [Float] {
            backend.recordAsGraph { product(7) }
            return backend.download(result.tensor)
        }
        for _ in 0..<3 { #expect(recorded() == [7]) }
        for depth in 8...most + 9 { product(depth) }
        #expect(backend.download(result.tensor) == [Float(most + 9)])
        for _ in 0..<3 { #expect(recorded() == [7]) }
        #expect(backend.failure == nil)
    }
}
