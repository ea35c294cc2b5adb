import CKernels
package import Tensors

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension CPUBackend {
    package func attend(
        _ inputs: AttentionInputs, starts: Indices, window: Tensor?, finalWindow: Tensor?, output: Tensor
    ) {
        precondition(output.isContiguous && inputs.queries.rows == output.rows, "shapes of an attention do not match")
        Attention(backend: self, inputs: inputs, window: window).run(starts, into: output)
        if let finalWindow { keepWindow(of: inputs.memory, inputs.span - 1, starts, window, in: finalWindow) }
    }

    package func attendBackward(
        _ outputGradient: Tensor, inputs: AttentionInputs, starts: Indices, window: Tensor?,
        finalWindowGradient: Tensor?, gradients: AttentionInputs, windowGradient: Tensor?
    ) {
        precondition((window == nil) == (windowGradient == nil), "a window comes with its gradient")
        fill(gradients.memory, with: 0)
        if let windowGradient { fill(windowGradient, with: 0) }
        if let finalWindowGradient { passOn(finalWindowGradient, starts, to: gradients.memory, windowGradient) }
        Attention(backend: self, inputs: inputs, window: window)
            .runBackward(outputGradient, starts, into: gradients, windowGradient)
    }
}

/// One call of attention: arguments and scratch memory.
///
/// One product computes the scores of a tile of queries with all events that any of them attends to. The events that one query
/// attends to are a band of its row of the scores; the rest of the row is zero in the products that follow. The zeros before a
/// sequence are not part of any product: their terms of a row's sum depend on the bias only.
private struct Attention {
    private let backend: CPUBackend
    private let inputs: AttentionInputs
    private let window: Tensor?
    /// 1 / sqrt(D).
    private let scale: Float
    private let tileRows: Int
    private let storage: Storage<Float>
    /// Of a tile: scores, then e^(score − row's largest), then probabilities [tile rows, tile rows + W − 1].
    private let scores: Tensor
    /// Of a tile: gradient of the probabilities, then of the products of queries and keys.
    private let slopes: Tensor
    /// One element for each row: its largest score and the sum of the e^(score − largest).
    private let largest, sum: UnsafeMutablePointer<Float>
    /// One element for each row: the factor that makes the exponentials probabilities, and the total probability of the missing events.
    private let factor, missing: UnsafeMutablePointer<Float>
    /// The bias and its gradient from the most distant event to the nearest, as a row of scores has them.
    private let bias, biasGradient: UnsafeMutablePointer<Float>
    /// ln Σ e^bias of the m most distant events, and the gradient of that, m = 0 ... W.
    private let logSum, logSumGradient: UnsafeMutablePointer<Float>

    init(backend: CPUBackend, inputs: AttentionInputs, window: Tensor?) {
        (self.backend, self.inputs, self.window) = (backend, inputs, window)
        let span = inputs.span
        scale = 1 / Float(inputs.width).squareRoot()
        tileRows = min(64, max(16, span / 2))
        let area = tileRows * (tileRows + span - 1)
        storage = allocateHost(2 * area + 4 * tileRows + 4 * (span + 1), of: Float.self, zeroed: false)
        scores = storage.tensor.columns(0..<area)
        slopes = storage.tensor.columns(area..<2 * area)
        let rows = storage.base + 2 * area
        (largest, sum, factor, missing) = (rows, rows + tileRows, rows + 2 * tileRows, rows + 3 * tileRows)
        bias = rows + 4 * tileRows
        (biasGradient, logSum, logSumGradient) = (bias + span + 1, bias + 2 * (span + 1), bias + 3 * (span + 1))
        prepareBias()
    }

    private func prepareBias() {
        var (highest, total): (Float, Float) = (-.infinity, 0)
        logSum[0] = -.infinity
        for j in 0..<inputs.span {
            bias[j] = inputs.bias.base[inputs.span - 1 - j]
            let before = highest
            highest = max(highest, bias[j])
            total = total * exp(before - highest) + exp(bias[j] - highest)
            logSum[j + 1] = highest + log(total)
        }
    }

    /// Computes the output.
    func run(_ starts: Indices, into output: Tensor) {
        forEachTile(starts) { tile in
            let rows = output.rows(tile.queries)
            let weights = score(tile)
            for (number, part) in tile.parts(of: inputs.memory, window).enumerated() {
                backend.multiply(
                    weights.columns(part.columns), transposed: false, values(part.events), transposed: false,
                    into: rows, accumulate: number > 0)
            }
            for r in 0..<rows.rows {
                let row = rows.base + r * rows.stride
                for c in 0..<rows.columns { row[c] *= factor[r] }
            }
        }
        withExtendedLifetime(storage) {}
    }

    /// Adds to the gradients of memory, window and bias, writes that of the queries.
    func runBackward(
        _ outputGradient: Tensor, _ starts: Indices, into gradients: AttentionInputs, _ windowGradient: Tensor?
    ) {
        biasGradient.update(repeating: 0, count: inputs.span)
        logSumGradient.update(repeating: 0, count: inputs.span + 1)
        forEachTile(starts) { tile in
            let probabilities = score(tile)
            let (queries, rows) = (inputs.queries.rows(tile.queries), outputGradient.rows(tile.queries))
            let slopes = scoreBackward(tile, rows, probabilities)
            let parts = tile.parts(of: inputs.memory, window)
            let targets = tile.parts(of: gradients.memory, windowGradient)
            for (number, (part, target)) in zip(parts, targets).enumerated() {
                let (p, s) = (probabilities.columns(part.columns), slopes.columns(part.columns))
                backend.multiply(
                    s, transposed: false, keys(part.events), transposed: false,
                    into: gradients.queries.rows(tile.queries), accumulate: number > 0)
                backend.multiply(
                    s, transposed: true, queries, transposed: false, into: keys(target.events), accumulate: true)
                backend.multiply(
                    p, transposed: true, rows, transposed: false, into: values(target.events), accumulate: true)
            }
        }
        finishBias(gradients.bias)
        withExtendedLifetime(storage) {}
    }

    /// e^(score − row's largest) of a tile, zero outside the bands; sets each row's `factor` and `missing`.
    private func score(_ tile: AttentionTile) -> Tensor {
        let scores = matrix(tile, in: scores)
        let queries = inputs.queries.rows(tile.queries)
        for part in tile.parts(of: inputs.memory, window) {
            backend.multiply(
                queries, transposed: false, keys(part.events), transposed: true, into: scores.columns(part.columns),
                accumulate: false)
        }
        for r in 0..<scores.rows {
            let band = tile.band(r)
            let absent = inputs.span - band.count
            backend.kernels.attend_row(
                band.count, scale, bias + absent, scores.clear(r, outside: band), largest + r, sum + r)
            let highest = max(largest[r], logSum[absent])
            let (own, others) = (exp(largest[r] - highest), exp(logSum[absent] - highest))
            let total = sum[r] * own + others
            (factor[r], missing[r]) = (own / total, others / total)
        }
        return scores
    }

    /// Turns the exponentials into probabilities; returns the gradient of the products of queries and keys, zero outside
    /// the bands.
    private func scoreBackward(_ tile: AttentionTile, _ outputGradient: Tensor, _ probabilities: Tensor) -> Tensor {
        let slopes = matrix(tile, in: slopes)
        for part in tile.parts(of: inputs.memory, window) {
            backend.multiply(
                outputGradient, transposed: false, values(part.events), transposed: true,
                into: slopes.columns(part.columns), accumulate: false)
        }
        for r in 0..<slopes.rows {
            let band = tile.band(r)
            let absent = inputs.span - band.count
            let mean = backend.kernels.attend_row_backward(
                band.count, scale, factor[r], probabilities.base + r * probabilities.stride + band.lowerBound,
                slopes.clear(r, outside: band), biasGradient + absent)
            logSumGradient[absent] -= missing[r] * mean  // their values are zero
        }
        return slopes
    }

    /// Adds the gradient of the bias, nearest event first, with that of the missing events, which comes from their sum.
    private func finishBias(_ gradient: Tensor) {
        for m in 1...inputs.span where logSumGradient[m] != 0 {
            for j in 0..<m { biasGradient[j] += logSumGradient[m] * exp(bias[j] - logSum[m]) }
        }
        for j in 0..<inputs.span { gradient.base[inputs.span - 1 - j] += biasGradient[j] }
    }

    private func matrix(_ tile: AttentionTile, in memory: Tensor) -> Tensor {
        memory.columns(0..<tile.queries.count * tile.columns).reshaped(tile.queries.count, tile.columns)
    }
    private func keys(_ events: Tensor) -> Tensor { events.columns(0..<inputs.width) }
    private func values(_ events: Tensor) -> Tensor { events.columns(inputs.width..<2 * inputs.width) }

    private func forEachTile(_ starts: Indices, _ body: (AttentionTile) -> Void) {
        for s in 0..<(starts.count - 1) {
            let rows = Int(starts.base[s])..<Int(starts.base[s + 1])
            for first in stride(from: rows.lowerBound, to: rows.upperBound, by: tileRows) {
                let queries = first..<min(first + tileRows, rows.upperBound)
                body(AttentionTile(s, queries, of: rows, span: inputs.span, hasWindow: window != nil))
            }
        }
    }
}

extension Tensor {
    /// Sets a row to zero except `band`; returns the address of the band.
    fileprivate func clear(_ row: Int, outside band: Range<Int>) -> UnsafeMutablePointer<Float> {
        let start = base + row * stride
        start.update(repeating: 0, count: band.lowerBound)
        (start + band.upperBound).update(repeating: 0, count: columns - band.upperBound)
        return start + band.lowerBound
    }
}
