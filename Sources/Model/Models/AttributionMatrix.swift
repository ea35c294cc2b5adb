import Identifiers
import Layers
import Tensors

/// A matrix of doubles, row by row.
struct Matrix: Sendable, Equatable {
    let rows, columns: Int
    private(set) var values: [Double]

    /// The matrix of these `rows` · `columns` values.
    init(_ rows: Int, _ columns: Int, _ values: [Double]) {
        precondition(values.count == rows * columns, "one value for each element")
        (self.rows, self.columns, self.values) = (rows, columns, values)
    }

    /// Zeros.
    init(_ rows: Int, _ columns: Int) { self.init(rows, columns, [Double](repeating: 0, count: rows * columns)) }

    subscript(row: Int, column: Int) -> Double {
        get { values[row * columns + column] }
        set { values[row * columns + column] = newValue }
    }

    /// A copy of some of the rows.
    func rows(_ range: Range<Int>) -> Matrix {
        Matrix(range.count, columns, Array(values[range.lowerBound * columns..<range.upperBound * columns]))
    }

    /// A copy of some of the columns.
    func columns(_ range: Range<Int>) -> Matrix {
        Matrix(rows, range.count, (0..<rows).flatMap { row in range.map { self[row, $0] } })
    }

    /// The rows of `other` below these.
    func above(_ other: Matrix) -> Matrix { Matrix(rows + other.rows, columns, values + other.values) }

    /// Each element through a function.
    func map(_ function: (Double) -> Double) -> Matrix { Matrix(rows, columns, values.map(function)) }

    /// The matrix whose element (r, c) is (c, r) of this one.
    var transposed: Matrix {
        var result = Matrix(columns, rows)
        for row in 0..<rows {
            for column in 0..<columns { result[column, row] = self[row, column] }
        }
        return result
    }

    /// Adds each element of `other`.
    mutating func add(_ other: Matrix) {
        for index in values.indices { values[index] += other.values[index] }
    }

    /// Multiplies by each element of `factors`.
    mutating func scale(by factors: Matrix) {
        for index in values.indices { values[index] *= factors.values[index] }
    }

    /// The sum of the products of each pair of elements.
    func dot(_ other: Matrix) -> Double {
        var sum = 0.0
        for index in values.indices { sum += values[index] * other.values[index] }
        return sum
    }

    /// The matrix product. Zeros of the left factor cost nothing: most rows of a gradient may be zeros.
    static func * (a: Matrix, b: Matrix) -> Matrix {
        precondition(a.columns == b.rows, "shapes of a product do not match")
        var product = Matrix(a.rows, b.columns)
        product.values.withUnsafeMutableBufferPointer { product in
            a.values.withUnsafeBufferPointer { left in
                b.values.withUnsafeBufferPointer { right in
                    guard let product = product.baseAddress, let left = left.baseAddress, let right = right.baseAddress
                    else { return }
                    for row in 0..<a.rows {
                        add(left + row * a.columns, a.columns, right, to: product + row * b.columns, b.columns)
                    }
                }
            }
        }
        return product
    }

    /// Adds the product of one row of factors and a matrix to a row of sums; four lines of the matrix at a time, so that the sums are read and
    /// written a quarter as often.
    private static func add(
        _ factors: UnsafePointer<Double>, _ count: Int, _ matrix: UnsafePointer<Double>,
        to sums: UnsafeMutablePointer<Double>, _ columns: Int
    ) {
        let fours = count / 4 * 4
        for k in stride(from: 0, to: fours, by: 4) {
            let (a, b, c, d) = (factors[k], factors[k + 1], factors[k + 2], factors[k + 3])
            if a == 0, b == 0, c == 0, d == 0 { continue }
            let line = matrix + k * columns
            for column in 0..<columns {
                sums[column] +=
                    a * line[column] + b * line[columns + column] + c * line[2 * columns + column]
                    + d * line[3 * columns + column]
            }
        }
        for k in fours..<count {
            for column in 0..<columns { sums[column] += factors[k] * matrix[k * columns + column] }
        }
    }
}

extension SequenceModel {
    /// A parameter in double precision, by its name in model files; a vector is one row. The model must have it.
    func doubles(_ name: String) -> Matrix {
        let tensor = weights[named: name]!
        return Matrix(tensor.rows, tensor.columns, backend.download(tensor).map(Double.init))
    }

    /// The embedding of each item [N, D]. The items must be the model's.
    func embeddings(_ items: [ItemID]) -> Matrix {
        let rows = backend.tensor(items.count, configuration.hiddenSize)
        backend.gather(backend.indices(items.map { Int32($0.row) }), from: itemTable, into: rows)
        return Matrix(rows.rows, rows.columns, backend.download(rows).map(Double.init))
    }
}
