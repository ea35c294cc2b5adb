import CPUBackend
import Models
import Operations
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
        let backend = CPUBackend()
        let (width, rows) = (5, 3 * length)
        let arguments = Arguments(measuring: backend)
        let (decay, state) = (arguments.input("decay", rows, width), arguments.input("state", rows, width))
        let values = (backend.download(decay), backend.download(state))
        let expected = expected(values.0, values.1, width, length, backwards: backwards)
        Recurrence.serial(decay: decay, state: state, length: length, backwards: backwards)
        #expect(isClose(backend.download(state), expected))
        #expect(backend.download(decay) == values.0, "decays are needed again")
        guard length == powerOfTwo(atLeast: length) else { return }
        backend.upload(values.1, to: state)
        Recurrence.parallel(decay: decay, state: state, length: length, backwards: backwards)
        #expect(isClose(backend.download(state), expected))
    }

    /// All four forms are one model: the output at every event and every parameter's gradient.
    @Test(arguments: [1, 2, 5, 8, 11])
    func formsComputeTheSame(length: Int) {
        func run(_ form: ScanForm) -> [(name: String, values: [Float])] {
            ScanBatch(form, shape, length: length, sequences: 3).results()
        }
        let packed = run(.packed)
        #expect(packed.allSatisfy { $0.values.contains { $0 != 0 } }, "there are gradients to compare")
        for form in ScanForm.allCases where form != .packed {
            for (own, expected) in zip(run(form), packed) {
                #expect(own.name == expected.name && isClose(own.values, expected.values), "\(form), \(own.name)")
            }
        }
    }

    @Test func aBatchIsRepeatable() {
        let batch = ScanBatch(.embeddingPadding, shape, length: 5, sequences: 2)
        let first = batch.results().map(\.values)
        #expect(batch.results().map(\.values) == first, "nothing of a run is left to the next")
    }

    private var shape: ModelConfiguration {
        var shape = ModelConfiguration(itemCount: 20)
        shape.hiddenSize = 8
        return shape
    }
}

/// Whether two lists differ by no more than rounding, beside their largest element.
func isClose(_ a: [Float], _ b: [Float], tolerance: Float = 2e-5) -> Bool {
    let scale = b.map(abs).max() ?? 0
    return a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) <= tolerance * scale }
}
