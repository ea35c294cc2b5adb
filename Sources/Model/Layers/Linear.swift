package import Tensors

/// y = x · Wᵀ.
///
/// A bias, where there is one, is added by the operation that follows, in the same pass over memory.
package struct Linear: Sendable {
    /// W [out, in].
    package let weight: Parameter

    /// Initialised with N(0, 0.02), unless said otherwise.
    package init(
        _ name: String, from inputSize: Int, to outputSize: Int, _ initialization: Initialization = .normal(),
        in layout: inout ParameterLayout
    ) {
        weight = layout.matrix(name, outputSize, inputSize, initialization)
    }

    /// Writes y [N, out] from x [N, in], or adds it where `accumulate`.
    package func forward(_ x: Tensor, into y: Tensor, accumulate: Bool = false, _ pass: Pass) {
        pass.backend.multiply(
            x, transposed: false, pass.weights[weight], transposed: true, into: y, accumulate: accumulate)
    }

    /// Adds yGradientᵀ · x to the gradient of W; writes yGradient · W to `xGradient`, or adds it where `accumulate`.
    /// `xGradient` lies apart from `yGradient` and x.
    package func backward(
        _ yGradient: Tensor, input x: Tensor, into xGradient: Tensor, accumulate: Bool, _ pass: Pass,
        _ gradients: Parameters
    ) {
        pass.backend.multiplyBackward(
            yGradient, x: x, weight: pass.weights[weight], xGradient: xGradient, accumulate: accumulate,
            weightGradient: gradients[weight])
    }

    /// Adds yGradientᵀ · x to the gradient of W, for an x that has none.
    package func backward(_ yGradient: Tensor, input x: Tensor, _ pass: Pass, _ gradients: Parameters) {
        pass.backend.multiply(
            yGradient, transposed: true, x, transposed: false, into: gradients[weight], accumulate: true)
    }
}
