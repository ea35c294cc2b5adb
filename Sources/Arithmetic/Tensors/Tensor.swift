/// A row-major matrix of 32-bit floats, or a part of one: an address, a shape, and the ``Storage`` that it keeps alive.
///
/// Copies refer to the same elements. Threads may use tensors of one storage as long as none writes what another reads; therefore
/// each replica has its own workspace.
package struct Tensor: @unchecked Sendable {
    /// Address of element (0, 0), in the memory of the backend that allocated it.
    package let pointer: UnsafeMutablePointer<Float>
    /// Number of rows: tokens, sequences, items or output features.
    package let rows: Int
    /// Number of columns: features.
    package let columns: Int
    /// Elements from the start of one row to the start of the next; at least `columns`.
    package let stride: Int
    /// The memory that ``pointer`` points into.
    package let space: MemorySpace
    private let owner: AnyObject?

    /// `rows` × `columns` elements, rows `stride` elements apart (by default `columns`). `owner` keeps the memory alive; without one the
    /// caller has to.
    package init(
        _ pointer: UnsafeMutablePointer<Float>, rows: Int, columns: Int, stride: Int? = nil, in space: MemorySpace,
        owner: AnyObject? = nil
    ) {
        self.pointer = pointer
        self.rows = rows
        self.columns = columns
        self.stride = stride ?? columns
        self.space = space
        self.owner = owner
        precondition(rows >= 0 && columns >= 0 && self.stride >= columns, "a tensor's stride must cover its columns")
    }

    /// The address in this process's memory. Traps where the memory is a device's.
    package var base: UnsafeMutablePointer<Float> {
        guard case .host = space else { preconditionFailure("memory of a device cannot be read here: download it") }
        return pointer
    }

    /// Number of elements, rows × columns.
    package var count: Int { rows * columns }
    /// Whether there are no gaps between rows.
    package var isContiguous: Bool { stride == columns || rows <= 1 }

    /// The rows in `range`, without copying.
    package func rows(_ range: Range<Int>) -> Tensor {
        precondition(range.lowerBound >= 0 && range.upperBound <= rows, "rows outside the tensor")
        return part(at: range.lowerBound * stride, range.count, columns, stride)
    }

    /// The first `count` rows, without copying.
    package func prefix(_ count: Int) -> Tensor { rows(0..<count) }

    /// The columns in `range`, without copying.
    package func columns(_ range: Range<Int>) -> Tensor {
        precondition(range.lowerBound >= 0 && range.upperBound <= columns, "columns outside the tensor")
        return part(at: range.lowerBound, rows, range.count, stride)
    }

    /// The same elements in another shape. The tensor must be contiguous and the counts equal.
    package func reshaped(_ rows: Int, _ columns: Int) -> Tensor {
        precondition(isContiguous && rows * columns == count, "a reshape keeps every element")
        return part(at: 0, rows, columns, columns)
    }

    private func part(at offset: Int, _ rows: Int, _ columns: Int, _ stride: Int) -> Tensor {
        Tensor(pointer + offset, rows: rows, columns: columns, stride: stride, in: space, owner: owner)
    }
}

/// A vector of 32-bit indices (items, sequence starts, row numbers), or a part of one; like ``Tensor``.
package struct Indices: @unchecked Sendable {
    /// Address of the first index, in the memory of the backend that allocated it.
    package let pointer: UnsafeMutablePointer<Int32>
    /// Number of indices.
    package let count: Int
    /// The memory that ``pointer`` points into.
    package let space: MemorySpace
    private let owner: AnyObject?

    /// `count` indices. `owner` keeps the memory alive; without one the caller has to.
    package init(
        _ pointer: UnsafeMutablePointer<Int32>, count: Int, in space: MemorySpace, owner: AnyObject? = nil
    ) {
        self.pointer = pointer
        self.count = count
        self.space = space
        self.owner = owner
    }

    /// The address in this process's memory. Traps where the memory is a device's.
    package var base: UnsafeMutablePointer<Int32> {
        guard case .host = space else { preconditionFailure("memory of a device cannot be read here: download it") }
        return pointer
    }

    /// The first `count` indices, without copying.
    package func prefix(_ count: Int) -> Indices { range(0..<count) }

    /// The indices at the positions in `range`, without copying.
    package func range(_ range: Range<Int>) -> Indices {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "more indices than there are")
        return Indices(pointer + range.lowerBound, count: range.count, in: space, owner: owner)
    }
}
