import Tensors

extension Bench {
    /// No dropout, or one of three rates.
    fileprivate func dropout(_ shape: Shape) -> Dropout? {
        guard shape.has(0) else { return nil }
        return dropout([0, 0.2, 0.5][shape.options % 3], rows: shape.rows)
    }

    fileprivate func normParameters(_ columns: Int) -> NormParameters {
        NormParameters(scale: input(1, columns, in: 0.5...1.5), shift: input(1, columns), epsilon: 1e-12)
    }
}

let residualNormCases: [Case] =
    shapes().map { shape in
        Case(.residualNorm, shape.name) { bench in
            let (rows, columns) = (shape.rows, shape.columns)
            let output = bench.changing("output", rows, columns)
            let residual: Tensor? =
                shape.has(2) ? (shape.has(3) ? output : bench.input(rows, columns)) : nil
            bench.backend.residualNorm(
                bench.changing("normalized", rows, columns), bias: shape.has(1) ? bench.input(1, columns) : nil,
                residual: residual, dropout: bench.dropout(shape), parameters: bench.normParameters(columns),
                inverseDeviation: bench.output("inverse deviation", 1, rows), output: output)
        }
    }
    + widths.map { columns in
        // The mean of equal numbers that are sums of few powers of two is exact, so that the variance is 0.
        Case(.residualNorm, "equal numbers in every row, \(columns) columns") { bench in
            let values = [0, 0.5, -3, 1024].flatMap { [Float](repeating: $0, count: columns) }
            bench.backend.residualNorm(
                bench.changing("normalized", 4, columns, values: values), bias: nil, residual: nil, dropout: nil,
                parameters: bench.normParameters(columns), inverseDeviation: bench.output("inverse deviation", 4, 1),
                output: bench.output("output", 4, columns))
        }
    }

let residualNormBackwardCases: [Case] = shapes().map { shape in
    Case(.residualNormBackward, shape.name) { bench in
        let (rows, columns) = (shape.rows, shape.columns)
        let inPlace = shape.has(3)
        // In a narrow row the terms cancel: errors are measured against the terms.
        let gradient = bench.changing("input gradient", rows, columns, floor: 1)
        let outputGradient = inPlace ? gradient : bench.input(rows, columns)
        let parameters = bench.normParameters(columns)
        bench.backend.residualNormBackward(
            outputGradient, normalized: bench.input(rows, columns, in: -2...2),
            inverseDeviation: bench.input(1, rows, in: 0.5...2), dropout: bench.dropout(shape), parameters: parameters,
            inputGradient: gradient,
            residualGradient: shape.has(2) ? bench.output("residual gradient", rows, columns, floor: 1) : nil,
            biasGradient: shape.has(1) ? bench.changing("bias gradient", 1, columns, floor: 1) : nil,
            parameterGradients: NormParameters(
                scale: bench.changing("scale gradient", 1, columns, floor: 1),
                shift: bench.changing("shift gradient", 1, columns, floor: 1), epsilon: parameters.epsilon))
    }
}

let activateCases: [Case] = shapes().map { shape in
    Case(.activate, shape.name) { bench in
        let (rows, columns) = (shape.rows, shape.columns)
        let size: Float = shape.has(3) ? 100 : 3
        bench.backend.activate(
            bench.input(rows, columns, gap: shape.has(2) ? columns : 0, in: -size...size),
            bias: shape.has(1) ? bench.input(1, columns) : nil, dropout: bench.dropout(shape),
            output: bench.output("output", rows, columns))
    }
}

let activateBackwardCases: [Case] = shapes().map { shape in
    Case(.activateBackward, shape.name) { bench in
        let (rows, columns) = (shape.rows, shape.columns)
        let size: Float = shape.has(4) ? 100 : 3
        let gradient = bench.changing("input gradient", rows, columns, gap: shape.has(2) ? columns : 0)
        bench.backend.activateBackward(
            shape.has(3) ? gradient : bench.input(rows, columns),
            input: bench.input(rows, columns, gap: shape.has(2) ? columns : 0, in: -size...size),
            bias: shape.has(1) ? bench.input(1, columns) : nil, dropout: bench.dropout(shape), inputGradient: gradient,
            biasGradient: shape.has(1) ? bench.changing("bias gradient", 1, columns, floor: 1) : nil)
    }
}
