import Synchronization
package import Tensors

/// A backend that counts the calls of its operations.
package final class CountingBackend<Inner: HostBackend>: HostBackend {
    private let inner: Inner
    private let counts = Mutex<[String: Int]>([:])

    /// Calls of each operation; a product and its shape are one.
    package var calls: [String: Int] { counts.withLock { $0 } }
    package var name: String { inner.name }

    package init(_ inner: Inner) { self.inner = inner }

    private func count(_ operation: Operation, _ shape: String = "") {
        counts.withLock { $0[operation.rawValue + shape, default: 0] += 1 }
    }

    package func upload(_ values: [Float], to tensor: Tensor) { inner.upload(values, to: tensor) }
    package func upload(_ values: [Int32], to indices: Indices) { inner.upload(values, to: indices) }
    package func download(_ tensor: Tensor) -> [Float] { inner.download(tensor) }

    package func multiply(
        _ a: Tensor, transposed aTransposed: Bool, _ b: Tensor, transposed bTransposed: Bool, into output: Tensor,
        accumulate: Bool
    ) {
        count(.multiply, " \(output.rows) × \(aTransposed ? a.rows : a.columns) × \(output.columns), \(accumulate)")
        inner.multiply(
            a, transposed: aTransposed, b, transposed: bTransposed, into: output, accumulate: accumulate)
    }

    package func fill(_ tensor: Tensor, with value: Float) {
        count(.fill)
        inner.fill(tensor, with: value)
    }

    package func clearNegatives(of tensor: Tensor) {
        count(.clearNegatives)
        inner.clearNegatives(of: tensor)
    }

    package func copy(_ source: Tensor, to target: Tensor) {
        count(.copy)
        inner.copy(source, to: target)
    }

    package func add(_ source: Tensor, to target: Tensor) {
        count(.add)
        inner.add(source, to: target)
    }

    package func squaredNorm(_ tensor: Tensor) -> Double {
        count(.squaredNorm)
        return inner.squaredNorm(tensor)
    }

    package func gather(_ rows: Indices, from table: Tensor, into output: Tensor) {
        count(.gather)
        inner.gather(rows, from: table, into: output)
    }

    package func scatterAdd(_ gradient: Tensor, to rows: Indices, of table: Tensor) {
        count(.scatterAdd)
        inner.scatterAdd(gradient, to: rows, of: table)
    }

    package func residualNorm(
        _ input: Tensor, bias: Tensor?, residual: Tensor?, dropout: Dropout?, parameters: NormParameters,
        rstd: Tensor, output: Tensor
    ) {
        count(.residualNorm)
        inner.residualNorm(
            input, bias: bias, residual: residual, dropout: dropout, parameters: parameters,
            rstd: rstd, output: output)
    }

    package func residualNormBackward(
        _ outputGradient: Tensor, normalized: Tensor, rstd: Tensor, dropout: Dropout?,
        parameters: NormParameters, inputGradient: Tensor, residualGradient: Tensor?, biasGradient: Tensor?,
        parameterGradients: NormParameters
    ) {
        count(.residualNormBackward)
        inner.residualNormBackward(
            outputGradient, normalized: normalized, rstd: rstd, dropout: dropout,
            parameters: parameters, inputGradient: inputGradient, residualGradient: residualGradient,
            biasGradient: biasGradient, parameterGradients: parameterGradients)
    }

    package func activate(_ input: Tensor, bias: Tensor?, dropout: Dropout?, output: Tensor) {
        count(.activate)
        inner.activate(input, bias: bias, dropout: dropout, output: output)
    }

    package func activateBackward(
        _ outputGradient: Tensor, input: Tensor, bias: Tensor?, dropout: Dropout?, inputGradient: Tensor,
        biasGradient: Tensor?
    ) {
        count(.activateBackward)
        inner.activateBackward(
            outputGradient, input: input, bias: bias, dropout: dropout, inputGradient: inputGradient,
            biasGradient: biasGradient)
    }

    package func convolve(
        _ input: Tensor, parameters: ConvolutionParameters, starts: Indices, window: Tensor?, finalWindow: Tensor?,
        output: Tensor
    ) {
        count(.convolve)
        inner.convolve(
            input, parameters: parameters, starts: starts, window: window, finalWindow: finalWindow, output: output)
    }

    package func convolveBackward(
        _ outputGradient: Tensor, input: Tensor, parameters: ConvolutionParameters, starts: Indices, window: Tensor?,
        finalWindowGradient: Tensor?, inputGradient: Tensor, parameterGradients: ConvolutionParameters,
        windowGradient: Tensor?
    ) {
        count(.convolveBackward)
        inner.convolveBackward(
            outputGradient, input: input, parameters: parameters, starts: starts, window: window,
            finalWindowGradient: finalWindowGradient, inputGradient: inputGradient,
            parameterGradients: parameterGradients, windowGradient: windowGradient)
    }

    package func attend(
        _ inputs: AttentionInputs, starts: Indices, window: Tensor?, finalWindow: Tensor?, output: Tensor
    ) {
        count(.attend)
        inner.attend(inputs, starts: starts, window: window, finalWindow: finalWindow, output: output)
    }

    package func attendBackward(
        _ outputGradient: Tensor, inputs: AttentionInputs, starts: Indices, window: Tensor?,
        finalWindowGradient: Tensor?, gradients: AttentionInputs, windowGradient: Tensor?
    ) {
        count(.attendBackward)
        inner.attendBackward(
            outputGradient, inputs: inputs, starts: starts, window: window, finalWindowGradient: finalWindowGradient,
            gradients: gradients, windowGradient: windowGradient)
    }

    package func scan(
        _ inputs: ScanInputs, starts: Indices, initial: Tensor?, states: Tensor, output: Tensor, final: Tensor?
    ) {
        count(.scan)
        inner.scan(inputs, starts: starts, initial: initial, states: states, output: output, final: final)
    }

    package func scanBackward(
        _ outputGradient: Tensor, inputs: ScanInputs, starts: Indices, initial: Tensor?, states: Tensor,
        finalGradient: Tensor?, gradients: ScanInputs, initialGradient: Tensor?
    ) {
        count(.scanBackward)
        inner.scanBackward(
            outputGradient, inputs: inputs, starts: starts, initial: initial, states: states,
            finalGradient: finalGradient, gradients: gradients, initialGradient: initialGradient)
    }

    package func crossEntropy(
        _ hidden: Tensor, table: Tensor, targets: Indices, softTargets: SoftTargets?, bias: SparseBias?, scale: Float,
        gradients: LossGradients?
    ) -> Double {
        count(.crossEntropy)
        return inner.crossEntropy(
            hidden, table: table, targets: targets, softTargets: softTargets, bias: bias, scale: scale,
            gradients: gradients)
    }

    package func sampledCrossEntropy(
        _ hidden: Tensor, table: Tensor, targets: Indices, targetLogQ: Tensor, negatives: Indices, logQ: Tensor,
        bias: SparseBias?, scale: Float, gradients: LossGradients?
    ) -> Double {
        count(.sampledCrossEntropy)
        return inner.sampledCrossEntropy(
            hidden, table: table, targets: targets, targetLogQ: targetLogQ, negatives: negatives, logQ: logQ,
            bias: bias, scale: scale, gradients: gradients)
    }

    package func pairwiseLoss(
        _ hidden: Tensor, table: Tensor, targets: Indices, negatives: Indices, scale: Float, gradients: LossGradients?
    ) -> Double {
        count(.pairwiseLoss)
        return inner.pairwiseLoss(
            hidden, table: table, targets: targets, negatives: negatives, scale: scale, gradients: gradients)
    }

    package func adam(_ weights: Tensor, gradient: Tensor, firstMoment: Tensor, secondMoment: Tensor, step: AdamStep) {
        count(.adam)
        inner.adam(weights, gradient: gradient, firstMoment: firstMoment, secondMoment: secondMoment, step: step)
    }

    package func rank(
        _ hidden: Tensor, table: Tensor, targets: Indices, bias: SparseBias?, seen: [[Int32]]
    ) -> [RankCounts]? {
        count(.rank)
        return inner.rank(hidden, table: table, targets: targets, bias: bias, seen: seen)
    }

    package func topK(
        _ hidden: Tensor, table: Tensor, bias: SparseBias?, k: Int, candidates: [Candidates]
    ) -> [[ScoredRow]] {
        count(.topK)
        return inner.topK(hidden, table: table, bias: bias, k: k, candidates: candidates)
    }
}
