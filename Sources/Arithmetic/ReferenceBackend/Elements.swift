import Tensors

extension Tensor {
    /// One element of a matrix, read as a double and rounded when written.
    subscript(row: Int, column: Int) -> Double {
        get { Double(base[row * stride + column]) }
        nonmutating set { base[row * stride + column] = Float(newValue) }
    }

    /// One element of a vector: a contiguous tensor of one row or of one column.
    subscript(index: Int) -> Double {
        get { Double(base[index]) }
        nonmutating set { base[index] = Float(newValue) }
    }

    /// Adds a gradient that was summed in double precision to a vector.
    func add(_ sums: [Double]) {
        precondition(isVector && sums.count == count, "one sum for every element of a vector")
        for (i, sum) in sums.enumerated() { self[i] += sum }
    }

    /// Whether `self[index]` may be used.
    var isVector: Bool { isContiguous && (rows <= 1 || columns <= 1) }

    /// Whether two tensors have the same numbers of rows and columns.
    func hasShape(of other: Tensor) -> Bool { rows == other.rows && columns == other.columns }
}

extension Indices {
    /// One index, widened.
    subscript(index: Int) -> Int { Int(base[index]) }

    /// The rows of every sequence, where these are the starts of a packed batch.
    var sequences: [Range<Int>] {
        precondition(count >= 1 && self[0] == 0, "a packed batch starts at row 0")
        return (0..<count - 1).map { self[$0]..<self[$0 + 1] }
    }
}

/// Σ_c a[row, c] · b[other, c].
func dot(_ a: Tensor, _ row: Int, _ b: Tensor, _ other: Int) -> Double {
    let (x, y) = (a.base + row * a.stride, b.base + other * b.stride)
    var sum = 0.0
    for c in 0..<a.columns { sum += Double(x[c]) * Double(y[c]) }
    return sum
}
