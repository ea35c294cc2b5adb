import CCUDA
package import Tensors

extension CUDABackend {
    package func addSampledCrossEntropy(
        _ hidden: Tensor, table: Tensor, targets: Indices, targetLogQ: Tensor, negatives: Indices, logQ: Tensor,
        rowsPerSample: Int, bias: SparseBias?, scale: Float, gradients: LossGradients?, to sum: LossSum
    ) {
        precondition(targets.count == hidden.rows && hidden.columns == table.columns, "shapes do not match")
        precondition(logQ.count == negatives.count && targetLogQ.count == targets.count, "one correction each")
        guard hidden.rows > 0 else { return }
        queue.hold()
        defer { queue.release() }
        let samples = Samples(negatives, of: table, rows: hidden.rows, perSample: rowsPerSample, self)
        let tileRows = Geometry.sampledRows(rows: hidden.rows, columns: samples.size, perSample: rowsPerSample)
        let stride = Geometry.scoreStride(columns: samples.size)
        let tile = Scratch(4 * tileRows * stride, on: queue)
        let losses = Scratch(4 * hidden.rows, on: queue)
        let slopes = Scratch(4 * hidden.rows, on: queue)
        let biasSums = BiasSums(bias, gradients)
        let biasMemory = Scratch(4 * hidden.rows * biasSums.kinds, on: queue)
        var argument = cu_sampled_softmax(
            logits: cu_matrix(), hidden: hidden.argument, table: table.argument, samples: samples.argument,
            targets: targets.pointer, log_q: logQ.pointer, target_log_q: targetLogQ.pointer, scale: stage(scale),
            losses: losses.pointer(), bias_parts: biasSums.parts(biasMemory), target_slopes: slopes.pointer(),
            bias: self.argument(bias), first_row: 0, with_gradients: gradients == nil ? 0 : 1)
        for first in Swift.stride(from: 0, to: hidden.rows, by: tileRows) {
            let rows = first..<min(first + tileRows, hidden.rows)
            let logits = tile.tensor(rows: rows.count, columns: samples.size, stride: stride)
            multiply(hidden, samples, into: logits, rows)
            (argument.logits, argument.first_row) = (logits.argument, Int32(first))
            launch(.sampledSoftmaxRows, Grid(x: rows.count, sharedBytes: biasSums.sharedBytes), argument)
            if let gradients { addGradients(of: logits, rows, hidden, samples, gradients.hidden) }
        }
        if let gradients {
            let argument = cu_sampled_gradients(
                samples: samples.argument, gradient: samples.gradient.argument, table: gradients.table.argument)
            launch(.addSampledGradients, .warps(negatives.count), argument)
            addTargetGradients(hidden, table, targets, slopes, gradients)
        }
        finish(losses, hidden.rows, biasSums.parts(biasMemory), gradients, sum)
    }

    /// Logits of these rows: each piece of them times the table rows of its sample.
    private func multiply(_ hidden: Tensor, _ samples: borrowing Samples, into logits: Tensor, _ rows: Range<Int>) {
        for part in samples.parts(of: rows) {
            product(
                hidden.rows(part.rows), false, samples.table.rows(part.tableRows), true,
                into: logits.rows(part.place), accumulate: false, batches: part.count, precision)
        }
    }

    /// From the gradient of the logits of these rows to those of both factors.
    private func addGradients(
        of logits: Tensor, _ rows: Range<Int>, _ hidden: Tensor, _ samples: borrowing Samples, _ hiddenGradient: Tensor
    ) {
        for part in samples.parts(of: rows) {
            let own = logits.rows(part.place)
            product(
                own, false, samples.table.rows(part.tableRows), false, into: hiddenGradient.rows(part.rows),
                accumulate: false, batches: part.count, precision, besideNext: true)
            product(
                own, true, hidden.rows(part.rows), false, into: samples.gradient.rows(part.tableRows),
                accumulate: false, batches: part.count, precision)
        }
    }

    /// Samples of a table's rows for consecutive pieces of a batch: the rows themselves [S · M, D], the memory for their gradients, and a hash
    /// table of each sample, because a table with a place for each row of a large catalogue would have to be cleared in every step.
    private struct Samples: ~Copyable {
        let size: Int
        private let perSample: Int
        private let tableBlock, gradientBlock, places: Scratch
        let table, gradient: Tensor
        let argument: cu_samples

        init(_ negatives: Indices, of whole: Tensor, rows: Int, perSample: Int, _ backend: CUDABackend) {
            let count = (rows + perSample - 1) / perSample
            precondition(negatives.count > 0 && negatives.count % count == 0, "samples of equal size")
            (size, self.perSample) = (negatives.count / count, perSample)
            tableBlock = Scratch(4 * negatives.count * whole.columns, on: backend.queue)
            gradientBlock = Scratch(4 * negatives.count * whole.columns, on: backend.queue)
            table = tableBlock.tensor(rows: negatives.count, columns: whole.columns)
            gradient = gradientBlock.tensor(rows: negatives.count, columns: whole.columns)
            // At least half of the places stay empty.
            let bits = powerOfTwo(atLeast: 2 * size).trailingZeroBitCount
            places = Scratch(8 * count << bits, on: backend.queue)
            argument = cu_samples(
                rows: negatives.pointer, places: places.pointer(), samples: Int32(count), size: Int32(size),
                rows_per_sample: Int32(perSample), shift: Int32(32 - bits))
            backend.gather(negatives, from: whole, into: table)
            backend.launch(.placeSamples, Grid(x: count), argument)
        }

        /// What is computed in one call: pieces of a batch's rows of equal length, their place among the rows of a tile, and the rows of their
        /// samples.
        struct Part {
            let count: Int
            let rows, place, tableRows: Range<Int>
        }

        /// All whole pieces, and what is left. The rows begin with a piece.
        func parts(of rows: Range<Int>) -> [Part] {
            let (whole, rest) = rows.count.quotientAndRemainder(dividingBy: perSample)
            func part(_ count: Int, from start: Int, _ rowCount: Int) -> Part {
                let (first, sample) = (rows.lowerBound + start, (rows.lowerBound + start) / perSample)
                return Part(
                    count: count, rows: first..<first + rowCount, place: start..<start + rowCount,
                    tableRows: sample * size..<(sample + count) * size)
            }
            return (whole > 0 ? [part(whole, from: 0, whole * perSample)] : [])
                + (rest > 0 ? [part(1, from: whole * perSample, rest)] : [])
        }
    }
}
