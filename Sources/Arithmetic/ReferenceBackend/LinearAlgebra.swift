package import Tensors

extension ReferenceBackend {
    package func multiply(
        _ a: Tensor, transposed aTransposed: Bool, _ b: Tensor, transposed bTransposed: Bool, into output: Tensor,
        accumulate: Bool
    ) {
        let (rows, inner) = aTransposed ? (a.columns, a.rows) : (a.rows, a.columns)
        let (otherInner, columns) = bTransposed ? (b.columns, b.rows) : (b.rows, b.columns)
        precondition(
            inner == otherInner && output.rows == rows && output.columns == columns,
            "shapes of a product do not match")
        for i in 0..<rows {
            for j in 0..<columns {
                var sum = accumulate ? output[i, j] : 0
                for k in 0..<inner {
                    sum += (aTransposed ? a[k, i] : a[i, k]) * (bTransposed ? b[j, k] : b[k, j])
                }
                output[i, j] = sum
            }
        }
    }

    package func fill(_ tensor: Tensor, with value: Float) {
        for row in 0..<tensor.rows {
            for column in 0..<tensor.columns { tensor[row, column] = Double(value) }
        }
    }

    package func clearNegatives(of tensor: Tensor) {
        for row in 0..<tensor.rows {
            for column in 0..<tensor.columns where tensor[row, column] < 0 { tensor[row, column] = 0 }
        }
    }

    package func copy(_ source: Tensor, to target: Tensor) {
        precondition(source.hasShape(of: target), "shapes differ")
        for row in 0..<source.rows {
            for column in 0..<source.columns { target[row, column] = source[row, column] }
        }
    }

    package func add(_ source: Tensor, to target: Tensor) {
        precondition(source.hasShape(of: target), "shapes differ")
        for row in 0..<source.rows {
            for column in 0..<source.columns { target[row, column] += source[row, column] }
        }
    }

    package func squaredNorm(_ tensor: Tensor) -> Double {
        var sum = 0.0
        for row in 0..<tensor.rows {
            for column in 0..<tensor.columns { sum += tensor[row, column] * tensor[row, column] }
        }
        return sum
    }
}
