/// A part of a network whose gates, activations and deviations are frozen: an affine map of matrices with one row for each event.
protocol AffineMap: Sendable {
    /// Replaces x by the output.
    func apply(_ x: inout Matrix)
    /// Replaces the gradient of the output by that of x. Adds what the map's constants contribute: each times its gradient.
    func pullBack(_ gradient: inout Matrix, _ constants: inout ConstantTerms)
}

/// What does not depend on the events of a history adds to a score.
struct ConstantTerms: Equatable {
    /// Biases and shifts.
    var parameters = 0.0
    /// The state before the first event.
    var state = 0.0
}

/// y = x · Wᵀ.
struct Projection: AffineMap {
    /// W [out, in].
    private let weight: Matrix
    private let transposed: Matrix

    init(_ weight: Matrix) { (self.weight, transposed) = (weight, weight.transposed) }

    func apply(_ x: inout Matrix) { x = x * transposed }
    func pullBack(_ gradient: inout Matrix, _ constants: inout ConstantTerms) { gradient = gradient * weight }
}

/// y = x + b.
struct Shift: AffineMap {
    /// b [1, D] for every row, or [N, D].
    let bias: Matrix

    func apply(_ x: inout Matrix) {
        for t in 0..<x.rows {
            for c in 0..<x.columns { x[t, c] += bias[bias.rows == 1 ? 0 : t, c] }
        }
    }

    func pullBack(_ gradient: inout Matrix, _ constants: inout ConstantTerms) {
        for t in 0..<gradient.rows {
            for c in 0..<gradient.columns { constants.parameters += gradient[t, c] * bias[bias.rows == 1 ? 0 : t, c] }
        }
    }
}

/// y = f ⊙ x.
struct Gate: AffineMap {
    /// f [N, D].
    let factors: Matrix

    func apply(_ x: inout Matrix) { x.scale(by: factors) }
    func pullBack(_ gradient: inout Matrix, _ constants: inout ConstantTerms) { gradient.scale(by: factors) }
}

/// LayerNorm without its shift: y = (x − mean(x)) / deviation ⊙ scale, row by row, with the deviations of the rows that it was frozen for.
struct Normalization: AffineMap {
    /// 1 / deviation of each row; 0 for a row of equal numbers, as in ``Tensors/Backend``.
    private let rstd: [Double]
    /// [1, D].
    private let scale: Matrix

    init(frozenAt x: Matrix, scale: Matrix, epsilon: Double) {
        self.scale = scale
        var centered = x
        Self.center(&centered)
        rstd = (0..<x.rows).map { t in
            var variance = 0.0
            for c in 0..<x.columns { variance += centered[t, c] * centered[t, c] / Double(x.columns) }
            return variance > 0 ? 1 / (variance + epsilon).squareRoot() : 0
        }
    }

    func apply(_ x: inout Matrix) {
        Self.center(&x)
        rescale(&x)
    }

    /// Centring and scaling are symmetric, and so their own transposes.
    func pullBack(_ gradient: inout Matrix, _ constants: inout ConstantTerms) {
        rescale(&gradient)
        Self.center(&gradient)
    }

    private func rescale(_ x: inout Matrix) {
        for t in 0..<x.rows {
            for c in 0..<x.columns { x[t, c] *= rstd[t] * scale[0, c] }
        }
    }

    private static func center(_ x: inout Matrix) {
        for t in 0..<x.rows {
            var mean = 0.0
            for c in 0..<x.columns { mean += x[t, c] }
            mean /= Double(x.columns)
            for c in 0..<x.columns { x[t, c] -= mean }
        }
    }
}

/// y = the last row of x.
struct LastRow: AffineMap {
    /// The number of rows of x.
    let rows: Int

    func apply(_ x: inout Matrix) { x = x.rows(rows - 1..<rows) }
    func pullBack(_ gradient: inout Matrix, _ constants: inout ConstantTerms) {
        gradient = Matrix(rows - 1, gradient.columns).above(gradient)
    }
}

/// Maps one after another.
struct Chain: AffineMap {
    var maps: [any AffineMap] = []

    func apply(_ x: inout Matrix) { for map in maps { map.apply(&x) } }
    func pullBack(_ gradient: inout Matrix, _ constants: inout ConstantTerms) {
        for map in maps.reversed() { map.pullBack(&gradient, &constants) }
    }
}

/// y = branch(x) + x.
struct Residual: AffineMap {
    let branch: Chain

    func apply(_ x: inout Matrix) {
        let input = x
        branch.apply(&x)
        x.add(input)
    }

    func pullBack(_ gradient: inout Matrix, _ constants: inout ConstantTerms) {
        let own = gradient
        branch.pullBack(&gradient, &constants)
        gradient.add(own)
    }
}
