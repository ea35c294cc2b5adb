import CKernels
import Tensors

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// One call of the sampled softmax: arguments and scratch memory.
///
/// The rows of the negatives are gathered once into a small table that stays in cache; logits, their softmax and both
/// products of the gradient are then those of the full loss over that table. The target is a column of its own.
struct SampledSoftmax {
    private let backend: CPUBackend
    private let hidden, table: Tensor
    private let targets, negatives: Indices
    private let targetLogQ, logQ: Tensor
    private let bias: HostBias?
    private let scale: Float
    private let gradients: LossGradients?
    private let finder: RowFinder

    private let tileRows: Int
    /// The negatives' table rows [M, D], and their gradients.
    private let sampled, sampledGradient: Tensor
    /// Logits, then e^(logit − row's largest) [tile rows, M].
    private let tile: Tensor
    /// Rows of `hidden` times `factor` [tile rows, D].
    private let scaled: Tensor
    /// One element for each row: the target's logit, the largest of the others, and the sum of their e^(logit − largest).
    private let targetLogit, largest, sum: UnsafeMutablePointer<Float>
    /// Multiplies a row's exponentials to make them the gradient of its logits.
    private let factor: UnsafeMutablePointer<Float>

    init(
        backend: CPUBackend, hidden: Tensor, table: Tensor, targets: Indices, targetLogQ: Tensor,
        negatives: Indices, logQ: Tensor, bias: SparseBias?, scale: Float, gradients: LossGradients?
    ) {
        self.backend = backend
        (self.hidden, self.table, self.targets, self.negatives) = (hidden, table, targets, negatives)
        (self.targetLogQ, self.logQ, self.bias) = (targetLogQ, logQ, bias.map(HostBias.init))
        (self.scale, self.gradients) = (scale, gradients)
        finder = RowFinder(negatives)
        let (samples, width) = (negatives.count, hidden.columns)
        tileRows = max(16, min(128, CPUBackend.tileSize / samples))
        let storage = allocateHost(
            2 * samples * width + tileRows * (samples + width + 4), of: Float.self, zeroed: false)
        var next = 0
        func tensor(_ rows: Int, _ columns: Int) -> Tensor {
            defer { next += rows * columns }
            return storage.tensor(at: next, rows: rows, columns: columns)
        }
        sampled = tensor(samples, width)
        sampledGradient = tensor(samples, width)
        tile = tensor(tileRows, samples)
        scaled = tensor(tileRows, width)
        (targetLogit, largest) = (tensor(1, tileRows).base, tensor(1, tileRows).base)
        (sum, factor) = (tensor(1, tileRows).base, tensor(1, tileRows).base)
    }

    /// The loss; writes the gradients.
    func run() -> Double {
        backend.gather(negatives, from: table, into: sampled)
        backend.fill(sampledGradient, with: 0)
        var loss = 0.0
        for start in stride(from: 0, to: hidden.rows, by: tileRows) {
            let rows = start..<min(start + tileRows, hidden.rows)
            let exponentials = tile.prefix(rows.count)
            findLogits(rows, exponentials)
            backend.kernels.softmax_rows(
                rows.count, exponentials.columns, exponentials.base, exponentials.stride, largest, sum)
            for r in 0..<rows.count { loss += finishRow(r) }
            if let gradients { addGradients(rows, exponentials, gradients) }
        }
        if let gradients { backend.scatterAdd(sampledGradient, to: negatives, of: gradients.table) }
        return loss
    }

    /// Logits of the negatives and, apart, of the targets.
    private func findLogits(_ rows: Range<Int>, _ logits: Tensor) {
        let hidden = hidden.rows(rows)
        let logQ = logQ.base
        for r in 0..<rows.count {
            let row = logits.base + r * logits.stride
            for j in 0..<logits.columns { row[j] = -logQ[j] }
        }
        backend.multiply(hidden, transposed: false, sampled, transposed: true, into: logits, accumulate: true)
        for (r, n) in rows.enumerated() {
            let row = logits.base + r * logits.stride
            let target = Int(targets.base[n])
            targetLogit[r] =
                dot(hidden.base + r * hidden.stride, table.base + target * table.stride, table.columns)
                - targetLogQ.base[n]
            bias?.forEach(ofRow: n) { column, kind in
                if column == target { targetLogit[r] += bias!.value(kind) }
                if let j = finder.position(of: column) { row[j] += bias!.value(kind) }
            }
            // Its exponential is 0, but the logit is finite: a row without other negatives has no NaN.
            if let j = finder.position(of: target) { row[j] = -Float.greatestFiniteMagnitude / 2 }
        }
    }

    /// Adds the target to a row's softmax; returns the row's loss.
    private func finishRow(_ r: Int) -> Double {
        let highest = max(targetLogit[r], largest[r])
        let others = exp(largest[r] - highest)
        let total = sum[r] * others + exp(targetLogit[r] - highest)
        factor[r] = scale * others / total
        return Double(log(total) + highest - targetLogit[r])
    }

    private func addGradients(_ rows: Range<Int>, _ exponentials: Tensor, _ gradients: LossGradients) {
        let (hidden, hiddenGradient) = (hidden.rows(rows), gradients.hidden.rows(rows))
        backend.multiply(
            exponentials, transposed: false, sampled, transposed: false, into: hiddenGradient, accumulate: false)
        for (r, n) in rows.enumerated() {
            let slope = -factor[r] * sum[r]  // the slopes of a row add up to zero
            let target = Int(targets.base[n])
            let (x, own) = (hidden.base + r * hidden.stride, hiddenGradient.base + r * hiddenGradient.stride)
            let targetRow = table.base + target * table.stride
            let targetGradient = gradients.table.base + target * gradients.table.stride
            let scaledRow = scaled.base + r * scaled.stride
            for c in 0..<hidden.columns {
                own[c] = factor[r] * own[c] + slope * targetRow[c]
                targetGradient[c] += slope * x[c]
                scaledRow[c] = factor[r] * x[c]
            }
            guard let bias, let values = gradients.biasValues?.base else { continue }
            let row = exponentials.base + r * exponentials.stride
            bias.forEach(ofRow: n) { column, kind in
                if column == target {
                    values[kind] += bias.scale * slope
                } else if let j = finder.position(of: column) {
                    values[kind] += bias.scale * factor[r] * row[j]
                }
            }
        }
        backend.multiply(
            exponentials, transposed: true, scaled.prefix(rows.count), transposed: false, into: sampledGradient,
            accumulate: true)
    }
}

/// Finds the position of a table row in a short list of distinct rows: a hash table with linear probing.
private struct RowFinder {
    private let rows: UnsafeMutablePointer<Int32>
    /// Position + 1, or 0 for an empty slot. At least half of the slots are empty.
    private var slots: [Int32]

    init(_ rows: Indices) {
        self.rows = rows.base
        var size = 16
        while size < 2 * rows.count { size *= 2 }
        slots = [Int32](repeating: 0, count: size)
        for position in 0..<rows.count {
            var slot = firstSlot(Int(self.rows[position]))
            while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
            slots[slot] = Int32(position) + 1
        }
    }

    /// O(1) on average.
    func position(of row: Int) -> Int? {
        var slot = firstSlot(row)
        while slots[slot] != 0 {
            let position = Int(slots[slot]) - 1
            if Int(rows[position]) == row { return position }
            slot = (slot + 1) & (slots.count - 1)
        }
        return nil
    }

    /// Multiplicative hashing (Knuth).
    private func firstSlot(_ row: Int) -> Int { (row &* 0x9E37_79B1) >> 12 & (slots.count - 1) }
}
