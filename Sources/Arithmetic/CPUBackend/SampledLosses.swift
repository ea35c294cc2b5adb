package import Tensors

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension CPUBackend {
    package func sampledCrossEntropy(
        _ hidden: Tensor, table: Tensor, targets: Indices, targetLogQ: Tensor, negatives: Indices, logQ: Tensor,
        bias: SparseBias?, scale: Float, gradients: LossGradients?
    ) -> Double {
        precondition(negatives.count > 0, "a sample has negatives")
        precondition(logQ.count == negatives.count && targetLogQ.count == targets.count, "one correction each")
        let softmax = SampledSoftmax(
            backend: self, hidden: hidden, table: table, targets: targets, targetLogQ: targetLogQ,
            negatives: negatives, logQ: logQ, bias: bias, scale: scale, gradients: gradients)
        return softmax.run()
    }

    package func pairwiseLoss(
        _ hidden: Tensor, table: Tensor, targets: Indices, negatives: Indices, scale: Float, gradients: LossGradients?
    ) -> Double {
        let width = hidden.columns
        var loss = 0.0
        for n in 0..<hidden.rows {
            let row = hidden.base + n * hidden.stride
            let (target, negative) = (Int(targets.base[n]), Int(negatives.base[n]))
            let liked = table.base + target * table.stride
            let other = table.base + negative * table.stride
            let margin = dot(row, liked, width) - dot(row, other, width)
            loss += Double(max(-margin, 0) + log1p(exp(-abs(margin))))
            guard let gradients else { continue }
            let slope = -scale / (1 + exp(margin))
            let hiddenGradient = gradients.hidden.base + n * gradients.hidden.stride
            let targetGradient = gradients.table.base + target * gradients.table.stride
            let negativeGradient = gradients.table.base + negative * gradients.table.stride
            for c in 0..<width {
                hiddenGradient[c] = slope * (liked[c] - other[c])
                targetGradient[c] += slope * row[c]
                negativeGradient[c] -= slope * row[c]
            }
        }
        return loss
    }
}

/// a · b.
func dot(_ a: UnsafeMutablePointer<Float>, _ b: UnsafeMutablePointer<Float>, _ count: Int) -> Float {
    var sum: Float = 0
    for i in 0..<count { sum += a[i] * b[i] }
    return sum
}
