import CPUBackend
import Models
import Tensors

/// Every operation of a training step on one thread, on memory of its own: forward and backward of a piece of `tokens`
/// tokens, then the optimiser once in `stepTokens`.
final class StepOperations {
    private(set) var list: [Operation] = []
    let memory: BenchMemory
    let shape: ModelConfiguration
    let tokens, stepTokens: Int
    var backend: CPUBackend { memory.backend }
    var layers: Int { shape.layerCount }

    /// For the paper's block (projections, convolution, feed-forward).
    init(_ shape: ModelConfiguration, tokens: Int, stepTokens: Int, backend: CPUBackend) {
        self.shape = shape
        (self.tokens, self.stepTokens) = (tokens, stepTokens)
        memory = BenchMemory(backend)
        addEmbedding()
        addRecurrence()
        addFeedForward()
        addNorms()
        addSoftmax()
        addOptimiser()
    }

    func add(
        _ name: String, calls: Int, per tokens: Int? = nil, _ flops: Int, _ traffic: Traffic,
        _ run: @escaping () -> Void
    ) {
        list.append(
            Operation(
                name: name, calls: calls, tokens: tokens ?? self.tokens, flops: Double(flops), traffic: traffic,
                run: run))
    }

    /// output = input · weightᵀ and both gradients, as `Pass` calls them.
    func addProducts(_ name: String, _ inputSize: Int, _ outputSize: Int, accumulatesInputGradient: Bool) {
        let (input, output) = (memory.tensor(tokens, inputSize), memory.tensor(tokens, outputSize))
        let (weight, weightGradient) = (memory.tensor(outputSize, inputSize), memory.zeros(outputSize, inputSize))
        let inputGradient = memory.zeros(tokens, inputSize)
        let flops = 2 * tokens * inputSize * outputSize
        let title = "\(name) \(inputSize) → \(outputSize)"
        add(title, calls: layers, flops, Traffic(read: [input, weight], written: [output])) { [backend] in
            backend.multiply(input, transposed: false, weight, transposed: true, into: output, accumulate: false)
        }
        add(
            title + ", weight gradient", calls: layers, flops,
            Traffic(read: [output, input], updated: [weightGradient])
        ) {
            [backend] in
            backend.multiply(output, transposed: true, input, transposed: false, into: weightGradient, accumulate: true)
        }
        let target = accumulatesInputGradient ? Traffic(updated: [inputGradient]) : Traffic(written: [inputGradient])
        let traffic = Traffic(read: [output, weight], written: target.written, updated: target.updated)
        add(title + ", input gradient", calls: layers, flops, traffic) { [backend] in
            backend.multiply(
                output, transposed: false, weight, transposed: false, into: inputGradient,
                accumulate: accumulatesInputGradient)
        }
    }

    /// Rows of one piece cut into sequences as uneven as a log's: a fifth, one event, two fifths, the rest.
    var starts: [Int32] {
        let n = Int32(tokens)
        return Array(Set([0, n / 5, n / 5 + 1, n * 3 / 5, n])).sorted()
    }

    func dropout() -> Dropout {
        Dropout(rate: 0.2, seed: 1, step: 1, place: 1, rowNumbers: memory.indices((0..<Int32(tokens)).map { $0 }))
    }
}
