import CPUBackend
import Foundation
import Tensors
import Testing

@testable import Benchmarks

/// The attention layer against loops over single numbers in double precision.
@Suite struct AttentionTests {
    private let rows = 7
    private let width = 4
    private let memory = BenchMemory(CPUBackend())

    private func mixer() -> AttentionMixer {
        AttentionMixer(
            rows: rows, width: width, gradients: AttentionMixer.Gradients(rows, width, memory), memory: memory)
    }

    /// softmax(Q·Kᵀ/√D)·V·W_o, weights being [out, in].
    private func naive(_ x: [Double], _ weights: [[Double]]) -> [Double] {
        func project(_ x: [Double], _ w: [Double]) -> [Double] {
            (0..<rows * width).map { i in
                (0..<width).reduce(0) { $0 + x[i / width * width + $1] * w[i % width * width + $1] }
            }
        }
        let (q, k, v) = (project(x, weights[0]), project(x, weights[1]), project(x, weights[2]))
        var mixed = [Double](repeating: 0, count: rows * width)
        for t in 0..<rows {
            let scores = (0...t).map { j in
                exp((0..<width).reduce(0) { $0 + q[t * width + $1] * k[j * width + $1] } / Double(width).squareRoot())
            }
            for j in 0...t {
                for c in 0..<width { mixed[t * width + c] += scores[j] / scores.reduce(0, +) * v[j * width + c] }
            }
        }
        return project(mixed, weights[3])
    }

    private func values(_ tensor: Tensor) -> [Double] { memory.backend.download(tensor).map(Double.init) }

    @Test func forwardIsTheFormula() {
        let mixer = mixer()
        let (input, output) = (memory.tensor(rows, width, scale: 2), memory.zeros(rows, width))
        mixer.forward(input, into: output)
        let weights = [mixer.query, mixer.key, mixer.value, mixer.output].map { values($0.weight) }
        #expect(isClose(memory.backend.download(output), naive(values(input), weights).map(Float.init)))
    }

    @Test func backwardIsTheSlope() {
        let mixer = mixer()
        let (input, output) = (memory.tensor(rows, width, scale: 2), memory.zeros(rows, width))
        let (direction, inputGradient) = (memory.tensor(rows, width), memory.zeros(rows, width))
        mixer.forward(input, into: output)
        mixer.backward(direction, input: input, addingTo: inputGradient)
        let linears = [mixer.query, mixer.key, mixer.value, mixer.output]
        let point = [values(input)] + linears.map { values($0.weight) }
        let along = values(direction)
        func loss(_ point: [[Double]]) -> Double {
            zip(naive(point[0], Array(point[1...])), along).reduce(0) { $0 + $1.0 * $1.1 }
        }
        for (part, gradient) in ([inputGradient] + linears.map(\.gradient)).enumerated() {
            let slopes = point[part].indices.map { index in
                var (up, down) = (point, point)
                up[part][index] += 1e-5
                down[part][index] -= 1e-5
                return Float((loss(up) - loss(down)) / 2e-5)
            }
            #expect(isClose(memory.backend.download(gradient), slopes, tolerance: 1e-4), "part \(part)")
        }
    }
}
