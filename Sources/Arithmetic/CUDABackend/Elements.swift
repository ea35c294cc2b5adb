import CCUDA
package import Tensors

extension CUDABackend {
    package func multiply(
        _ a: Tensor, transposed aTransposed: Bool, _ b: Tensor, transposed bTransposed: Bool, into output: Tensor,
        accumulate: Bool
    ) {
        product(a, aTransposed, b, bTransposed, into: output, accumulate: accumulate, precision)
    }

    package func multiplyBackward(
        _ yGradient: Tensor, x: Tensor, weight: Tensor, xGradient: Tensor, accumulate: Bool, weightGradient: Tensor
    ) {
        product(yGradient, true, x, false, into: weightGradient, accumulate: true, precision, besideNext: true)
        product(yGradient, false, weight, false, into: xGradient, accumulate: accumulate, precision)
    }

    /// A product `besideNext` may be computed at the same time as the next command, which must be another product of matrices apart from its
    /// output, and whose output lies apart from its factors.
    ///
    /// Where there are several `batches`, the rows of a, b and the output are as many pieces: op(aᵢ) · op(bᵢ), each for itself.
    func product(
        _ a: Tensor, _ aTransposed: Bool, _ b: Tensor, _ bTransposed: Bool, into output: Tensor, accumulate: Bool,
        batches: Int = 1, _ precision: Precision, besideNext: Bool = false
    ) {
        let (aRows, bRows) = (a.rows / batches, b.rows / batches)
        let (m, k) = aTransposed ? (a.columns, aRows) : (aRows, a.columns)
        let (inner, n) = bTransposed ? (b.columns, bRows) : (bRows, b.columns)
        precondition(
            k == inner && output.rows == batches * m && output.columns == n, "shapes of a product do not match")
        guard m > 0, n > 0 else { return }
        guard k > 0 else { return accumulate ? () : fill(output, with: 0) }
        let shape = ProductShape(a, aTransposed, b, bTransposed, output, batches: batches, precision)
        queue.with { $0.product(shape, a, b, output, accumulates: accumulate, besideNext: besideNext) }
    }

    package func fill(_ tensor: Tensor, with value: Float) {
        guard tensor.count > 0 else { return }
        if value == 0, tensor.isContiguous {
            return queue.with { $0.set(tensor.address, bytes: 4 * tensor.count) }
        }
        let argument = cu_elements(source: cu_matrix(), target: tensor.argument, value: value, unused: 0)
        launch(.fillElements, .elements(tensor.count), argument)
    }

    package func clearNegatives(of tensor: Tensor) {
        guard tensor.count > 0 else { return }
        let argument = cu_elements(source: cu_matrix(), target: tensor.argument, value: 0, unused: 0)
        launch(.clearNegatives, .elements(tensor.count), argument)
    }

    package func copy(_ source: Tensor, to target: Tensor) {
        guard source.isContiguous, target.isContiguous, source.count > 0 else {
            return combine(.copyElements, source, target)
        }
        precondition(source.rows == target.rows && source.columns == target.columns, "shapes differ")
        queue.with { $0.copy(from: source.address, to: target.address, bytes: 4 * source.count) }
    }

    package func add(_ source: Tensor, to target: Tensor) { combine(.addElements, source, target) }

    private func combine(_ kernel: Kernel, _ source: Tensor, _ target: Tensor) {
        precondition(source.rows == target.rows && source.columns == target.columns, "shapes differ")
        guard target.count > 0 else { return }
        let argument = cu_elements(source: source.argument, target: target.argument, value: 0, unused: 0)
        launch(kernel, .elements(target.count), argument)
    }

    package func squaredNorm(_ tensor: Tensor) -> Double {
        let sum = allocateSum()
        sumSquares(of: tensor, into: sum)
        return read(sum)
    }

    private func sumSquares(of tensor: Tensor, into sum: LossSum) {
        let grid = Grid.elements(tensor.count)
        let parts = Scratch(8 * grid.x, on: queue)
        launch(.sumSquares, grid, cu_squares(source: tensor.argument, parts: parts.pointer()))
        let argument = cu_sum(
            floats: nil, doubles: parts.pointer(), sum: sum.pointer, count: Int32(grid.x), accumulate: 0)
        launch(.sumNumbers, Grid(x: 1), argument)
    }

    package func gather(_ rows: Indices, from table: Tensor, into output: Tensor) {
        precondition(rows.count == output.rows && table.columns == output.columns, "shapes of a gather do not match")
        guard rows.count > 0 else { return }
        let argument = cu_gather(rows: rows.pointer, table: table.argument, output: output.argument)
        launch(.gatherRows, .warps(rows.count), argument)
    }

    /// Rows of one launch, which compares all pairs of them: its work grows with the square.
    private static var scatterRows: Int { 4096 }

    package func scatterAdd(_ gradient: Tensor, to rows: Indices, of table: Tensor) {
        precondition(rows.count == gradient.rows && table.columns == gradient.columns, "shapes do not match")
        for first in stride(from: 0, to: rows.count, by: Self.scatterRows) {
            let count = min(Self.scatterRows, rows.count - first)
            let argument = cu_scatter(
                rows: rows.pointer, gradient: gradient.argument, table: table.argument, first: Int32(first),
                count: Int32(count))
            launch(.scatterRows, .warps(count), argument)
        }
    }

    package func listOccurrences(
        in histories: Indices, historyStarts: Indices, starts: Indices, classes: OccurrenceClasses,
        into bias: SparseBias
    ) {
        let (events, places) = (bias.starts.count - 1, histories.count)
        guard events > 0 else { return }
        let memory = Scratch(16 * places, on: queue)
        let next: UnsafeMutablePointer<Int32> = memory.pointer()
        // 0x7F7F7F7F is greater than any position: there is no next occurrence.
        queue.with { [address = memory.address] in $0.set(address, to: 0x7F, bytes: 4 * places) }
        let argument = cu_occurrences(
            histories: histories.pointer, history_starts: historyStarts.pointer, starts: starts.pointer,
            bias_starts: bias.starts.pointer, earlier: next + places, next: next, columns: bias.columns.pointer,
            kinds: bias.kinds.pointer, places: Int32(places), sequences: Int32(starts.count - 1),
            window: Int32(classes.window), recencies: Int32(classes.recencies), counts: Int32(classes.counts), unused: 0
        )
        launch(.findOccurrences, .warps(places), argument)
        launch(.listOccurrences, Grid(x: events, threads: 128), argument)
    }

    package func adam(_ weights: Tensor, gradient: Tensor, firstMoment: Tensor, secondMoment: Tensor, step: AdamStep) {
        update(weights, gradient, firstMoment, secondMoment, step, nil, [0..<weights.count], clears: false)
    }

    package func adam(
        _ weights: Tensor, gradient: Tensor, firstMoment: Tensor, secondMoment: Tensor, step: AdamStep,
        largestNorm: Float?, clearing ranges: [Range<Int>], rows: MarkedRows?
    ) {
        update(weights, gradient, firstMoment, secondMoment, step, largestNorm, ranges, rows, clears: true)
    }

    private func update(
        _ weights: Tensor, _ gradient: Tensor, _ firstMoment: Tensor, _ secondMoment: Tensor, _ step: AdamStep,
        _ largestNorm: Float?, _ ranges: [Range<Int>], _ rows: MarkedRows? = nil, clears: Bool
    ) {
        // A thread's next element is half a million further on; its index must not overflow an Int32.
        precondition(weights.count < (1 << 31) - (1 << 20), "a GPU updates at most 2³¹ − 2²⁰ weights")
        queue.hold()
        defer { queue.release() }
        // The number of ranges is rounded up to a power of two with empty ranges, so that similar steps share one graph.
        let capacity = powerOfTwo(atLeast: ranges.count)
        var (first, positions) = ([Int32](repeating: 0, count: capacity), [Int32(0)])
        for (index, range) in ranges.enumerated() {
            first[index] = Int32(range.lowerBound)
            positions.append(positions[index] + Int32(range.count))
        }
        positions += [Int32](repeating: positions.last!, count: capacity - ranges.count)
        let numbers = (first + positions).withUnsafeBytes { bytes in queue.with { [bytes] in $0.stage(bytes) } }
        let base = UnsafePointer<Int32>(bitPattern: UInt(numbers))!
        let squares = largestNorm.map { _ in allocateSum() }
        if let squares { sumSquares(of: gradient, into: squares) }
        let argument = cu_adam(
            weights: weights.pointer, gradient: gradient.pointer, first_moment: firstMoment.pointer,
            second_moment: secondMoment.pointer, step: stage(step.argument), squares: squares?.pointer, first: base,
            positions: base + capacity, ranges: Int32(capacity), clears: clears ? 1 : 0, largest_norm: largestNorm ?? 0,
            decayed: Int32(min(weights.count, step.decayedCount)))
        launch(.adam, .elements(ranges.count == 1 ? ranges[0].count : weights.count), argument)
        if let rows, rows.marks.count > 0 {
            let argument = cu_adam_rows(
                adam: argument, marks: rows.marks.pointer, first: Int32(rows.first), width: Int32(rows.width),
                rows: Int32(rows.marks.count), unused: 0)
            launch(.adamRows, .threads(rows.marks.count), argument)
        }
        withExtendedLifetime(squares) {}
    }
}

extension AdamStep {
    /// This step as the argument of the kernel.
    fileprivate var argument: cu_adam_step {
        cu_adam_step(
            learning_rate: learningRate, beta1: beta1, beta2: beta2, epsilon: epsilon, correction1: correction1,
            correction2: correction2, gradient_scale: gradientScale, decay_factor: decayFactor)
    }
}
