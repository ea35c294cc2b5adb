import CPUBackend
import Models
import Tensors
import Testing

@testable import Benchmarks

@Suite struct ScanTests {
    /// The loop of the definition, one number after the other.
    private func expected(_ decay: [Float], _ drive: [Float], _ width: Int, _ length: Int, backwards: Bool) -> [Float] {
        var state = drive
        let rows = drive.count / width
        for s in 0..<rows / length {
            for step in 1..<max(1, length) {
                let t = s * length + (backwards ? length - 1 - step : step)
                for c in 0..<width {
                    state[t * width + c] += decay[t * width + c] * state[(backwards ? t + 1 : t - 1) * width + c]
                }
            }
        }
        return state
    }

    @Test(arguments: [1, 2, 3, 4, 8, 13, 64], [false, true])
    func recurrencesAreTheLoop(length: Int, backwards: Bool) {
        let memory = BenchMemory(CPUBackend())
        let (width, rows) = (5, 3 * length)
        let (decay, state) = (memory.tensor(rows, width, scale: 1), memory.tensor(rows, width, scale: 1))
        let values = (memory.backend.download(decay), memory.backend.download(state))
        let expected = expected(values.0, values.1, width, length, backwards: backwards)
        Recurrence.serial(decay: decay, state: state, length: length, backwards: backwards)
        #expect(isClose(memory.backend.download(state), expected))
        #expect(memory.backend.download(decay) == values.0, "decays are needed again")
        guard length == powerOfTwo(atLeast: length) else { return }
        memory.backend.upload(values.1, to: state)
        Recurrence.parallel(decay: decay, state: state, length: length, backwards: backwards)
        #expect(isClose(memory.backend.download(state), expected))
    }

    /// All four forms are one model: outputs, input gradients and every weight's gradient.
    @Test(arguments: [1, 2, 5, 8, 11])
    func formsComputeTheSame(length: Int) {
        var shape = ModelConfiguration(itemCount: 1)
        shape.hiddenSize = 8
        func run(_ form: ScanForm) -> [[Float]] {
            let batch = ScanBatch(form, shape, length: length, sequences: 3)
            batch.run()
            let backend = CPUBackend()
            let output = batch.stack.forward(batch.input)
            return [batch.events(output), batch.events(batch.gradient)]
                + (batch.mixers.flatMap(\.weightGradients) + batch.stack.weightGradients).map(backend.download)
        }
        let packed = run(.packed)
        #expect(packed.allSatisfy { $0.contains { $0 != 0 } }, "there are gradients to compare")
        for form in ScanForm.allCases where form != .packed {
            for (index, (own, expected)) in zip(run(form), packed).enumerated() {
                #expect(isClose(own, expected), "\(form), tensor \(index)")
            }
        }
    }

    @Test func aBatchIsRepeatable() {
        var shape = ModelConfiguration(itemCount: 1)
        shape.hiddenSize = 8
        let batch = ScanBatch(.embeddingPadding, shape, length: 5, sequences: 2)
        batch.run()
        let first = batch.events(batch.gradient)
        batch.run()
        #expect(batch.events(batch.gradient) == first, "nothing of a run is left to the next")
    }
}

/// Whether two lists differ by no more than rounding, beside their largest element.
func isClose(_ a: [Float], _ b: [Float], tolerance: Float = 2e-5) -> Bool {
    let scale = b.map(abs).max() ?? 0
    return a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) <= tolerance * scale }
}
