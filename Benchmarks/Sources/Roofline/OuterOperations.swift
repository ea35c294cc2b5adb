import Models
import Tensors

/// What surrounds and follows the layers' parts.
extension StepOperations {
    /// Two in each layer and the embedding's, which has no residual and is counted as if it had.
    func addNorms() {
        let d = shape.hiddenSize
        func rows() -> Tensor { memory.tensor(tokens, d) }
        let (input, residual, output, inverse) = (rows(), rows(), rows(), memory.zeros(1, tokens))
        let (outputGradient, inputGradient, residualGradient) = (rows(), rows(), rows())
        let (bias, biasGradient) = (memory.tensor(1, d), memory.zeros(1, d))
        let parameters = NormParameters(scale: memory.tensor(1, d), shift: memory.tensor(1, d), epsilon: 1e-12)
        let gradients = NormParameters(scale: memory.zeros(1, d), shift: memory.zeros(1, d), epsilon: 1e-12)
        let dropout = dropout()
        let calls = 2 * layers + 1
        let forward = Traffic(
            read: [bias, residual, parameters.scale, parameters.shift], written: [output, inverse], updated: [input])
        add("dropout + residual + norm", calls: calls, input.count * ElementFlops.norm, forward) { [backend] in
            backend.residualNorm(
                input, bias: bias, residual: residual, dropout: dropout, parameters: parameters,
                inverseDeviation: inverse, output: output)
        }
        let backward = Traffic(
            read: [outputGradient, input, inverse, parameters.scale], written: [inputGradient, residualGradient],
            updated: [biasGradient, gradients.scale, gradients.shift])
        add(
            "dropout + residual + norm, backward", calls: calls, input.count * ElementFlops.normBackward, backward
        ) { [backend] in
            backend.residualNormBackward(
                outputGradient, normalized: input, inverseDeviation: inverse, dropout: dropout, parameters: parameters,
                inputGradient: inputGradient, residualGradient: residualGradient, biasGradient: biasGradient,
                parameterGradients: gradients)
        }
    }

    /// Three products with the whole catalogue; its logits are not counted as traffic, for they need not leave the cache.
    func addSoftmax() {
        let (v, d) = (shape.itemCount, shape.hiddenSize)
        let (hidden, hiddenGradient) = (memory.tensor(tokens, d), memory.zeros(tokens, d))
        let (table, tableGradient) = (memory.tensor(v, d), memory.zeros(v, d))
        let targets = memory.indices((0..<tokens).map { Int32(($0 * 5) % v) })
        let traffic = Traffic(read: [hidden, table], written: [hiddenGradient], updated: [tableGradient])
        add(
            "softmax over \(v) items, both ways", calls: 1, tokens * v * (6 * d + ElementFlops.softmax), traffic
        ) { [backend] in
            _ = backend.crossEntropy(
                hidden, table: table, targets: targets, scale: 1e-3,
                gradients: LossGradients(hidden: hiddenGradient, table: tableGradient))
        }
    }

    func addOptimiser() {
        let count = WeightLayout(shape).count
        let (weights, gradient) = (memory.tensor(1, count), memory.tensor(1, count))
        let (first, second) = (memory.zeros(1, count), memory.zeros(1, count))
        let step = AdamStep(number: 1, learningRate: 1e-6)
        let adam = Traffic(read: [gradient], updated: [weights, first, second])
        add("Adam, once a step", calls: 1, per: stepTokens, count * ElementFlops.adam, adam) { [backend] in
            backend.adam(weights, gradient: gradient, firstMoment: first, secondMoment: second, step: step)
        }
        let spare = memory.zeros(1, count)
        add("gradients cleared, once a step", calls: 1, per: stepTokens, 0, Traffic(written: [spare])) { [backend] in
            backend.fill(spare, with: 0)
        }
    }
}
