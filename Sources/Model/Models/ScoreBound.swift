package import Tensors

/// Decides whether a model's scores are finite without computing all of them: by the Cauchy–Schwarz inequality none is larger than the
/// product of two norms.
package struct ScoreBound: Sendable {
    private let backend: any Backend
    /// The largest Euclidean norm of a row of the item table; infinite where one is NaN.
    private let largestNorm: Double

    /// Reads the item table once. O(V · D).
    package init(_ model: SequenceModel) {
        backend = model.backend
        let (table, block) = (model.itemTable, 8192)
        var largest = 0.0
        for first in stride(from: 0, to: table.rows, by: block) {
            let values = backend.download(table.rows(first..<min(first + block, table.rows)))
            for row in stride(from: 0, to: values.count, by: table.columns) {
                let norm = Self.norm(values[row..<row + table.columns])
                largest = norm.isFinite ? max(largest, norm) : .infinity
                if largest == .infinity { break }
            }
        }
        largestNorm = largest
    }

    /// Whether all scores of these hidden vectors [N, D] are certainly finite. Half of the range of a float is left for what a
    /// repeat-aware head adds. O(N · D).
    package func holds(for hidden: Tensor) -> Bool {
        let values = backend.download(hidden)
        return stride(from: 0, to: values.count, by: max(1, hidden.columns)).allSatisfy {
            // False for NaN, too.
            Self.norm(values[$0..<$0 + hidden.columns]) * largestNorm < Double(Float.greatestFiniteMagnitude) / 2
        }
    }

    private static func norm(_ values: ArraySlice<Float>) -> Double {
        values.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
    }
}
