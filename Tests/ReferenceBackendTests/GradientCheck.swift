import Tensors
import Testing

/// One tensor that a loss depends on, and the gradient that the backward pass claims.
struct Claim {
    let name: String
    let parameter: Tensor
    let gradient: Tensor
}

/// Compares each claimed gradient with central differences of `loss`, which must compute everything anew.
///
/// The step of 2⁻⁷ is a compromise for values of size 1 in 32-bit storage: outputs are rounded to 6e-8 of their size,
/// which makes up to 1e-5 of a difference quotient, and the fourth-order formula neglects about 1e-7. So `tolerance`,
/// on |claim − quotient| / (1 + |quotient|), lies somewhat above that.
func checkGradients(
    _ claims: [Claim], tolerance: Double, sourceLocation: SourceLocation = #_sourceLocation, _ loss: () -> Double
) {
    for claim in claims {
        var worst = (error: 0.0, message: "")
        for row in 0..<claim.parameter.rows {
            for column in 0..<claim.parameter.columns {
                let place = claim.parameter.base + row * claim.parameter.stride + column
                let quotient = differenceQuotient(at: place, loss)
                let claimed = Double(claim.gradient.base[row * claim.gradient.stride + column])
                let error = abs(claimed - quotient) / (1 + abs(quotient))
                if !(error <= worst.error) { worst = (error, "[\(row), \(column)]: \(claimed), not \(quotient)") }
            }
        }
        #expect(worst.error <= tolerance, "\(claim.name)\(worst.message)", sourceLocation: sourceLocation)
    }
}

/// (loss(x + e) − loss(x − e)) / 2e with a fourth-order correction from twice the step.
private func differenceQuotient(at place: UnsafeMutablePointer<Float>, _ loss: () -> Double) -> Double {
    let kept = place.pointee
    defer { place.pointee = kept }
    func quotient(_ step: Float) -> Double {
        place.pointee = kept + step
        let (above, high) = (loss(), place.pointee)
        place.pointee = kept - step
        let (below, low) = (loss(), place.pointee)
        return (above - below) / (Double(high) - Double(low))
    }
    let step: Float = 0x1p-7
    return (4 * quotient(step) - quotient(2 * step)) / 3
}

/// Σ weights ⊙ outputs in double precision: a loss whose gradient with respect to the outputs is `weights`.
func weighted(_ outputs: Tensor, _ weights: Tensor) -> Double {
    var sum = 0.0
    for row in 0..<outputs.rows {
        for column in 0..<outputs.columns {
            sum +=
                Double(outputs.base[row * outputs.stride + column])
                * Double(weights.base[row * weights.stride + column])
        }
    }
    return sum
}
