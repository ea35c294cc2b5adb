import Tensors

/// The tensors that an operation touches. From them follows the least that it must move.
struct Traffic {
    var read: [Tensor] = []
    var written: [Tensor] = []
    /// Read and written: what is added to.
    var updated: [Tensor] = []

    /// Bytes read and written when each element is read once and written once.
    var bytes: Double { 4 * Double(count(read) + count(written) + 2 * count(updated)) }
    /// Bytes of all the tensors.
    var workingSet: Int { 4 * (count(read) + count(written) + count(updated)) }

    private func count(_ tensors: [Tensor]) -> Int { tensors.reduce(0) { $0 + $1.count } }
}

/// One operation of a training step: what a call costs at least, how often a step calls it, and how to call it.
struct Operation {
    let name: String
    /// Calls that `tokens` tokens of training need.
    let calls: Int
    let tokens: Int
    /// Additions, multiplications, divisions, roots and exponentials of a call, one each.
    let flops: Double
    let traffic: Traffic
    let run: () -> Void

    var flopsPerToken: Double { flops * Double(calls) / Double(tokens) }
    var bytesPerToken: Double { traffic.bytes * Double(calls) / Double(tokens) }
}

/// Flops an element of the chains between products, counted from the formulas in `Backend`.
enum ElementFlops {
    /// σ: exponential, addition, division. SiLU: one more.
    static let sigmoid = 3, silu = 4
    /// SiLU'(x) = σ · (1 + x · (1 − σ)), and the gradient times it.
    static let siluBackward = sigmoid + 4 + 1
    /// Bias, SiLU, dropout.
    static let activate = 1 + silu + 1
    /// Bias, gradient of SiLU, dropout, sum for the bias.
    static let activateBackward = 1 + siluBackward + 1 + 1
    /// Dropout, bias, residual; mean 1, variance 3; normalise 1; scale and shift 2.
    static let norm = 3 + 1 + 3 + 1 + 2
    /// Scale; two sums over the row 3; combination 4; three parameter gradients 4; dropout.
    static let normBackward = 1 + 3 + 4 + 4 + 1
    /// Two biased σ; softplus(Λ) · σ(R); α: exponential; β: 6 of its formula.
    static let gates = 2 * (1 + sigmoid) + 1 + 1 + 6
    /// Gates; β · input, α · h +; SiLU(z) · h.
    static let scan = gates + 3 + silu + 1
    /// Gates again; output gate 10; h 3; input 1; α, β and σ's back to R and I 16; sums for biases and Λ 4.
    static let scanBackward = gates + 10 + 3 + 1 + 16 + 4
    /// Maximum, difference, exponential, sum of a logit; the target's difference is not worth counting.
    static let softmax = 4
    /// Two moments 6; corrections, root, ratio, difference 6.
    static let adam = 12

    /// K taps and SiLU.
    static func convolve(_ taps: Int) -> Int { 2 * taps + silu }
    /// K taps again, gradients of K inputs and K weights; SiLU; sum for the bias.
    static func convolveBackward(_ taps: Int) -> Int { 6 * taps + siluBackward + 1 }
}
