/// Draws samples of a table's rows on a device, and marks there which rows a step has met: the host, which would need milliseconds for it in
/// a large catalogue, is told neither.
package protocol RowSampling: Sendable {
    /// One sample for each of `firsts`, by systematic sampling (Madow 1949): the rows in whose intervals on the line of cumulative probabilities
    /// the points first, first + 1, … are. The same rows as a host finds.
    ///
    /// Marks them, the targets and `items`; negative numbers are padding. The result lasts as long as staged values.
    func draw(_ firsts: [Double], targets: Indices, items: [Int32]) -> DrawnRows
    /// Not 0 for the rows that were met since the marks were cleared [V].
    var marks: Indices { get }
}

/// Samples of one size.
package struct DrawnRows {
    /// Row numbers [S · M], ascending in each sample.
    package let rows: Indices
    /// The logarithm of the probability that each of them, and each target, is in a sample: [1, S · M] and [1, N].
    package let logQ, targetLogQ: Tensor

    package init(rows: Indices, logQ: Tensor, targetLogQ: Tensor) {
        (self.rows, self.logQ, self.targetLogQ) = (rows, logQ, targetLogQ)
    }
}

/// Rows of a table that are marked, and where the table is in a block of weights.
package struct MarkedRows: Sendable {
    /// Not 0 for the rows that are meant [V].
    package let marks: Indices
    /// The position of row 0 in the block, and the elements of a row.
    package let first, width: Int

    package init(marks: Indices, first: Int, width: Int) {
        (self.marks, self.first, self.width) = (marks, first, width)
    }
}
