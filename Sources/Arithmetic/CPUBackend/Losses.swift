import CKernels
package import Tensors

extension CPUBackend {
    /// Floats of the tile of logits: 1 MB, about a core's second-level cache.
    static var tileSize: Int { 1 << 18 }
    /// Tables of more rows are processed in column tiles, whose logits are computed twice.
    private static var widestTable: Int { 1 << 14 }
    /// The largest number of rows of a tile. Column tiles always have as many, because each tile of rows reads the whole table
    /// from memory.
    private static var tileRows: Int { 128 }

    package func crossEntropy(
        _ hidden: Tensor, table: Tensor, targets: Indices, softTargets: SoftTargets?, bias: SparseBias?, scale: Float,
        gradients: LossGradients?
    ) -> Double {
        var loss = 0.0
        forEachSoftmaxTile(hidden, table, softTargets) { range, tile in
            loss += crossEntropyRows(range, hidden, table, targets, bias, scale, gradients, tile)
        }
        return loss
    }

    package func crossEntropies(_ hidden: Tensor, table: Tensor, targets: Indices, bias: SparseBias?) -> [Float] {
        var losses: [Float] = []
        losses.reserveCapacity(hidden.rows)
        forEachSoftmaxTile(hidden, table, nil) { range, tile in
            _ = crossEntropyRows(range, hidden, table, targets, bias, 0, nil, tile)
            losses += range.indices.map { tile.loss($0 - range.lowerBound) }
        }
        return losses
    }

    /// Calls `body` for each tile's rows, with scratch memory for them.
    private func forEachSoftmaxTile(
        _ hidden: Tensor, _ table: Tensor, _ softTargets: SoftTargets?, _ body: (Range<Int>, SoftmaxTile) -> Void
    ) {
        let width = table.rows <= Self.widestTable ? table.rows : Self.tileSize / Self.tileRows
        let rows = max(16, min(Self.tileRows, Self.tileSize / max(1, width)))
        let tile = SoftmaxTile(
            rows: min(rows, max(1, hidden.rows)), columns: width, hiddenSize: hidden.columns, softTargets: softTargets)
        for start in stride(from: 0, to: hidden.rows, by: rows) { body(start..<min(start + rows, hidden.rows), tile) }
    }

    /// The rows of one tile: logits, their softmax, the loss, and the gradients of both factors.
    ///
    /// The tile holds e = exp(logit − max), not divided by its sum Σ: with q the target distribution, without teachers the target's
    /// indicator, the gradient of the logits is (e − Σq) · scale/Σ, and the row's factor goes to the D-wide side of each product instead.
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
            addTeachers(range, columns, logits, tile)
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
            let share = tile.teachers?.hardShare ?? 1
            for r in 0..<rows.rows where columns.contains(Int(target[r])) {
                logits.base[r * logits.stride + Int(target[r]) - columns.lowerBound] -= share * tile.sum[r]
            }
            subtractTeachers(range, columns, from: logits, tile, again: columnTiles.count > 1)
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

    /// Adds one column tile of each teacher to its sums. `logits` are those of the model that learns.
    private func addTeachers(_ range: Range<Int>, _ columns: Range<Int>, _ logits: Tensor, _ tile: SoftmaxTile) {
        guard let teachers = tile.teachers else { return }
        for (index, (teacher, own)) in zip(teachers.softTargets.teachers, teachers.tiles).enumerated() {
            let scores = self.logits(
                teacher.hidden.rows(range), teacher.table, columns, teacher.bias, firstRow: range.lowerBound, own)
            kernels.softmax_rows(scores.rows, columns.count, scores.base, scores.stride, own.newMax, own.newSum)
            for r in 0..<scores.rows {
                let product = kernels.dot(
                    columns.count, scores.base + r * scores.stride, logits.base + r * logits.stride)
                teachers.addNewest(teacher: index, r, product: product)
            }
        }
    }

    /// Subtracts Σ times the teachers' part of the target distribution from a tile of exponentials. The teachers' tiles hold theirs of the last
    /// column tile, which are computed `again` where there were several.
    private func subtractTeachers(
        _ range: Range<Int>, _ columns: Range<Int>, from exponentials: Tensor, _ tile: SoftmaxTile, again: Bool
    ) {
        guard let teachers = tile.teachers else { return }
        for (index, (teacher, own)) in zip(teachers.softTargets.teachers, teachers.tiles).enumerated() {
            var scores = own.logits(range.count, columns.count)
            if again {
                scores = logits(
                    teacher.hidden.rows(range), teacher.table, columns, teacher.bias, firstRow: range.lowerBound, own)
                kernels.exp_rows(scores.rows, columns.count, scores.base, scores.stride, own.max)
            }
            for r in 0..<scores.rows {
                kernels.add_scaled(
                    columns.count, -tile.sum[r] * teachers.weight(teacher: index, r),
                    scores.base + r * scores.stride, exponentials.base + r * exponentials.stride)
            }
        }
    }

    /// Adds one column tile to max and Σ.
    private func addToSums(
        _ logits: Tensor, _ columns: Range<Int>, _ target: UnsafeMutablePointer<Int32>, _ tile: SoftmaxTile
    ) {
        for r in 0..<logits.rows where columns.contains(Int(target[r])) {
            tile.targetLogit[r] = logits.base[r * logits.stride + Int(target[r]) - columns.lowerBound]
        }
        kernels.softmax_rows(logits.rows, columns.count, logits.base, logits.stride, tile.newMax, tile.newSum)
        for r in 0..<logits.rows { tile.addNewest(r) }
    }
}
