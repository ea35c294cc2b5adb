import Tensors

/// Which items a target is compared with.
package enum Negatives: Sendable {
    /// All: the full softmax.
    case all
    /// Samples that many targets share. Each serves ``targetsPerSample`` targets, the next sample those that follow, and after the last
    /// sample comes the first. Both are rows of the item table; position r of `logQ` is the logarithm of row r's probability of being
    /// in a sample.
    case shared(samples: [[Int32]], logQ: [Float])
    /// One a target, a row of the item table: Bayesian personalised ranking.
    case paired([Int32])

    /// Few, so that a step meets many different negatives at the price of gathering them, but enough for a product.
    package static let targetsPerSample = 128
}

/// Scores of all items, hidden · Eᵀ, and the losses that training takes of them.
package struct SoftmaxHead {
    private let backend: any Backend
    /// The item table [V, D].
    private let table: Tensor

    package init(table: Tensor, on backend: any Backend) { (self.table, self.backend) = (table, backend) }

    /// Adds the loss of each hidden vector [N, D] to `sum`, and the gradients times `scale` to `gradients`.
    ///
    /// `targets` are rows of the table, on the device as `rows` is on the host; -1 is padding, without loss and gradient. `bias` adds to some of the
    /// scores.
    package func addLoss(
        _ hidden: Tensor, targets: Indices, _ rows: [Int32], _ negatives: Negatives, bias: SparseBias?, scale: Float,
        gradients: LossGradients, to sum: LossSum
    ) {
        switch negatives {
        case .all:
            backend.addCrossEntropy(
                hidden, table: table, targets: targets, bias: bias, scale: scale, gradients: gradients, to: sum)
        case .shared(let samples, let logQ):
            addSampledLoss(hidden, targets, rows, samples, logQ, bias, scale, gradients, sum)
        case .paired(let negatives):
            backend.addPairwiseLoss(
                hidden, table: table, targets: targets, negatives: backend.indices(negatives), scale: scale,
                gradients: gradients, to: sum)
        }
    }

    private func addSampledLoss(
        _ hidden: Tensor, _ targets: Indices, _ rows: [Int32], _ samples: [[Int32]], _ logQ: [Float],
        _ bias: SparseBias?, _ scale: Float, _ gradients: LossGradients, _ sum: LossSum
    ) {
        /// 0 for padding, of which nobody asks.
        func logQs(of rows: [Int32]) -> Tensor {
            let values = backend.tensor(1, rows.count)
            backend.upload(rows.map { $0 < 0 ? 0 : logQ[Int($0)] }, to: values)
            return values
        }
        let targetLogQ = logQs(of: rows)
        let uploaded = samples.map { (rows: backend.indices($0), logQ: logQs(of: $0)) }
        let size = Negatives.targetsPerSample
        for (index, start) in stride(from: 0, to: rows.count, by: size).enumerated() {
            let range = start..<min(start + size, rows.count)
            let sample = uploaded[index % samples.count]
            backend.addSampledCrossEntropy(
                hidden.rows(range), table: table, targets: targets.range(range),
                targetLogQ: targetLogQ.columns(range), negatives: sample.rows, logQ: sample.logQ,
                bias: bias?.rows(range), scale: scale, gradients: gradients.rows(range), to: sum)
        }
    }
}
