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

    func apply(_ u: Matrix) -> Matrix {
        let inputs = window.above(u)
        var output = Matrix(u.rows, u.columns)
        for t in 0..<u.rows {
            for k in 0..<weight.rows {
                for c in 0..<u.columns { output[t, c] += weight[k, c] * inputs[t + k, c] }
            }
        }
        return output
    }

    func pullBack(_ gradient: Matrix, _ constants: inout ConstantTerms) -> Matrix {
        var inputs = Matrix(window.rows + gradient.rows, gradient.columns)
        for t in 0..<gradient.rows {
            for k in 0..<weight.rows {
                for c in 0..<gradient.columns { inputs[t + k, c] += weight[k, c] * gradient[t, c] }
            }
        }
        constants.state += inputs.rows(0..<window.rows).dot(window)
        return inputs.rows(window.rows..<inputs.rows)
    }
}

/// h_t = α_t ⊙ h_{t−1} + β_t ⊙ c_t, after the state h before.
struct FrozenRecurrence: AffineMap {
    /// α and β [N, H].
    private let decay, input: Matrix
    /// h [1, H].
    private let state: Matrix

    /// α = exp(−softplus(Λ) ⊙ σ(R)) and β = sqrt(1 − α²) ⊙ σ(I), given Λ [1, H] and [R, I] [N, 2H].
    init(gates: Matrix, decay lambda: Matrix, state: Matrix) {
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
        (self.decay, self.input) = (decay, input)
    }

    func apply(_ c: Matrix) -> Matrix {
        var states = state.above(input.elementwise(c))
        for t in 0..<c.rows {
            for channel in 0..<c.columns { states[t + 1, channel] += decay[t, channel] * states[t, channel] }
        }
        return states.rows(1..<states.rows)
    }

    func pullBack(_ gradient: Matrix, _ constants: inout ConstantTerms) -> Matrix {
        var states = Matrix(1, gradient.columns).above(gradient)
        for t in (0..<gradient.rows).reversed() {
            for channel in 0..<gradient.columns { states[t, channel] += decay[t, channel] * states[t + 1, channel] }
        }
        constants.state += states.rows(0..<1).dot(state)
        return input.elementwise(states.rows(1..<states.rows))
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

    func apply(_ values: Matrix) -> Matrix {
        let values = window.above(values)
        var output = Matrix(weights.rows, window.columns)
        for t in 0..<weights.rows {
            for d in 0..<weights.columns {
                for c in 0..<window.columns { output[t, c] += weights[t, d] * values[window.rows + t - d, c] }
            }
        }
        return output
    }

    func pullBack(_ gradient: Matrix, _ constants: inout ConstantTerms) -> Matrix {
        var values = Matrix(window.rows + gradient.rows, gradient.columns)
        for t in 0..<gradient.rows {
            for d in 0..<weights.columns {
                for c in 0..<gradient.columns { values[window.rows + t - d, c] += weights[t, d] * gradient[t, c] }
            }
        }
        constants.state += values.rows(0..<window.rows).dot(window)
        return values.rows(window.rows..<values.rows)
    }
}

/// 1 / (1 + e^−x).
func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

/// ln(1 + eˣ), without overflow for any x.
private func softplus(_ x: Double) -> Double { max(x, 0) + log1p(exp(-abs(x))) }
