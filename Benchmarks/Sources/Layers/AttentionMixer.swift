import CPUBackend
import Foundation
import Tensors

/// Causal self-attention over one sequence (Vaswani et al. 2017), one head as wide as the layer: softmax(Q·Kᵀ/√D)·V·W_o.
/// The scores are kept, T × T: what attention is known for. Exponentials are taken one by one.
struct AttentionMixer: Mixer {
    let query, key, value, output: Linear
    private let q, k, v, mixed: Tensor
    private let probabilities: Tensor
    private let gradients: Gradients?
    private let backend: CPUBackend

    /// What only the backward pass needs; all layers share it.
    struct Gradients {
        let q, k, v, mixed, scores: Tensor

        init(_ rows: Int, _ width: Int, _ memory: BenchMemory) {
            (q, k, v) = (memory.zeros(rows, width), memory.zeros(rows, width), memory.zeros(rows, width))
            (mixed, scores) = (memory.zeros(rows, width), memory.zeros(rows, rows))
        }
    }

    init(rows: Int, width: Int, gradients: Gradients?, memory: BenchMemory) {
        backend = memory.backend
        (query, key) = (Linear(width, width, memory), Linear(width, width, memory))
        (value, output) = (Linear(width, width, memory), Linear(width, width, memory))
        (q, k) = (memory.zeros(rows, width), memory.zeros(rows, width))
        (v, mixed) = (memory.zeros(rows, width), memory.zeros(rows, width))
        probabilities = memory.zeros(rows, rows)
        self.gradients = gradients
    }

    func forward(_ input: Tensor, into result: Tensor) {
        query.forward(input, into: q, backend)
        key.forward(input, into: k, backend)
        value.forward(input, into: v, backend)
        backend.multiply(q, transposed: false, k, transposed: true, into: probabilities, accumulate: false)
        softmax()
        backend.multiply(probabilities, transposed: false, v, transposed: false, into: mixed, accumulate: false)
        output.forward(mixed, into: result, backend)
    }

    func backward(_ outputGradient: Tensor, input: Tensor, addingTo inputGradient: Tensor) {
        let own = gradients!
        output.backward(outputGradient, input: mixed, into: own.mixed, accumulate: false, backend)
        backend.multiply(probabilities, transposed: true, own.mixed, transposed: false, into: own.v, accumulate: false)
        backend.multiply(own.mixed, transposed: false, v, transposed: true, into: own.scores, accumulate: false)
        softmaxBackward(own.scores)
        backend.multiply(own.scores, transposed: false, k, transposed: false, into: own.q, accumulate: false)
        backend.multiply(own.scores, transposed: true, q, transposed: false, into: own.k, accumulate: false)
        for (linear, gradient) in [(query, own.q), (key, own.k), (value, own.v)] {
            linear.backward(gradient, input: input, into: inputGradient, accumulate: true, backend)
        }
    }

    private var scale: Float { 1 / Float(q.columns).squareRoot() }

    /// Row t becomes the softmax of its first t + 1 scores, zeros after them.
    private func softmax() {
        for t in 0..<probabilities.rows {
            let row = probabilities.base + t * probabilities.columns
            var highest = -Float.infinity
            for j in 0...t { highest = max(highest, row[j]) }
            var sum: Float = 0
            for j in 0...t {
                row[j] = exp((row[j] - highest) * scale)
                sum += row[j]
            }
            for j in 0...t { row[j] /= sum }
            (row + t + 1).update(repeating: 0, count: probabilities.columns - t - 1)
        }
    }

    /// From the gradient of probabilities to that of q · kᵀ, in place.
    private func softmaxBackward(_ gradient: Tensor) {
        for t in 0..<gradient.rows {
            let (row, p) = (gradient.base + t * gradient.columns, probabilities.base + t * gradient.columns)
            var sum: Float = 0
            for j in 0...t { sum += row[j] * p[j] }
            for j in 0...t { row[j] = p[j] * (row[j] - sum) * scale }
            (row + t + 1).update(repeating: 0, count: gradient.columns - t - 1)
        }
    }
}
