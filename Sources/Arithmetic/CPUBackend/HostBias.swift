import Tensors

/// A ``SparseBias`` in this process's memory, for inner loops: its methods are inlined, which those of another module are not.
struct HostBias {
    private let starts, columns, kinds: UnsafeMutablePointer<Int32>
    private let values: UnsafeMutablePointer<Float>
    let scale: Float

    init(_ bias: SparseBias) {
        (starts, columns, kinds) = (bias.starts.base, bias.columns.base, bias.kinds.base)
        (values, scale) = (bias.values.base, bias.scale)
    }

    /// Calls `body` with the table row and the kind of each addition to row n.
    func forEach(ofRow n: Int, _ body: (_ column: Int, _ kind: Int) -> Void) {
        for j in Int(starts[n])..<Int(starts[n + 1]) { body(Int(columns[j]), Int(kinds[j])) }
    }

    /// The number that is added for a kind: scale · value.
    func value(_ kind: Int) -> Float { scale * values[kind] }

    /// Adds the bias to a tile of scores: of the rows from `firstRow` on, over the table rows `columns`.
    func add(to scores: Tensor, firstRow: Int, columns: Range<Int>) {
        for r in 0..<scores.rows {
            let row = scores.base + r * scores.stride
            forEach(ofRow: firstRow + r) { column, kind in
                if columns.contains(column) { row[column - columns.lowerBound] += value(kind) }
            }
        }
    }

    /// Adds gradients of the values: those of row r's scores are slopes[r] · gradientScale / rowFactors[r].
    func addGradient(
        of slopes: Tensor, firstRow: Int, columns: Range<Int>, rowFactors: UnsafeMutablePointer<Float>,
        _ gradientScale: Float, to gradient: UnsafeMutablePointer<Float>
    ) {
        for r in 0..<slopes.rows {
            let row = slopes.base + r * slopes.stride
            let factor = scale * gradientScale / rowFactors[r]
            forEach(ofRow: firstRow + r) { column, kind in
                guard columns.contains(column) else { return }
                gradient[kind] += factor * row[column - columns.lowerBound]
            }
        }
    }
}
