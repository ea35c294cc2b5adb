/// A view of a row-major matrix of 32-bit floats: an address and a shape, owning nothing.
///
/// The ``Storage`` behind it must outlive it. Copies of a view share elements, so two threads may hold views of one
/// storage as long as nobody writes what another reads; each replica has its own workspace for that reason.
package struct Tensor: @unchecked Sendable {
    /// Address of element (0, 0), in the memory of the backend that allocated it.
    package let base: UnsafeMutablePointer<Float>
    /// Number of rows: tokens, sequences, items or output features.
    package let rows: Int
    /// Number of columns: features.
    package let columns: Int
    /// Elements from the start of one row to the start of the next; at least `columns`.
    package let stride: Int

    /// A view of `rows` × `columns` elements, rows `stride` elements apart (`columns` unless told).
    package init(base: UnsafeMutablePointer<Float>, rows: Int, columns: Int, stride: Int? = nil) {
        self.base = base
        self.rows = rows
        self.columns = columns
        self.stride = stride ?? columns
        precondition(rows >= 0 && columns >= 0 && self.stride >= columns, "a tensor's stride must cover its columns")
    }

    /// Number of elements the view covers.
    package var count: Int { rows * columns }
    /// Whether rows follow each other without a gap.
    package var isContiguous: Bool { stride == columns || rows <= 1 }

    /// The rows in `range`, sharing elements.
    package func rows(_ range: Range<Int>) -> Tensor {
        precondition(range.lowerBound >= 0 && range.upperBound <= rows, "rows outside the tensor")
        return Tensor(base: base + range.lowerBound * stride, rows: range.count, columns: columns, stride: stride)
    }

    /// The first `count` rows, sharing elements.
    package func prefix(_ count: Int) -> Tensor { rows(0..<count) }

    /// The columns in `range`, sharing elements.
    package func columns(_ range: Range<Int>) -> Tensor {
        precondition(range.lowerBound >= 0 && range.upperBound <= columns, "columns outside the tensor")
        return Tensor(base: base + range.lowerBound, rows: rows, columns: range.count, stride: stride)
    }

    /// The same elements in another shape. The tensor must be contiguous and the counts equal.
    package func reshaped(_ rows: Int, _ columns: Int) -> Tensor {
        precondition(isContiguous && rows * columns == count, "a reshape keeps every element")
        return Tensor(base: base, rows: rows, columns: columns)
    }
}

/// A view of a vector of 32-bit indices (items, sequence starts, row numbers), owning nothing.
package struct Indices: @unchecked Sendable {
    /// Address of the first index, in the memory of the backend that allocated it.
    package let base: UnsafeMutablePointer<Int32>
    /// Number of indices.
    package let count: Int

    /// A view of `count` indices.
    package init(base: UnsafeMutablePointer<Int32>, count: Int) {
        self.base = base
        self.count = count
    }

    /// The first `count` indices.
    package func prefix(_ count: Int) -> Indices { range(0..<count) }

    /// Those at the positions of `range`.
    package func range(_ range: Range<Int>) -> Indices {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "more indices than there are")
        return Indices(base: base + range.lowerBound, count: range.count)
    }
}
