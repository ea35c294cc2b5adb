package import Tensors

extension ReferenceBackend {
    package func crossEntropy(
        _ hidden: Tensor, table: Tensor, targets: Indices, softTargets: SoftTargets?, bias: SparseBias?, scale: Float,
        gradients: LossGradients?
    ) -> Double {
        precondition(targets.count == hidden.rows && hidden.columns == table.columns, "shapes do not match")
        var sums = TableSums(table)
        var biasSums = [Double](repeating: 0, count: bias?.values.columns ?? 0)
        var loss = 0.0
        for n in 0..<hidden.rows {
            let logits = scores(hidden, n, table, bias)
            let normalizer = logSumExp(logits)
            let wanted = targetDistribution(Int(targets[n]), softTargets, row: n, itemCount: table.rows)
            for (q, logit) in zip(wanted, logits) where q > 0 { loss += q * (normalizer - logit) }
            guard let gradients else { continue }
            let slopes = zip(logits, wanted).map { (exponential($0 - normalizer) - $1) * Double(scale) }
            bias?.forEach(ofRow: n) { biasSums[$1] += slopes[$0] * Double(bias!.scale) }
            let terms = slopes.enumerated().map { (row: $0.offset, slope: $0.element) }
            spread(terms, of: hidden, n, table, into: gradients.hidden, &sums)
        }
        if let gradients { sums.add(to: gradients.table) }
        for (kind, sum) in biasSums.enumerated() { gradients?.biasValues?[0, kind] += sum }
        return loss
    }

    /// The scores of row n.
    private func scores(_ hidden: Tensor, _ n: Int, _ table: Tensor, _ bias: SparseBias?) -> [Double] {
        var scores = (0..<table.rows).map { dot(hidden, n, table, $0) }
        bias?.forEach(ofRow: n) { scores[$0] += Double(bias!.value($1)) }
        return scores
    }

    /// q of ``SoftTargets``; without them the target alone.
    private func targetDistribution(
        _ target: Int, _ softTargets: SoftTargets?, row: Int, itemCount: Int
    ) -> [Double] {
        var q = [Double](repeating: 0, count: itemCount)
        q[target] = 1 - Double(softTargets?.share ?? 0)
        for teacher in softTargets?.teachers ?? [] {
            let scores = scores(teacher.hidden, row, teacher.table, teacher.bias)
            let normalizer = logSumExp(scores)
            for v in q.indices {
                q[v] +=
                    Double(softTargets!.share) / Double(softTargets!.teachers.count)
                    * exponential(scores[v] - normalizer)
            }
        }
        return q
    }

    package func sampledCrossEntropy(
        _ hidden: Tensor, table: Tensor, targets: Indices, targetLogQ: Tensor, negatives: Indices, logQ: Tensor,
        bias: SparseBias?, scale: Float, gradients: LossGradients?
    ) -> Double {
        precondition(targets.count == hidden.rows && hidden.columns == table.columns, "shapes do not match")
        precondition(logQ.count == negatives.count && targetLogQ.count == targets.count, "one correction each")
        var sums = TableSums(table)
        var biasSums = [Double](repeating: 0, count: bias?.values.columns ?? 0)
        var loss = 0.0
        for n in 0..<hidden.rows {
            var kinds: [Int: Int] = [:]
            bias?.forEach(ofRow: n) { kinds[$0] = $1 }
            // The target first, then every negative that is not the target.
            let others = (0..<negatives.count).filter { negatives[$0] != targets[n] }
            let rows = [targets[n]] + others.map { negatives[$0] }
            let corrections = [targetLogQ[n]] + others.map { logQ[$0] }
            let logits = zip(rows, corrections).map { row, correction in
                dot(hidden, n, table, row) + (kinds[row].map { Double(bias!.value($0)) } ?? 0) - correction
            }
            let normalizer = logSumExp(logits)
            loss += normalizer - logits[0]
            guard let gradients else { continue }
            var terms = zip(rows, logits).map { (row: $0, slope: exponential($1 - normalizer) * Double(scale)) }
            terms[0].slope -= Double(scale)
            for term in terms { if let kind = kinds[term.row] { biasSums[kind] += term.slope * Double(bias!.scale) } }
            spread(terms, of: hidden, n, table, into: gradients.hidden, &sums)
        }
        if let gradients { sums.add(to: gradients.table) }
        for (kind, sum) in biasSums.enumerated() { gradients?.biasValues?[0, kind] += sum }
        return loss
    }

    package func pairwiseLoss(
        _ hidden: Tensor, table: Tensor, targets: Indices, negatives: Indices, scale: Float, gradients: LossGradients?
    ) -> Double {
        precondition(targets.count == hidden.rows && negatives.count == hidden.rows, "one pair a row")
        var sums = TableSums(table)
        var loss = 0.0
        for n in 0..<hidden.rows {
            let margin = dot(hidden, n, table, targets[n]) - dot(hidden, n, table, negatives[n])
            loss += softplus(-margin)  // −log σ(margin)
            guard let gradients else { continue }
            let slope = -sigmoid(-margin) * Double(scale)
            spread(
                [(row: targets[n], slope: slope), (row: negatives[n], slope: -slope)], of: hidden, n, table,
                into: gradients.hidden, &sums)
        }
        if let gradients { sums.add(to: gradients.table) }
        return loss
    }

    /// From the gradients of some of row n's scores hidden[n] · table[row] to those of both factors.
    private func spread(
        _ terms: [(row: Int, slope: Double)], of hidden: Tensor, _ n: Int, _ table: Tensor,
        into hiddenGradient: Tensor, _ sums: inout TableSums
    ) {
        for c in 0..<hidden.columns {
            let x = hidden[n, c]
            var gradient = 0.0
            for term in terms {
                gradient += term.slope * table[term.row, c]
                sums.values[term.row * table.columns + c] += term.slope * x
            }
            hiddenGradient[n, c] = gradient
        }
    }
}

/// The gradient of a table, summed over all rows of a loss before it is added once.
private struct TableSums {
    var values: [Double]

    init(_ table: Tensor) { values = [Double](repeating: 0, count: table.count) }

    func add(to gradient: Tensor) {
        for row in 0..<gradient.rows {
            for column in 0..<gradient.columns { gradient[row, column] += values[row * gradient.columns + column] }
        }
    }
}
