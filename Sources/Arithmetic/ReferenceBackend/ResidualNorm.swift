package import Tensors

extension ReferenceBackend {
    package func residualNorm(
        _ input: Tensor, bias: Tensor?, residual: Tensor?, dropout: Dropout?, parameters: NormParameters,
        rstd: Tensor, output: Tensor
    ) {
        precondition(input.hasShape(of: output) && residual?.hasShape(of: input) ?? true, "shapes differ")
        precondition(rstd.isVector && rstd.count >= input.rows, "one rstd for each row")
        let width = input.columns
        for r in 0..<input.rows {
            let sums = (0..<width).map { c in
                (input[r, c] + (bias?[c] ?? 0)) * keepFactor(dropout, row: r, column: c) + (residual?[r, c] ?? 0)
            }
            let mean = sums.reduce(0, +) / Double(width)
            let variance = sums.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(width)
            let inverse = variance > 0 ? 1 / (variance + Double(parameters.epsilon)).squareRoot() : 0
            rstd[r] = inverse
            for c in 0..<width {
                let normalized = (sums[c] - mean) * inverse
                input[r, c] = normalized
                output[r, c] = normalized * parameters.scale[c] + parameters.shift[c]
            }
        }
    }

    package func residualNormBackward(
        _ outputGradient: Tensor, normalized: Tensor, rstd: Tensor, dropout: Dropout?,
        parameters: NormParameters, inputGradient: Tensor, residualGradient: Tensor?, biasGradient: Tensor?,
        parameterGradients: NormParameters
    ) {
        precondition(
            outputGradient.hasShape(of: normalized) && inputGradient.hasShape(of: normalized)
                && residualGradient?.hasShape(of: normalized) ?? true, "shapes differ")
        let width = normalized.columns
        var scaleSums = [Double](repeating: 0, count: width)
        var shiftSums = scaleSums
        var biasSums = scaleSums
        for r in 0..<normalized.rows {
            // With x the normalised row and g = ∂y ⊙ scale: ∂s = (g − mean(g) − x · mean(g ⊙ x)) · rstd.
            let g = (0..<width).map { outputGradient[r, $0] * parameters.scale[$0] }
            let mean = g.reduce(0, +) / Double(width)
            let slope = (0..<width).reduce(0) { $0 + g[$1] * normalized[r, $1] } / Double(width)
            for c in 0..<width {
                let x = normalized[r, c]
                scaleSums[c] += outputGradient[r, c] * x
                shiftSums[c] += outputGradient[r, c]
                let sumGradient = (g[c] - mean - x * slope) * rstd[r]
                let dropped = sumGradient * keepFactor(dropout, row: r, column: c)
                biasSums[c] += dropped
                residualGradient?[r, c] = sumGradient
                inputGradient[r, c] = dropped
            }
        }
        parameterGradients.scale.add(scaleSums)
        parameterGradients.shift.add(shiftSums)
        biasGradient?.add(biasSums)
    }
}
