/// A part of a network whose gates, activations and deviations are frozen: an affine map of matrices with one row for each event.
protocol AffineMap: Sendable {
    /// The output for x.
    func apply(_ x: Matrix) -> Matrix
    /// The gradient of x, given that of the output. Adds what the map's constants contribute: each times its gradient.
    func pullBack(_ gradient: Matrix, _ constants: inout ConstantTerms) -> Matrix
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

    func apply(_ x: Matrix) -> Matrix { x * transposed }
    func pullBack(_ gradient: Matrix, _ constants: inout ConstantTerms) -> Matrix { gradient * weight }
}

/// y = x + b.
struct Shift: AffineMap {
    /// b [1, D].
    let bias: Matrix

    func apply(_ x: Matrix) -> Matrix {
        var y = x
        for t in 0..<x.rows {
            for c in 0..<x.columns { y[t, c] += bias[0, c] }
        }
        return y
    }

    func pullBack(_ gradient: Matrix, _ constants: inout ConstantTerms) -> Matrix {
        for t in 0..<gradient.rows {
            for c in 0..<gradient.columns { constants.parameters += gradient[t, c] * bias[0, c] }
        }
        return gradient
    }
}

/// y = f ⊙ x.
struct Gate: AffineMap {
    /// f [N, D].
    let factors: Matrix

    func apply(_ x: Matrix) -> Matrix { factors.elementwise(x) }
    func pullBack(_ gradient: Matrix, _ constants: inout ConstantTerms) -> Matrix { factors.elementwise(gradient) }
}

/// LayerNorm without its shift: y = (x − mean(x)) / deviation ⊙ scale, row by row, with the deviations of the rows that it was frozen for.
struct Normalization: AffineMap {
    /// 1 / deviation of each row; 0 for a row of equal numbers, as in ``Tensors/Backend``.
    private let rstd: [Double]
    /// [1, D].
    private let scale: Matrix

    init(frozenAt x: Matrix, scale: Matrix, epsilon: Double) {
        self.scale = scale
        let centered = Self.centered(x)
        rstd = (0..<x.rows).map { t in
            var variance = 0.0
            for c in 0..<x.columns { variance += centered[t, c] * centered[t, c] / Double(x.columns) }
            return variance > 0 ? 1 / (variance + epsilon).squareRoot() : 0
        }
    }

    func apply(_ x: Matrix) -> Matrix { scaled(Self.centered(x)) }

    /// Centring and scaling are symmetric, and so their own transposes.
    func pullBack(_ gradient: Matrix, _ constants: inout ConstantTerms) -> Matrix { Self.centered(scaled(gradient)) }

    private func scaled(_ x: Matrix) -> Matrix {
        var y = x
        for t in 0..<x.rows {
            for c in 0..<x.columns { y[t, c] *= rstd[t] * scale[0, c] }
        }
        return y
    }

    private static func centered(_ x: Matrix) -> Matrix {
        var y = x
        for t in 0..<x.rows {
            var mean = 0.0
            for c in 0..<x.columns { mean += x[t, c] / Double(x.columns) }
            for c in 0..<x.columns { y[t, c] -= mean }
        }
        return y
    }
}

/// Maps one after another.
struct Chain: AffineMap {
    var maps: [any AffineMap] = []

    func apply(_ x: Matrix) -> Matrix { maps.reduce(x) { $1.apply($0) } }
    func pullBack(_ gradient: Matrix, _ constants: inout ConstantTerms) -> Matrix {
        maps.reversed().reduce(gradient) { $1.pullBack($0, &constants) }
    }
}

/// y = branch(x) + x.
struct Residual: AffineMap {
    let branch: Chain

    func apply(_ x: Matrix) -> Matrix { branch.apply(x) + x }
    func pullBack(_ gradient: Matrix, _ constants: inout ConstantTerms) -> Matrix {
        branch.pullBack(gradient, &constants) + gradient
    }
}
