// Overloads that leave out arguments that are rarely needed.

extension Backend {
    /// A matrix of zeros in the backend's memory.
    package func tensor(_ rows: Int, _ columns: Int) -> Tensor {
        allocate(rows * columns).tensor(rows: rows, columns: columns)
    }

    /// A vector in the backend's memory with these values.
    package func indices(_ values: [Int32]) -> Indices {
        let indices = allocateIndices(values.count).indices
        if !values.isEmpty { upload(values, to: indices) }
        return indices
    }
}

extension Backend {
    /// ``convolveBackward(_:input:parameters:starts:window:finalWindowGradient:inputGradient:parameterGradients:windowGradient:)``
    /// of whole sequences: without windows before and after them.
    package func convolveBackward(
        _ outputGradient: Tensor, input: Tensor, parameters: ConvolutionParameters, starts: Indices,
        inputGradient: Tensor, parameterGradients: ConvolutionParameters
    ) {
        convolveBackward(
            outputGradient, input: input, parameters: parameters, starts: starts, window: nil,
            finalWindowGradient: nil, inputGradient: inputGradient, parameterGradients: parameterGradients,
            windowGradient: nil)
    }

    /// The sum of ``addCrossEntropy(_:table:targets:softTargets:bias:scale:gradients:to:)`` as a number.
    package func crossEntropy(
        _ hidden: Tensor, table: Tensor, targets: Indices, softTargets: SoftTargets? = nil, bias: SparseBias? = nil,
        scale: Float, gradients: LossGradients?
    ) -> Double {
        sum {
            addCrossEntropy(
                hidden, table: table, targets: targets, softTargets: softTargets, bias: bias, scale: scale,
                gradients: gradients, to: $0)
        }
    }

    /// The sum of
    /// ``addSampledCrossEntropy(_:table:targets:targetLogQ:negatives:logQ:rowsPerSample:bias:scale:gradients:to:)`` as a number.
    package func sampledCrossEntropy(
        _ hidden: Tensor, table: Tensor, targets: Indices, targetLogQ: Tensor, negatives: Indices, logQ: Tensor,
        rowsPerSample: Int, bias: SparseBias?, scale: Float, gradients: LossGradients?
    ) -> Double {
        sum {
            addSampledCrossEntropy(
                hidden, table: table, targets: targets, targetLogQ: targetLogQ, negatives: negatives, logQ: logQ,
                rowsPerSample: rowsPerSample, bias: bias, scale: scale, gradients: gradients, to: $0)
        }
    }

    /// The same with one sample for all rows.
    package func sampledCrossEntropy(
        _ hidden: Tensor, table: Tensor, targets: Indices, targetLogQ: Tensor, negatives: Indices, logQ: Tensor,
        bias: SparseBias?, scale: Float, gradients: LossGradients?
    ) -> Double {
        sampledCrossEntropy(
            hidden, table: table, targets: targets, targetLogQ: targetLogQ, negatives: negatives, logQ: logQ,
            rowsPerSample: max(1, hidden.rows), bias: bias, scale: scale, gradients: gradients)
    }

    /// The sum of ``addPairwiseLoss(_:table:targets:negatives:scale:gradients:to:)`` as a number.
    package func pairwiseLoss(
        _ hidden: Tensor, table: Tensor, targets: Indices, negatives: Indices, scale: Float, gradients: LossGradients?
    ) -> Double {
        sum {
            addPairwiseLoss(
                hidden, table: table, targets: targets, negatives: negatives, scale: scale, gradients: gradients,
                to: $0)
        }
    }

    private func sum(_ body: (LossSum) -> Void) -> Double {
        let sum = allocateSum()
        body(sum)
        return read(sum)
    }

    /// ``adam(_:gradient:firstMoment:secondMoment:step:largestNorm:clearing:rows:)`` without marked rows.
    package func adam(
        _ weights: Tensor, gradient: Tensor, firstMoment: Tensor, secondMoment: Tensor, step: AdamStep,
        largestNorm: Float?, clearing ranges: [Range<Int>]
    ) {
        adam(
            weights, gradient: gradient, firstMoment: firstMoment, secondMoment: secondMoment, step: step,
            largestNorm: largestNorm, clearing: ranges, rows: nil)
    }

    /// ``rank(_:table:targets:bias:seen:)`` without a bias.
    package func rank(_ hidden: Tensor, table: Tensor, targets: Indices, seen: [[Int32]]) -> [RankCounts]? {
        rank(hidden, table: table, targets: targets, bias: nil, seen: seen)
    }

    /// ``topK(_:table:bias:k:candidates:)`` without a bias.
    package func topK(_ hidden: Tensor, table: Tensor, k: Int, candidates: [Candidates]) -> [[ScoredRow]] {
        topK(hidden, table: table, bias: nil, k: k, candidates: candidates)
    }
}

extension Backend {
    /// The table as it is.
    package func ranked(_ table: Tensor) -> any RankedTable { PlainRankedTable(self, table) }
    /// The backend itself: there is nothing to prepare.
    package func prepared(for matrices: [Tensor]) -> any Backend { self }
    /// One row after the other.
    package func crossEntropies(_ hidden: Tensor, table: Tensor, targets: Indices, bias: SparseBias?) -> [Float] {
        (0..<hidden.rows).map { n in
            let row = n..<n + 1
            return Float(
                crossEntropy(
                    hidden.rows(row), table: table, targets: targets.range(row), bias: bias?.rows(row), scale: 0,
                    gradients: nil))
        }
    }
    /// Two products.
    package func multiplyBackward(
        _ yGradient: Tensor, x: Tensor, weight: Tensor, xGradient: Tensor, accumulate: Bool, weightGradient: Tensor
    ) {
        multiply(yGradient, transposed: true, x, transposed: false, into: weightGradient, accumulate: true)
        multiply(yGradient, transposed: false, weight, transposed: false, into: xGradient, accumulate: accumulate)
    }
    /// A vector of its own, ``indices(_:)``.
    package func staged(_ values: [Int32]) -> Indices { indices(values) }
    /// A vector of its own.
    package func staged(_ values: [Float]) -> Tensor {
        let tensor = self.tensor(1, values.count)
        if !values.isEmpty { upload(values, to: tensor) }
        return tensor
    }
    /// 0: threads use no address space beyond what is allocated.
    package var addressesPerThread: Int { 0 }
}
