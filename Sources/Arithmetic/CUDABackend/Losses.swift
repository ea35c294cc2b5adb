import CCUDA
package import Tensors

extension CUDABackend {
    package func addCrossEntropy(
        _ hidden: Tensor, table: Tensor, targets: Indices, softTargets: SoftTargets?, bias: SparseBias?, scale: Float,
        gradients: LossGradients?, to sum: LossSum
    ) {
        precondition(targets.count == hidden.rows && hidden.columns == table.columns, "shapes do not match")
        precondition(softTargets == nil, "there are no teachers on a GPU")
        queue.hold()
        defer { queue.release() }
        let tileRows = Geometry.softmaxRows(rows: hidden.rows, columns: table.rows)
        let stride = Geometry.scoreStride(columns: table.rows)
        let tile = Scratch(4 * tileRows * stride, on: queue)
        let losses = Scratch(4 * hidden.rows, on: queue)
        let biasSums = BiasSums(bias, gradients)
        let biasMemory = Scratch(4 * hidden.rows * biasSums.kinds, on: queue)
        let biasParts = biasSums.parts(biasMemory)
        let scale = stage(scale)
        for first in Swift.stride(from: 0, to: hidden.rows, by: tileRows) {
            let rows = first..<min(first + tileRows, hidden.rows)
            let logits = tile.tensor(rows: rows.count, columns: table.rows, stride: stride)
            multiply(
                hidden.rows(rows), transposed: false, table, transposed: true, into: logits, accumulate: false)
            let argument = cu_softmax(
                logits: logits.argument, targets: targets.pointer, scale: scale, losses: losses.pointer(),
                bias_parts: biasParts, bias: self.argument(bias), first_row: Int32(first),
                with_gradients: gradients == nil ? 0 : 1)
            let threads = Geometry.softmaxThreads(columns: table.rows)
            launch(.softmaxRows, Grid(x: rows.count, threads: threads, sharedBytes: biasSums.sharedBytes), argument)
            guard let gradients else { continue }
            multiplyBackward(
                logits, x: hidden.rows(rows), weight: table, xGradient: gradients.hidden.rows(rows), accumulate: false,
                weightGradient: gradients.table)
        }
        finish(losses, hidden.rows, biasParts, gradients, sum)
    }

    package func addPairwiseLoss(
        _ hidden: Tensor, table: Tensor, targets: Indices, negatives: Indices, scale: Float, gradients: LossGradients?,
        to sum: LossSum
    ) {
        precondition(targets.count == hidden.rows && negatives.count == hidden.rows, "one pair a row")
        queue.hold()
        defer { queue.release() }
        let (rows, width) = (hidden.rows, hidden.columns)
        let losses = Scratch(4 * rows, on: queue)
        let block = Scratch(8 * rows * width, on: queue)
        let numbers = Scratch(8 * rows, on: queue)
        // Target and negative of a pair are neighbours: where they are the same row their gradients cancel exactly.
        let rowGradients = block.tensor(rows: 2 * rows, columns: width)
        let tableRows = numbers.indices(2 * rows)
        let argument = cu_pairwise(
            hidden: hidden.argument, table: table.argument, hidden_gradient: (gradients?.hidden).argument,
            row_gradients: rowGradients.argument, targets: targets.pointer, negatives: negatives.pointer,
            scale: stage(scale), losses: losses.pointer(), rows: tableRows.pointer)
        if rows > 0 { launch(.pairwiseRows, .warps(rows), argument) }
        if let gradients { scatterAdd(rowGradients, to: tableRows, of: gradients.table) }
        finish(losses, rows, nil, gradients, sum)
    }

    /// The gradients through each row's target, whose logit has this slope.
    func addTargetGradients(
        _ hidden: Tensor, _ table: Tensor, _ targets: Indices, _ slopes: borrowing Scratch, _ gradients: LossGradients
    ) {
        let block = Scratch(4 * hidden.rows * hidden.columns, on: queue)
        let rowGradients = block.tensor(rows: hidden.rows, columns: hidden.columns)
        let argument = cu_target_gradients(
            hidden: hidden.argument, table: table.argument, hidden_gradient: gradients.hidden.argument,
            row_gradients: rowGradients.argument, rows: targets.pointer, slopes: slopes.pointer())
        launch(.addTargetGradients, .warps(hidden.rows), argument)
        scatterAdd(rowGradients, to: targets, of: gradients.table)
    }

    /// Sums the losses of the rows and the parts of the bias's gradient.
    func finish(
        _ losses: borrowing Scratch, _ rows: Int, _ biasParts: UnsafeMutablePointer<Float>?,
        _ gradients: LossGradients?, _ sum: LossSum
    ) {
        let argument = cu_sum(
            floats: losses.pointer(), doubles: nil, sum: sum.pointer, count: Int32(rows), accumulate: 1)
        launch(.sumNumbers, Grid(x: 1), argument)
        if let biasParts, let values = gradients?.biasValues {
            addColumnSums(biasParts, count: rows, columns: values.count, to: [(0, values)])
        }
    }
}

/// How a loss sums the gradient of a sparse bias's values: each row writes a part [kinds].
struct BiasSums {
    /// Number of values whose gradient is computed.
    let kinds: Int

    init(_ bias: SparseBias?, _ gradients: LossGradients?) {
        kinds = gradients?.biasValues == nil ? 0 : bias?.values.count ?? 0
        precondition(sharedBytes <= Self.maximumSharedBytes, "a bias has at most 383 kinds here")
    }

    /// Shared memory of a block, 48 KB, less what the kernels use themselves.
    static let maximumSharedBytes = (48 << 10) - 128
    /// Bytes of shared memory that a block of the softmax needs.
    var sharedBytes: Int { 4 * 32 * kinds }

    /// The parts of all rows, in memory of `4 * rows * kinds` bytes.
    func parts(_ memory: borrowing Scratch) -> UnsafeMutablePointer<Float>? {
        guard kinds > 0 else { return nil }
        return memory.pointer(Float.self)
    }
}
