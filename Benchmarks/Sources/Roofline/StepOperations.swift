import CPUBackend
import Layers
import Models
import Operations
import Tensors

/// Every operation of a training step of the paper's block on one thread, each with arguments of its own: forward and backward of
/// `tokens` tokens, then the optimiser once in `stepTokens`.
final class StepOperations {
    /// One operation, and how often a step calls it.
    struct Row {
        let name: String
        /// Calls that `tokens` tokens of training need.
        let calls: Int
        let tokens: Int
        let operation: OperationCase
        let arguments: Arguments
        let run: () -> Void

        var flopsPerToken: Double { Double(operation.flops * calls) / Double(tokens) }
        var bytesPerToken: Double { Double(arguments.bytes * calls) / Double(tokens) }
    }

    private(set) var rows: [Row] = []
    let shape: ModelConfiguration
    let tokens, stepTokens: Int
    private let backend: CPUBackend

    init(_ shape: ModelConfiguration, tokens: Int, stepTokens: Int, backend: CPUBackend) {
        self.shape = shape
        self.backend = backend
        (self.tokens, self.stepTokens) = (tokens, stepTokens)
        addEmbedding()
        addRecurrence()
        addFeedForward()
        addNorms()
        addOutside()
    }

    private func add(_ name: String, calls: Int, per tokens: Int? = nil, _ operation: OperationCase) {
        let arguments = Arguments(measuring: backend)
        let run = operation.prepare(arguments)
        rows.append(
            Row(
                name: name, calls: calls, tokens: tokens ?? self.tokens, operation: operation, arguments: arguments,
                run: run))
    }

    private func add(_ name: String, calls: Int, _ forward: OperationCase, _ backward: OperationCase) {
        add(name, calls: calls, forward)
        add(name + ", backward", calls: calls, backward)
    }

    /// output = input · weightᵀ and both gradients.
    private func addLinear(_ name: String, _ inputSize: Int, _ outputSize: Int, accumulatesInputGradient: Bool) {
        let name = "\(name) \(inputSize) → \(outputSize)"
        let calls = shape.layerCount
        add(name, calls: calls, Multiply.linear(rows: tokens, inputSize, outputSize))
        add(
            name + ", weight gradient", calls: calls,
            Multiply.linearWeightGradient(rows: tokens, inputSize, outputSize))
        add(
            name + ", input gradient", calls: calls,
            Multiply.linearInputGradient(
                rows: tokens, inputSize, outputSize, accumulate: accumulatesInputGradient))
    }

    /// Popular items more often; every row of the table is a candidate.
    private func addEmbedding() {
        let rows = TableRows(
            rows: tokens, columns: shape.hiddenSize, tableRows: shape.itemCount + 1,
            numbers: (0..<tokens).map { Int32(1 + ($0 * $0) % shape.itemCount) })
        add("embedding rows", calls: 1, rows.gather)
        add("embedding rows, gradient", calls: 1, rows.scatterAdd)
    }

    /// Over sequences as uneven as a log's: a fifth of the rows, one event, two fifths, the rest.
    private func addRecurrence() {
        let (d, h, n) = (shape.hiddenSize, shape.recurrenceSize, Int32(tokens))
        let uneven = Division.starts(Set([0, n / 5, n / 5 + 1, n * 3 / 5, n]).sorted())
        let convolution = Convolution(rows: tokens, columns: h, taps: shape.convolutionWidth, division: uneven)
        let scan = Scan(rows: tokens, columns: h, division: uneven)
        addLinear("input projection", d, 2 * h, accumulatesInputGradient: true)
        add("convolution + SiLU", calls: shape.layerCount, convolution.forward, convolution.backward)
        addLinear("gates", h, 2 * h, accumulatesInputGradient: true)
        add("gated scan", calls: shape.layerCount, scan.forward, scan.backward)
        addLinear("output projection", h, d, accumulatesInputGradient: false)
    }

    private func addFeedForward() {
        let (d, inner) = (shape.hiddenSize, shape.innerSize)
        let activation = Activation(rows: tokens, columns: inner, dropoutRate: 0.2)
        addLinear("feed-forward", d, inner, accumulatesInputGradient: true)
        add("bias + SiLU + dropout", calls: shape.layerCount, activation.forward, activation.backward)
        addLinear("feed-forward", inner, d, accumulatesInputGradient: false)
    }

    /// Two in each layer and the embedding's, which has no residual but is counted as if it had one.
    private func addNorms() {
        let norm = ResidualNorm(rows: tokens, columns: shape.hiddenSize, dropoutRate: 0.2)
        add("dropout + residual + norm", calls: 2 * shape.layerCount + 1, norm.forward, norm.backward)
    }

    /// Loss and optimiser. The loss's logits are not counted as traffic, because they can stay in the cache.
    private func addOutside() {
        let weights = shape.layout.count
        add(
            "softmax over \(shape.itemCount) items, both ways", calls: 1,
            Loss.crossEntropy(rows: tokens, columns: shape.hiddenSize, tableRows: shape.itemCount))
        add("Adam, once a step", calls: 1, per: stepTokens, Adam.step(weights))
        add("gradients cleared, once a step", calls: 1, per: stepTokens, Elementwise.fill(weights))
    }
}
