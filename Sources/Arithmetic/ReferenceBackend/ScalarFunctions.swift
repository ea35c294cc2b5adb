#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// 1 / (1 + e^−x), without overflow for any x.
func sigmoid(_ x: Double) -> Double {
    if x >= 0 { return 1 / (1 + exp(-x)) }
    let e = exp(x)
    return e / (1 + e)
}

/// ln(1 + eˣ), without overflow for any x.
func softplus(_ x: Double) -> Double { max(x, 0) + log1p(exp(-abs(x))) }

/// x · σ(x).
func silu(_ x: Double) -> Double { x * sigmoid(x) }

/// d/dx (x · σ(x)).
func siluSlope(_ x: Double) -> Double {
    let s = sigmoid(x)
    return s * (1 + x * (1 - s))
}

/// ln Σ e^x, without overflow; −∞ where there is no term.
func logSumExp(_ x: [Double]) -> Double {
    guard let largest = x.max(), largest > -.infinity else { return -.infinity }
    return largest + log(x.reduce(0) { $0 + exp($1 - largest) })
}

/// e^−x for x ≥ 0: the decay factor α of a state.
func decay(_ x: Double) -> Double { exp(-x) }

/// sqrt(1 − e^−2x + 1e-8) for x ≥ 0, exact near 0.
func inputRoot(_ x: Double) -> Double { (1e-8 - expm1(-2 * x)).squareRoot() }

/// φ = ln(1 + x) for x ≥ 0, a time in units of a timescale: by how much ω has a state fade.
func fadingLogarithm(_ x: Double) -> Double { log1p(x) }

/// eˣ, so that other files need not import the C library.
func exponential(_ x: Double) -> Double { exp(x) }
