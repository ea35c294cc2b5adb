package import Tensors

/// The items that a target is compared with.
package enum Negatives: Sendable {
    /// All items: the full softmax.
    case all
    /// Shared samples of rows of the item table: sample i is for targets i · ``targetsPerSample`` and the following, cyclically. `logQ[r]`
    /// is the logarithm of the probability that row r is in a sample.
    case shared(samples: [[Int32]], logQ: [Float])
    /// The same samples, drawn by a device.
    case drawn(DrawnNegatives)
    /// One row of the item table for each target: Bayesian personalised ranking.
    case paired([Int32])

    /// Small, so that a step has many different negatives (each has to be gathered), but large enough for an efficient product.
    package static let targetsPerSample = 128
}

/// Samples that a device draws, and what else a step meets.
package struct DrawnNegatives: Sendable {
    /// The first point of each sample, in [0, 1).
    package let firsts: [Double]
    /// The row of each event of the batch, −1 for padding: rows that Adam updates.
    package let items: [Int32]
    package let sampling: any RowSampling

    package init(firsts: [Double], items: [Int32], sampling: any RowSampling) {
        (self.firsts, self.items, self.sampling) = (firsts, items, sampling)
    }
}

/// The scores of all items, hidden · Eᵀ, and the losses over them.
package struct SoftmaxHead {
    private let backend: any Backend
    /// The item table [V, D].
    private let table: Tensor

    package init(table: Tensor, on backend: any Backend) { (self.table, self.backend) = (table, backend) }

    /// Adds the loss of each hidden vector [N, D] to `sum`, and the gradients times `scale` to `gradients`.
    ///
    /// `targets`, in the backend's memory, and `rows`, on the host, are the same rows of the table; −1 is padding, without loss and gradient.
    /// `bias` adds to some of the scores; `softTargets` are for the full softmax only.
    package func addLoss(
        _ hidden: Tensor, targets: Indices, _ rows: [Int32], _ negatives: Negatives, softTargets: SoftTargets?,
        bias: SparseBias?, scale: Float, gradients: LossGradients, to sum: LossSum
    ) {
        switch negatives {
        case .all:
            backend.addCrossEntropy(
                hidden, table: table, targets: targets, softTargets: softTargets, bias: bias, scale: scale,
                gradients: gradients, to: sum)
        case .shared(let samples, let logQ):
            addSampledLoss(hidden, targets, rows, samples, logQ, bias, scale, gradients, sum)
        case .drawn(let drawn):
            let size = Negatives.targetsPerSample
            let firsts = (0..<(rows.count + size - 1) / size).map { drawn.firsts[$0 % drawn.firsts.count] }
            let sample = drawn.sampling.draw(firsts, targets: targets, items: drawn.items)
            backend.addSampledCrossEntropy(
                hidden, table: table, targets: targets, targetLogQ: sample.targetLogQ, negatives: sample.rows,
                logQ: sample.logQ, rowsPerSample: size, bias: bias, scale: scale, gradients: gradients, to: sum)
        case .paired(let negatives):
            backend.addPairwiseLoss(
                hidden, table: table, targets: targets, negatives: backend.staged(negatives), scale: scale,
                gradients: gradients, to: sum)
        }
    }

    private func addSampledLoss(
        _ hidden: Tensor, _ targets: Indices, _ rows: [Int32], _ samples: [[Int32]], _ logQ: [Float],
        _ bias: SparseBias?, _ scale: Float, _ gradients: LossGradients, _ sum: LossSum
    ) {
        /// 0 for padding, where it is not used.
        func logQs(of rows: [Int32]) -> Tensor { backend.staged(rows.map { $0 < 0 ? 0 : logQ[Int($0)] }) }
        let targetLogQ = logQs(of: rows)
        let size = Negatives.targetsPerSample
        // All targets at once where their samples are equally long, as those that training draws are.
        let together = samples.allSatisfy { $0.count == samples[0].count } ? max(1, rows.count) : size
        for start in stride(from: 0, to: rows.count, by: together) {
            let range = start..<min(start + together, rows.count)
            let drawn = (start / size..<(range.upperBound + size - 1) / size).flatMap { samples[$0 % samples.count] }
            backend.addSampledCrossEntropy(
                hidden.rows(range), table: table, targets: targets.range(range),
                targetLogQ: targetLogQ.columns(range), negatives: backend.staged(drawn), logQ: logQs(of: drawn),
                rowsPerSample: size, bias: bias?.rows(range), scale: scale, gradients: gradients.rows(range), to: sum)
        }
    }
}
