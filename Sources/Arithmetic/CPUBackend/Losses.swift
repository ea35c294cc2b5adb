import CKernels
package import Tensors

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension CPUBackend {
    /// Floats of the tile of logits: 1 MB, about a core's second-level cache.
    static var tileSize: Int { 1 << 18 }
    /// Tables of more rows are processed in column tiles, whose logits are computed twice.
    private static var widestTable: Int { 1 << 14 }
    /// The largest number of rows of a tile. Column tiles always have as many, because each tile of rows reads the whole table
    /// from memory.
    private static var tileRows: Int { 128 }

    package func crossEntropy(
        _ hidden: Tensor, table: Tensor, targets: Indices, bias: SparseBias?, scale: Float, gradients: LossGradients?
    ) -> Double {
        var loss = 0.0
        forEachSoftmaxTile(hidden, table) { range, tile in
            loss += crossEntropyRows(range, hidden, table, targets, bias, scale, gradients, tile)
        }
        return loss
    }

    package func crossEntropies(_ hidden: Tensor, table: Tensor, targets: Indices, bias: SparseBias?) -> [Float] {
        var losses: [Float] = []
        losses.reserveCapacity(hidden.rows)
        forEachSoftmaxTile(hidden, table) { range, tile in
            _ = crossEntropyRows(range, hidden, table, targets, bias, 0, nil, tile)
            losses += range.indices.map { tile.loss($0 - range.lowerBound) }
        }
        return losses
    }

    /// Calls `body` for each tile's rows, with scratch memory for them.
    private func forEachSoftmaxTile(_ hidden: Tensor, _ table: Tensor, _ body: (Range<Int>, SoftmaxTile) -> Void) {
        let width = table.rows <= Self.widestTable ? table.rows : Self.tileSize / Self.tileRows
        let rows = max(16, min(Self.tileRows, Self.tileSize / max(1, width)))
        let tile = SoftmaxTile(rows: min(rows, max(1, hidden.rows)), columns: width, hiddenSize: hidden.columns)
        for start in stride(from: 0, to: hidden.rows, by: rows) { body(start..<min(start + rows, hidden.rows), tile) }
    }

    /// The rows of one tile: logits, their softmax, the loss, and the gradients of both factors.
    ///
    /// The tile holds e = exp(logit − max), not divided by its sum Σ: with δ the target's indicator the gradient of the
    /// logits is (e − Σδ) · scale/Σ, and the row's factor goes to the D-wide side of each product instead.
    private func crossEntropyRows(
        _ range: Range<Int>, _ hidden: Tensor, _ table: Tensor, _ targets: Indices, _ bias: SparseBias?,
        _ scale: Float, _ gradients: LossGradients?, _ tile: SoftmaxTile
    ) -> Double {
        let rows = hidden.rows(range)
        let target = targets.base + range.lowerBound
        let columnTiles = stride(from: 0, to: table.rows, by: tile.columns).map {
            $0..<min($0 + tile.columns, table.rows)
        }
        tile.begin(rows.rows)
        for columns in columnTiles {
            let logits = logits(rows, table, columns, bias, firstRow: range.lowerBound, tile)
            addToSums(logits, columns, target, tile)
        }
        var loss = 0.0
        for r in 0..<rows.rows { loss += Double(tile.loss(r)) }
        guard let gradients else { return loss }
        addGradients(range, hidden, table, targets, bias, scale, gradients, tile, columnTiles)
        return loss
    }

    /// Gradients of the rows of one tile, whose sums are computed; where there are several column tiles their exponentials are
    /// computed again.
    private func addGradients(
        _ range: Range<Int>, _ hidden: Tensor, _ table: Tensor, _ targets: Indices, _ bias: SparseBias?,
        _ scale: Float, _ gradients: LossGradients, _ tile: SoftmaxTile, _ columnTiles: [Range<Int>]
    ) {
        let rows = hidden.rows(range)
        let target = targets.base + range.lowerBound
        let factors = tile.factors.prefix(rows.rows)
        for r in 0..<rows.rows {
            let factor = scale / tile.sum[r]
            let (from, to) = (rows.base + r * rows.stride, factors.base + r * rows.columns)
            for c in 0..<rows.columns { to[c] = factor * from[c] }
        }
        let hiddenGradient = gradients.hidden.rows(range)
        for (index, columns) in columnTiles.enumerated() {
            var logits = tile.logits(rows.rows, columns.count)
            if columnTiles.count > 1 {
                logits = self.logits(rows, table, columns, bias, firstRow: range.lowerBound, tile)
                kernels.exp_rows(rows.rows, columns.count, logits.base, logits.stride, tile.max)
            }
            for r in 0..<rows.rows where columns.contains(Int(target[r])) {
                logits.base[r * logits.stride + Int(target[r]) - columns.lowerBound] -= tile.sum[r]
            }
            if let bias, let values = gradients.biasValues {
                HostBias(bias).addGradient(
                    of: logits, firstRow: range.lowerBound, columns: columns, rowFactors: tile.sum, scale,
                    to: values.base)
            }
            multiply(
                logits, transposed: false, table.rows(columns), transposed: false, into: hiddenGradient,
                accumulate: index > 0)
            multiply(
                logits, transposed: true, factors, transposed: false, into: gradients.table.rows(columns),
                accumulate: true)
        }
        for r in 0..<rows.rows {
            let factor = scale / tile.sum[r]
            let row = hiddenGradient.base + r * hiddenGradient.stride
            for c in 0..<rows.columns { row[c] *= factor }
        }
    }

    private func logits(
        _ rows: Tensor, _ table: Tensor, _ columns: Range<Int>, _ bias: SparseBias?, firstRow: Int, _ tile: SoftmaxTile
    ) -> Tensor {
        let logits = tile.logits(rows.rows, columns.count)
        multiply(rows, transposed: false, table.rows(columns), transposed: true, into: logits, accumulate: false)
        if let bias { HostBias(bias).add(to: logits, firstRow: firstRow, columns: columns) }
        return logits
    }

    /// Adds one column tile to max and Σ (the online softmax of Milakov & Gimelshein 2018).
    private func addToSums(
        _ logits: Tensor, _ columns: Range<Int>, _ target: UnsafeMutablePointer<Int32>, _ tile: SoftmaxTile
    ) {
        for r in 0..<logits.rows where columns.contains(Int(target[r])) {
            tile.targetLogit[r] = logits.base[r * logits.stride + Int(target[r]) - columns.lowerBound]
        }
        kernels.softmax_rows(logits.rows, columns.count, logits.base, logits.stride, tile.newMax, tile.newSum)
        for r in 0..<logits.rows {
            let highest = max(tile.max[r], tile.newMax[r])
            tile.sum[r] = tile.sum[r] * exp(tile.max[r] - highest) + tile.newSum[r] * exp(tile.newMax[r] - highest)
            tile.max[r] = highest
        }
    }
}

/// A ``SparseBias`` in this process's memory, for inner loops: its methods are inlined, which those of another module are not.
struct HostBias {
    private let starts, columns, kinds: UnsafeMutablePointer<Int32>
    private let values: UnsafeMutablePointer<Float>
    let scale: Float

    init(_ bias: SparseBias) {
        (starts, columns, kinds) = (bias.starts.base, bias.columns.base, bias.kinds.base)
        (values, scale) = (bias.values.base, bias.scale)
    }

    /// Calls `body` with the table row and the kind of each addition to row n.
    func forEach(ofRow n: Int, _ body: (_ column: Int, _ kind: Int) -> Void) {
        for j in Int(starts[n])..<Int(starts[n + 1]) { body(Int(columns[j]), Int(kinds[j])) }
    }

    /// The number that is added for a kind: scale · value.
    func value(_ kind: Int) -> Float { scale * values[kind] }

    /// Adds the bias to a tile of scores: of the rows from `firstRow` on, over the table rows `columns`.
    func add(to scores: Tensor, firstRow: Int, columns: Range<Int>) {
        for r in 0..<scores.rows {
            let row = scores.base + r * scores.stride
            forEach(ofRow: firstRow + r) { column, kind in
                if columns.contains(column) { row[column - columns.lowerBound] += value(kind) }
            }
        }
    }

    /// Adds gradients of the values: those of row r's scores are slopes[r] · gradientScale / rowFactors[r].
    fileprivate func addGradient(
        of slopes: Tensor, firstRow: Int, columns: Range<Int>, rowFactors: UnsafeMutablePointer<Float>,
        _ gradientScale: Float, to gradient: UnsafeMutablePointer<Float>
    ) {
        for r in 0..<slopes.rows {
            let row = slopes.base + r * slopes.stride
            let factor = scale * gradientScale / rowFactors[r]
            forEach(ofRow: firstRow + r) { column, kind in
                guard columns.contains(column) else { return }
                gradient[kind] += factor * row[column - columns.lowerBound]
            }
        }
    }
}

/// Scratch memory of the tiled softmax.
private final class SoftmaxTile {
    let columns: Int
    let max, sum, newMax, newSum, targetLogit: UnsafeMutablePointer<Float>
    let factors: Tensor
    private let storage: Storage<Float>
    private let tileStart: Int

    init(rows: Int, columns: Int, hiddenSize: Int) {
        self.columns = columns
        let padded = (rows + 15) / 16 * 16
        // A megabyte that is written before it is read: zeroing it would cost as much as the exponentials.
        storage = allocateHost(5 * padded + padded * hiddenSize + rows * columns, of: Float.self, zeroed: false)
        let base = storage.base
        (max, sum, newMax) = (base, base + padded, base + 2 * padded)
        (newSum, targetLogit) = (base + 3 * padded, base + 4 * padded)
        factors = storage.tensor(at: 5 * padded, rows: rows, columns: hiddenSize)
        tileStart = 5 * padded + padded * hiddenSize
    }

    func begin(_ rows: Int) {
        max.update(repeating: -.infinity, count: rows)
        sum.update(repeating: 0, count: rows)
        targetLogit.update(repeating: .nan, count: rows)
    }

    /// The cross-entropy of row r, when all columns have been added to its sum.
    func loss(_ r: Int) -> Float { log(sum[r]) + max[r] - targetLogit[r] }

    func logits(_ rows: Int, _ columns: Int) -> Tensor { storage.tensor(at: tileStart, rows: rows, columns: columns) }
}
