/// A backend whose memory is this process's and whose calls return when they are done.
package protocol HostBackend: Backend {
    /// The sum that ``Backend/addCrossEntropy(_:table:targets:softTargets:bias:scale:gradients:to:)`` adds.
    func crossEntropy(
        _ hidden: Tensor, table: Tensor, targets: Indices, softTargets: SoftTargets?, bias: SparseBias?, scale: Float,
        gradients: LossGradients?
    ) -> Double
    /// What
    /// ``Backend/addSampledCrossEntropy(_:table:targets:targetLogQ:negatives:logQ:rowsPerSample:bias:scale:gradients:to:)`` adds
    /// for the rows of one sample.
    func sampledCrossEntropy(
        _ hidden: Tensor, table: Tensor, targets: Indices, targetLogQ: Tensor, negatives: Indices, logQ: Tensor,
        bias: SparseBias?, scale: Float, gradients: LossGradients?
    ) -> Double
    /// The sum that ``Backend/addPairwiseLoss(_:table:targets:negatives:scale:gradients:to:)`` adds.
    func pairwiseLoss(
        _ hidden: Tensor, table: Tensor, targets: Indices, negatives: Indices, scale: Float, gradients: LossGradients?
    ) -> Double
}

extension HostBackend {
    package var isQueued: Bool { false }
    package var failure: String? { nil }
    package var supportsAttention: Bool { true }
    package func sampling(cumulative: [Double], logQ: [Float], size: Int) -> (any RowSampling)? { nil }
    package func recordAsGraph(_ body: () -> Void) { body() }

    package func allocate(_ count: Int) -> Storage<Float> { allocateHost(count, of: Float.self) }
    package func allocateIndices(_ count: Int) -> Storage<Int32> { allocateHost(count, of: Int32.self) }
    package func allocateSum() -> LossSum { allocateHost(1, of: Double.self) }

    package func write(_ value: Double, to sum: LossSum) { sum.base.pointee = value }
    package func read(_ sum: LossSum) -> Double { sum.base.pointee }
    package func download(_ indices: Indices) -> [Int32] {
        Array(UnsafeBufferPointer(start: indices.base, count: indices.count))
    }

    package func addCrossEntropy(
        _ hidden: Tensor, table: Tensor, targets: Indices, softTargets: SoftTargets?, bias: SparseBias?, scale: Float,
        gradients: LossGradients?, to sum: LossSum
    ) {
        sum.base.pointee += crossEntropy(
            hidden, table: table, targets: targets, softTargets: softTargets, bias: bias, scale: scale,
            gradients: gradients)
    }

    package func addSampledCrossEntropy(
        _ hidden: Tensor, table: Tensor, targets: Indices, targetLogQ: Tensor, negatives: Indices, logQ: Tensor,
        rowsPerSample: Int, bias: SparseBias?, scale: Float, gradients: LossGradients?, to sum: LossSum
    ) {
        let samples = (hidden.rows + rowsPerSample - 1) / rowsPerSample
        for sample in 0..<samples {
            let rows = sample * rowsPerSample..<min((sample + 1) * rowsPerSample, hidden.rows)
            let size = negatives.count / samples
            let drawn = sample * size..<(sample + 1) * size
            sum.base.pointee += sampledCrossEntropy(
                hidden.rows(rows), table: table, targets: targets.range(rows), targetLogQ: targetLogQ.columns(rows),
                negatives: negatives.range(drawn), logQ: logQ.columns(drawn), bias: bias?.rows(rows), scale: scale,
                gradients: gradients?.rows(rows))
        }
    }

    package func addPairwiseLoss(
        _ hidden: Tensor, table: Tensor, targets: Indices, negatives: Indices, scale: Float, gradients: LossGradients?,
        to sum: LossSum
    ) {
        sum.base.pointee += pairwiseLoss(
            hidden, table: table, targets: targets, negatives: negatives, scale: scale, gradients: gradients)
    }

    /// The plain algorithm, O(N · window). Models on a CPU list occurrences incrementally instead; tests compare both.
    package func listOccurrences(
        in histories: Indices, historyStarts: Indices, starts: Indices, classes: OccurrenceClasses,
        into bias: SparseBias
    ) {
        for s in 0..<starts.count - 1 {
            let first = Int(historyStarts.base[s])
            let shift = Int(historyStarts.base[s + 1] - starts.base[s + 1])
            for n in Int(starts.base[s])..<Int(starts.base[s + 1]) where bias.starts.base[n] < bias.starts.base[n + 1] {
                var occurrences: [Int32: (last: Int, count: Int)] = [:]
                for position in max(first, n + shift + 1 - classes.window)...n + shift {
                    occurrences[histories.base[position], default: (0, 0)].last = position
                    occurrences[histories.base[position]]!.count += 1
                }
                var slot = Int(bias.starts.base[n])
                for (item, found) in occurrences.sorted(by: { $0.value.last < $1.value.last }) {
                    bias.columns.base[slot] = item
                    bias.kinds.base[slot] = classes.number(recency: n + shift + 1 - found.last, count: found.count)
                    slot += 1
                }
                for rest in slot..<Int(bias.starts.base[n + 1]) {
                    (bias.columns.base[rest], bias.kinds.base[rest]) = (-1, 0)
                }
            }
        }
    }

    package func adam(
        _ weights: Tensor, gradient: Tensor, firstMoment: Tensor, secondMoment: Tensor, step: AdamStep,
        largestNorm: Float?, clearing ranges: [Range<Int>], rows: MarkedRows?
    ) {
        precondition(rows == nil, "rows are marked on devices only")
        var step = step
        if let largestNorm {
            let squares = ranges.reduce(0) { $0 + squaredNorm(gradient.columns($1)) }
            step = step.clipped(to: largestNorm, squaredNorm: squares)
        }
        for range in ranges {
            adam(
                weights.columns(range), gradient: gradient.columns(range), firstMoment: firstMoment.columns(range),
                secondMoment: secondMoment.columns(range), step: step.from(range.lowerBound))
            fill(gradient.columns(range), with: 0)
        }
    }
}
