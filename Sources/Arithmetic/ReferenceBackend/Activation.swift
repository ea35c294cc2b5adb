package import Tensors

extension ReferenceBackend {
    package func activate(_ input: Tensor, bias: Tensor?, dropout: Dropout?, output: Tensor) {
        precondition(input.hasShape(of: output), "shapes differ")
        for r in 0..<input.rows {
            for c in 0..<input.columns {
                output[r, c] = silu(input[r, c] + (bias?[c] ?? 0)) * keepFactor(dropout, row: r, column: c)
            }
        }
    }

    package func activateBackward(
        _ outputGradient: Tensor, input: Tensor, bias: Tensor?, dropout: Dropout?, inputGradient: Tensor,
        biasGradient: Tensor?
    ) {
        precondition(outputGradient.hasShape(of: input) && inputGradient.hasShape(of: input), "shapes differ")
        var biasSums = [Double](repeating: 0, count: input.columns)
        for r in 0..<input.rows {
            for c in 0..<input.columns {
                let slope = siluSlope(input[r, c] + (bias?[c] ?? 0)) * keepFactor(dropout, row: r, column: c)
                let gradient = outputGradient[r, c] * slope
                biasSums[c] += gradient
                inputGradient[r, c] = gradient
            }
        }
        biasGradient?.add(biasSums)
    }
}
