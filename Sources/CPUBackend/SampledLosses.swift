import CKernels
import Tensors

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension CPUBackend {
    public func sampledCrossEntropy(
        _ hidden: Tensor, table: Tensor, targets: Indices, negatives: Indices, logQ: Tensor, scale: Float,
        gradients: LossGradients?
    ) -> Double {
        let (width, samples) = (hidden.columns, negatives.count)
        let tileRows = 128
        let sampledStorage = allocate(2 * samples * width)  // the sampled rows, then their gradients
        let logitStorage = allocate(tileRows * samples)
        defer { withExtendedLifetime((sampledStorage, logitStorage)) {} }  // views keep nothing alive
        let rowPairs = sampledStorage.tensor.reshaped(2 * samples, width)
        let (sampled, sampledGradient) = (rowPairs.prefix(samples), rowPairs.rows(samples..<2 * samples))
        gather(negatives, from: table, into: sampled)
        var loss = 0.0
        for start in stride(from: 0, to: hidden.rows, by: tileRows) {
            let rows = hidden.rows(start..<min(start + tileRows, hidden.rows))
            let logits = Tensor(base: logitStorage.base, rows: rows.rows, columns: samples)
            multiply(rows, transposed: false, sampled, transposed: true, into: logits, accumulate: false)
            let rowGradients = gradients.map {
                LossGradients(hidden: $0.hidden.rows(start..<start + rows.rows), table: $0.table)
            }
            for r in 0..<rows.rows {
                loss += sampledRow(
                    rows.base + r * rows.stride, logits.rows(r..<r + 1), table, Int(targets.base[start + r]), negatives,
                    logQ, scale, rowGradients, r)
            }
            guard let rowGradients else { continue }
            multiply(
                logits, transposed: false, sampled, transposed: false, into: rowGradients.hidden, accumulate: true)
            multiply(logits, transposed: true, rows, transposed: false, into: sampledGradient, accumulate: true)
        }
        if let gradients { scatterAdd(sampledGradient, to: negatives, of: gradients.table) }
        return loss
    }

    /// Turns one row of logits into their gradient (times `scale`), writes the target's share, returns the loss.
    private func sampledRow(
        _ hidden: UnsafeMutablePointer<Float>, _ logits: Tensor, _ table: Tensor, _ target: Int, _ negatives: Indices,
        _ logQ: Tensor, _ scale: Float, _ gradients: LossGradients?, _ row: Int
    ) -> Double {
        let (x, width) = (logits.base, table.columns)
        let targetRow = table.base + target * table.stride
        let positive = dot(hidden, targetRow, width)
        for j in 0..<negatives.count {
            let item = Int(negatives.base[j])
            x[j] = item == target ? -.infinity : x[j] - logQ.base[item]
        }
        var (largest, sum): (Float, Float) = (positive, 0)
        for j in 0..<negatives.count { largest = max(largest, x[j]) }
        for j in 0..<negatives.count {
            x[j] = exp(x[j] - largest)
            sum += x[j]
        }
        let own = exp(positive - largest)
        sum += own
        let loss = Double(log(sum) + largest - positive)
        guard let gradients else { return loss }
        for j in 0..<negatives.count { x[j] *= scale / sum }
        let slope = (own / sum - 1) * scale
        let hiddenGradient = gradients.hidden.base + row * gradients.hidden.stride
        let tableGradient = gradients.table.base + target * gradients.table.stride
        for c in 0..<width {
            hiddenGradient[c] = slope * targetRow[c]
            tableGradient[c] += slope * hidden[c]
        }
        return loss
    }

    public func pairwiseLoss(
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
            for c in 0..<width {
                gradients.hidden.base[n * gradients.hidden.stride + c] = slope * (liked[c] - other[c])
                gradients.table.base[target * gradients.table.stride + c] += slope * row[c]
                gradients.table.base[negative * gradients.table.stride + c] -= slope * row[c]
            }
        }
        return loss
    }
}

private func dot(_ a: UnsafeMutablePointer<Float>, _ b: UnsafeMutablePointer<Float>, _ count: Int) -> Float {
    var sum: Float = 0
    for i in 0..<count { sum += a[i] * b[i] }
    return sum
}
