#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// c_t = Σ_k w_k ⊙ u_{t − (K − 1) + k}: a causal depthwise convolution without its bias, after the last K − 1 inputs before.
struct FrozenConvolution: AffineMap {
    /// w [K, H].
    let weight: Matrix
    /// [K − 1, H], oldest first.
    let window: Matrix

    func apply(_ u: inout Matrix) {
        let inputs = window.above(u)
        u = Matrix(u.rows, u.columns)
        for t in 0..<u.rows {
            for k in 0..<weight.rows {
                for c in 0..<u.columns { u[t, c] += weight[k, c] * inputs[t + k, c] }
            }
        }
    }

    func pullBack(_ gradient: inout Matrix, _ constants: inout ConstantTerms) {
        var inputs = Matrix(window.rows + gradient.rows, gradient.columns)
        for t in 0..<gradient.rows {
            for k in 0..<weight.rows {
                for c in 0..<gradient.columns { inputs[t + k, c] += weight[k, c] * gradient[t, c] }
            }
        }
        constants.state += inputs.rows(0..<window.rows).dot(window)
        gradient = inputs.rows(window.rows..<inputs.rows)
    }
}

/// h_t = α_t ⊙ h_{t−1} + β_t ⊙ x_t, after the state h before.
struct FrozenRecurrence: AffineMap {
    /// α and β [N, H].
    private let decay, input: Matrix
    /// h [1, H].
    private let state: Matrix

    /// α = exp(−softplus(Λ) ⊙ σ(R)) and β = sqrt(1 − α²) ⊙ σ(I), given Λ [1, H] and [R, I] [N, 2H]. Where time passes, `fading` [N, H] multiplies α.
    init(gates: Matrix, decay lambda: Matrix, fading: Matrix? = nil, state: Matrix) {
        self.state = state
        let width = lambda.columns
        let rate = lambda.map(softplus)
        var (decay, input) = (Matrix(gates.rows, width), Matrix(gates.rows, width))
        for t in 0..<gates.rows {
            for c in 0..<width {
                let exponent = rate[0, c] * sigmoid(gates[t, c])
                decay[t, c] = exp(-exponent)
                input[t, c] = (1e-8 - expm1(-2 * exponent)).squareRoot() * sigmoid(gates[t, width + c])
            }
        }
        if let fading { decay.scale(by: fading) }
        (self.decay, self.input) = (decay, input)
    }

    func apply(_ x: inout Matrix) {
        x.scale(by: input)
        for c in 0..<x.columns { x[0, c] += decay[0, c] * state[0, c] }
        for t in 1..<x.rows {
            for c in 0..<x.columns { x[t, c] += decay[t, c] * x[t - 1, c] }
        }
    }

    func pullBack(_ gradient: inout Matrix, _ constants: inout ConstantTerms) {
        for t in (1..<gradient.rows).reversed() {
            for c in 0..<gradient.columns { gradient[t - 1, c] += decay[t, c] * gradient[t, c] }
        }
        for c in 0..<gradient.columns { constants.state += gradient[0, c] * decay[0, c] * state[0, c] }
        gradient.scale(by: input)
    }
}

/// y_t = Σ_d p_{t,d} · v_{t−d}, d = 0 ..< W, after the values of the last W − 1 events before.
struct FrozenAttention: AffineMap {
    /// p [N, W].
    private let weights: Matrix
    /// [W − 1, D], oldest first.
    private let window: Matrix

    /// p_t = softmax over d of q_t · k_{t−d} / sqrt(D) + b_d, given q [N, D], b [1, W] and k of the window and the events [W − 1 + N, D].
    init(queries: Matrix, keys: Matrix, distanceBias: Matrix, window: Matrix) {
        self.window = window
        let (width, span) = (queries.columns, distanceBias.columns)
        var weights = Matrix(queries.rows, span)
        for t in 0..<queries.rows {
            for d in 0..<span {
                var product = 0.0
                for c in 0..<width { product += queries[t, c] * keys[span - 1 + t - d, c] }
                weights[t, d] = product / Double(width).squareRoot() + distanceBias[0, d]
            }
            let largest = (0..<span).reduce(-Double.infinity) { max($0, weights[t, $1]) }
            for d in 0..<span { weights[t, d] = exp(weights[t, d] - largest) }
            let total = (0..<span).reduce(0) { $0 + weights[t, $1] }
            for d in 0..<span { weights[t, d] /= total }
        }
        self.weights = weights
    }

    func apply(_ x: inout Matrix) {
        let values = window.above(x)
        x = Matrix(x.rows, x.columns)
        for t in 0..<weights.rows {
            for d in 0..<weights.columns {
                for c in 0..<x.columns { x[t, c] += weights[t, d] * values[window.rows + t - d, c] }
            }
        }
    }

    func pullBack(_ gradient: inout Matrix, _ constants: inout ConstantTerms) {
        var values = Matrix(window.rows + gradient.rows, gradient.columns)
        for t in 0..<weights.rows {
            for d in 0..<weights.columns {
                for c in 0..<gradient.columns { values[window.rows + t - d, c] += weights[t, d] * gradient[t, c] }
            }
        }
        constants.state += values.rows(0..<window.rows).dot(window)
        gradient = values.rows(window.rows..<values.rows)
    }
}

/// 1 / (1 + e^−x).
func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

/// ln(1 + eˣ), without overflow for any x.
private func softplus(_ x: Double) -> Double { max(x, 0) + log1p(exp(-abs(x))) }
