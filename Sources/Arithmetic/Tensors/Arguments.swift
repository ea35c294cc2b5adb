/// Scale and shift of a LayerNorm, [D] each, or the gradients of both.
package struct NormParameters: Sendable {
    /// Multiplies the normalised rows.
    package var scale: Tensor
    /// Is added after scaling.
    package var shift: Tensor
    /// ε inside the square root.
    package var epsilon: Float

    package init(scale: Tensor, shift: Tensor, epsilon: Float) {
        self.scale = scale
        self.shift = shift
        self.epsilon = epsilon
    }
}

/// Weight [K, H] (last tap = current event) and bias [H] of a depthwise convolution, or the gradients of both.
package struct ConvolutionParameters: Sendable {
    /// One row for each tap.
    package var weight: Tensor
    /// One value for each channel.
    package var bias: Tensor

    package init(weight: Tensor, bias: Tensor) {
        self.weight = weight
        self.bias = bias
    }
}

/// The inputs and parameters of a gated scan, or the gradients with respect to them.
package struct ScanInputs: Sendable {
    /// [N, 2H]: recurrence gate R, then input gate I, before bias and σ.
    package var gates: Tensor
    /// [2H]: added to the gates.
    package var gateBias: Tensor
    /// [N, H]: the input of the recurrence, before the input gate.
    package var input: Tensor
    /// Z [N, H], may be strided; nil for a recurrence without an output gate.
    package var outputGate: Tensor?
    /// Λ [H]: the decay factor of a channel is exp(−softplus(Λ) · σ(R)).
    package var decay: Tensor
    /// ω [H], not negative: how much faster a channel decays where time passes; nil for a recurrence that does not know of time.
    package var fade: Tensor?
    /// The times; where there is a ``fade``, except among gradients.
    package var gaps: ScanGaps?

    package init(
        gates: Tensor, gateBias: Tensor, input: Tensor, outputGate: Tensor?, decay: Tensor, fade: Tensor? = nil,
        gaps: ScanGaps? = nil
    ) {
        self.gates = gates
        self.gateBias = gateBias
        self.input = input
        self.outputGate = outputGate
        self.decay = decay
        (self.fade, self.gaps) = (fade, gaps)
    }
}

/// The times of a gated scan, which have no gradients: φ(Δ) = log(1 + Δ ⊙ rates).
package struct ScanGaps: Sendable {
    /// Δ [1, N], not negative: the time from the event before to each event.
    package var events: Tensor
    /// Δ [1, N], not negative: the time from each event to when its output is read; nil where it is read at once. Needs an output gate.
    package var reads: Tensor?
    /// [1, H]: the reciprocal of each channel's timescale.
    package var rates: Tensor

    package init(events: Tensor, reads: Tensor?, rates: Tensor) {
        (self.events, self.reads, self.rates) = (events, reads, rates)
    }
}

/// The gradients that a loss computes.
package struct LossGradients: Sendable {
    /// [N, D], overwritten.
    package var hidden: Tensor
    /// [V, D], added to.
    package var table: Tensor
    /// Like ``SparseBias/values``, added to; nil where it is not needed.
    package var biasValues: Tensor?

    package init(hidden: Tensor, table: Tensor, biasValues: Tensor? = nil) {
        self.hidden = hidden
        self.table = table
        self.biasValues = biasValues
    }

    /// The gradients for a loss over these rows of `hidden` only.
    package func rows(_ range: Range<Int>) -> LossGradients {
        LossGradients(hidden: hidden.rows(range), table: table, biasValues: biasValues)
    }
}

/// Additions to a few scores of each row n:
/// score[n, columns[j]] += scale · values[kinds[j]] for j in starts[n] ..< starts[n + 1].
package struct SparseBias: Sendable {
    /// N + 1 positions in `columns` and `kinds`.
    package var starts: Indices
    /// Table rows, none twice for one n.
    package var columns: Indices
    /// Positions in `values`.
    package var kinds: Indices
    /// [1, B]: one value for each kind.
    package var values: Tensor
    /// Multiplies the values.
    package var scale: Float

    package init(starts: Indices, columns: Indices, kinds: Indices, values: Tensor, scale: Float) {
        self.starts = starts
        self.columns = columns
        self.kinds = kinds
        self.values = values
        self.scale = scale
    }

    /// The additions to these rows only.
    package func rows(_ range: Range<Int>) -> SparseBias {
        var own = self
        own.starts = starts.range(range.lowerBound..<range.upperBound + 1)
        return own
    }

    /// Calls `body` with table row and kind of each addition to row n.
    package func forEach(ofRow n: Int, _ body: (_ column: Int, _ kind: Int) -> Void) {
        let (columns, kinds) = (columns.base, kinds.base)
        for j in Int(starts.base[n])..<Int(starts.base[n + 1]) { body(Int(columns[j]), Int(kinds[j])) }
    }

    /// The number that is added for a kind: scale · value.
    package func value(_ kind: Int) -> Float { scale * values.base[kind] }
}

/// Classes of the items of a history, by how long ago each occurred last and by how often it did.
package struct OccurrenceClasses: Sendable {
    /// How many events, from the last backwards, count.
    package var window: Int
    /// Number of classes of recency: 1 event ago, 2–3, 4–7, … in powers of two; the last has no upper bound.
    package var recencies: Int
    /// Number of classes of frequency: once, twice, …; the last has no upper bound.
    package var counts: Int

    package init(window: Int, recencies: Int, counts: Int) {
        (self.window, self.recencies, self.counts) = (window, recencies, counts)
    }

    /// Number of the class of an item that last occurred `recency` events ago (1: it is the last event itself) and `count`
    /// times in all.
    package func number(recency: Int, count: Int) -> Int32 {
        let power = Int.bitWidth - 1 - recency.leadingZeroBitCount
        return Int32(min(power, recencies - 1) * counts + min(count, counts) - 1)
    }
}

/// The hyperparameters of one Adam step (Kingma & Ba 2015, with their symbols).
package struct AdamStep: Sendable {
    /// Learning rate.
    package var learningRate: Float
    /// β₁, the decay factor of the first moment.
    package var beta1: Float
    /// β₂, the decay factor of the second moment.
    package var beta2: Float
    /// ε, added to the square root of the second moment.
    package var epsilon: Float
    /// 1 − β₁ᵗ, the bias correction of the first moment.
    package var correction1: Float
    /// 1 − β₂ᵗ, the bias correction of the second moment.
    package var correction2: Float
    /// Multiplies the gradient before anything else: 1 / targets, and less where the gradient is clipped.
    package var gradientScale: Float
    /// λ of decoupled weight decay (Loshchilov & Hutter, "Decoupled weight decay regularization", ICLR 2019).
    package var weightDecay: Float
    /// Weight decay applies to the first `decayedCount` weights only.
    package var decayedCount: Int
    /// 1 − learning rate · λ: multiplies a weight before the step.
    package var decayFactor: Float { 1 - learningRate * weightDecay }

    /// The step number t = `number`, counted from 1.
    package init(
        number: Int, learningRate: Float, beta1: Float = 0.9, beta2: Float = 0.999, epsilon: Float = 1e-8,
        gradientScale: Float = 1, weightDecay: Float = 0, decayedCount: Int = .max
    ) {
        self.learningRate = learningRate
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.correction1 = Float(1 - power(Double(beta1), number))
        self.correction2 = Float(1 - power(Double(beta2), number))
        self.gradientScale = gradientScale
        self.weightDecay = weightDecay
        self.decayedCount = decayedCount
    }
}

extension AdamStep {
    /// The same step for the weights from index `first` on.
    package func from(_ first: Int) -> AdamStep {
        var part = self
        part.decayedCount = max(0, decayedCount - first)
        return part
    }

    /// The step for a gradient of this squared norm, which is scaled down where its norm is above `largestNorm`.
    package func clipped(to largestNorm: Float, squaredNorm: Double) -> AdamStep {
        var clipped = self
        let norm = squaredNorm.squareRoot()
        if norm > Double(largestNorm) { clipped.gradientScale *= largestNorm / Float(norm) }
        return clipped
    }
}

/// `base` to a whole, non-negative power by repeated squaring: the same bits on every platform.
private func power(_ base: Double, _ exponent: Int) -> Double {
    var result = 1.0
    var square = base
    var rest = exponent
    while rest > 0 {
        if rest & 1 == 1 { result *= square }
        square *= square
        rest >>= 1
    }
    return result
}

/// How many table rows score at least as high as the target: rank − 1, ties against the target.
package struct RankCounts: Sendable, Equatable {
    /// Among all rows but the target.
    package var all: Int32
    /// Among all rows but the target and those already seen.
    package var masked: Int32

    package init(all: Int32, masked: Int32) {
        self.all = all
        self.masked = masked
    }
}
