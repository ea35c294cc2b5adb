package import Tensors

extension ReferenceBackend {
    package func gather(_ rows: Indices, from table: Tensor, into output: Tensor) {
        precondition(rows.count == output.rows && table.columns == output.columns, "shapes of a gather do not match")
        for n in 0..<rows.count {
            precondition(rows[n] >= 0 && rows[n] < table.rows, "a gathered row lies outside the table")
            for c in 0..<table.columns { output[n, c] = table[rows[n], c] }
        }
    }

    package func scatterAdd(_ gradient: Tensor, to rows: Indices, of table: Tensor) {
        precondition(rows.count == gradient.rows && table.columns == gradient.columns, "shapes do not match")
        for n in 0..<rows.count {
            precondition(rows[n] >= 0 && rows[n] < table.rows, "a row to add to lies outside the table")
            for c in 0..<table.columns { table[rows[n], c] += gradient[n, c] }
        }
    }
}
