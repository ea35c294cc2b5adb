import CKernels
package import Tensors

#if canImport(COpenBLAS)
    import COpenBLAS

    /// Training is parallel over replicas: a product uses the calling thread only.
    func limitBLASToOneThread() { openblas_set_num_threads(1) }
#elseif canImport(Accelerate)
    import Accelerate

    /// Accelerate has no such setting.
    func limitBLASToOneThread() {}
#endif

extension CPUBackend {
    package func multiply(
        _ a: Tensor, transposed aTransposed: Bool, _ b: Tensor, transposed bTransposed: Bool, into output: Tensor,
        accumulate: Bool
    ) {
        let (m, k) = aTransposed ? (a.columns, a.rows) : (a.rows, a.columns)
        let (inner, n) = bTransposed ? (b.columns, b.rows) : (b.rows, b.columns)
        precondition(k == inner && output.rows == m && output.columns == n, "shapes of a product do not match")
        guard m > 0, n > 0 else { return }
        if products == .rowIndependent {
            return orderedProduct(a, aTransposed, b, bTransposed, into: output, accumulate: accumulate)
        }
        let beta: Float = accumulate ? 1 : 0
        if m == 1, !aTransposed {  // one row: a vector product reads the matrix once, without packing it
            cblas_sgemv(
                CblasRowMajor, bTransposed ? CblasNoTrans : CblasTrans, blasInt(b.rows), blasInt(b.columns), 1, b.base,
                blasInt(b.stride), a.base, 1, beta, output.base, 1)
            return
        }
        if precision == .bfloat16, k > 0 {
            return roundedProduct(a, aTransposed, b, bTransposed, into: output, accumulate: accumulate)
        }
        product(a, aTransposed, b, bTransposed, into: output, accumulate: accumulate)
    }

    /// output = op(a) · op(b), or output +=, always in float32: the scores of rankings should be exact.
    func product(
        _ a: Tensor, _ aTransposed: Bool, _ b: Tensor, _ bTransposed: Bool, into output: Tensor, accumulate: Bool
    ) {
        let depth = aTransposed ? a.rows : a.columns
        cblas_sgemm(
            CblasRowMajor, aTransposed ? CblasTrans : CblasNoTrans, bTransposed ? CblasTrans : CblasNoTrans,
            blasInt(output.rows), blasInt(output.columns), blasInt(depth), 1, a.base, blasInt(a.stride), b.base,
            blasInt(b.stride), accumulate ? 1 : 0, output.base,
            blasInt(output.stride))
    }

    package func gather(_ rows: Indices, from table: Tensor, into output: Tensor) {
        precondition(rows.count == output.rows && table.columns == output.columns, "shapes of a gather do not match")
        for n in 0..<rows.count {
            let row = Int(rows.base[n])
            precondition(row >= 0 && row < table.rows, "a gathered row lies outside the table")
            (output.base + n * output.stride).update(from: table.base + row * table.stride, count: table.columns)
        }
    }

    package func scatterAdd(_ gradient: Tensor, to rows: Indices, of table: Tensor) {
        precondition(rows.count == gradient.rows && table.columns == gradient.columns, "shapes do not match")
        for n in 0..<rows.count {
            let row = Int(rows.base[n])
            precondition(row >= 0 && row < table.rows, "a row to add to lies outside the table")
            kernels.add(table.columns, gradient.base + n * gradient.stride, table.base + row * table.stride)
        }
    }

    package func adam(_ weights: Tensor, gradient: Tensor, firstMoment: Tensor, secondMoment: Tensor, step: AdamStep) {
        func update(_ range: Range<Int>, decayFactor: Float) {
            guard !range.isEmpty else { return }
            var argument = ck_adam(
                learning_rate: step.learningRate, beta1: step.beta1, beta2: step.beta2, epsilon: step.epsilon,
                correction1: step.correction1, correction2: step.correction2, gradient_scale: step.gradientScale,
                decay_factor: decayFactor)
            let first = range.lowerBound
            kernels.adam(
                range.count, &argument, weights.base + first, gradient.base + first, firstMoment.base + first,
                secondMoment.base + first)
        }
        let decayed = min(weights.count, step.decayedCount)
        update(0..<decayed, decayFactor: step.decayFactor)
        update(decayed..<weights.count, decayFactor: 1)
    }
}

/// BLAS takes 32-bit sizes.
private func blasInt(_ value: Int) -> Int32 { Int32(value) }
