/// The operations that models are made of, named after the mathematics. Each is as large as what a kernel can fuse.
///
/// Notation: N tokens (rows) of one packed batch, S sequences, D and H features, K taps, V table rows. `starts` holds
/// S + 1 row numbers, the first 0 and the last N: sequence s is the rows starts[s] ..< starts[s + 1]. Tensors are
/// row-major and contiguous; those that are said to be may be strided (columns of a wider tensor). "Gradient" means the
/// derivative of the loss; parameter gradients are **added to**, activation gradients are **overwritten**, unless
/// said otherwise. A `nil` dropout drops nothing.
///
/// Calls are synchronous on the CPU (see ``HostBackend``) and may be queued elsewhere; ``download(_:)-(Tensor)`` and whatever
/// returns a result wait.
package protocol Backend: Sendable {
    /// Name for logs and tables, e.g. "CPU avx512".
    var name: String { get }
    /// Whether calls are queued for a device. Then many small calls are slow, and repeated shapes are fast (they are recorded as a
    /// graph).
    var isQueued: Bool { get }
    /// The first error of the device, as a message; nil while there is none. After an error nothing is computed, and results are not
    /// to be used.
    var failure: String? { get }
    /// Bytes of address space that each computing thread uses besides what is allocated: they count where `ulimit -v` limits it.
    var addressesPerThread: Int { get }
    /// Runs `body`. A device may record its operations as a graph and start them at once at the end; therefore `body` must not read
    /// what they compute. Operations of other threads come before or after: `body` must not wait for a thread that has any.
    func recordAsGraph(_ body: () -> Void)
    /// A backend for the same memory that has made ready what it can for products with these matrices [n, k], transposed, which do
    /// not change any more; or the backend itself.
    func prepared(for matrices: [Tensor]) -> any Backend

    // MARK: Memory

    /// `count` zeroed floats.
    func allocate(_ count: Int) -> Storage<Float>
    /// `count` zeroed indices.
    func allocateIndices(_ count: Int) -> Storage<Int32>
    /// Writes `values` to the first elements of a contiguous tensor.
    func upload(_ values: [Float], to tensor: Tensor)
    /// Writes `values` to the first elements of `indices`.
    func upload(_ values: [Int32], to indices: Indices)
    /// A vector with these values, to be read only. Within ``recordAsGraph(_:)`` it lasts until the end of that and no longer: a device
    /// gets all such values of a step at once.
    func staged(_ values: [Int32]) -> Indices
    /// The same [1, count] for floats.
    func staged(_ values: [Float]) -> Tensor
    /// A copy of the elements in row-major order. Waits until they are computed.
    func download(_ tensor: Tensor) -> [Float]
    /// A copy of the indices. Waits until they are computed.
    func download(_ indices: Indices) -> [Int32]
    /// A sum of losses that starts at zero.
    func allocateSum() -> LossSum
    /// Sets a sum to `value`.
    func write(_ value: Double, to sum: LossSum)
    /// The value of a sum. Waits until everything added to it is computed.
    func read(_ sum: LossSum) -> Double

    // MARK: Linear algebra

    /// output = op(a) · op(b), or output += where `accumulate`; op(x) is x or, where `transposed`, xᵀ. Any strides. O(m·n·k).
    func multiply(_ a: Tensor, transposed: Bool, _ b: Tensor, transposed: Bool, into output: Tensor, accumulate: Bool)
    /// The gradients of both factors of y = x · wᵀ: adds yGradientᵀ · x to `weightGradient`, and writes yGradient · w to `xGradient`, or adds
    /// it where `accumulate`. A device may compute both at the same time: `xGradient` lies apart from `x` and `yGradient`.
    func multiplyBackward(
        _ yGradient: Tensor, x: Tensor, weight: Tensor, xGradient: Tensor, accumulate: Bool, weightGradient: Tensor)
    /// Sets every element to `value` (any strides).
    func fill(_ tensor: Tensor, with value: Float)
    /// target = source (same shape, any strides).
    func copy(_ source: Tensor, to target: Tensor)
    /// target += source (same shape, any strides).
    func add(_ source: Tensor, to target: Tensor)
    /// Sets negative elements to 0 (any strides).
    func clearNegatives(of tensor: Tensor)
    /// Σ x², in double precision with a fixed order of summation.
    func squaredNorm(_ tensor: Tensor) -> Double

    // MARK: Table rows

    /// output[n] = table[rows[n]].
    func gather(_ rows: Indices, from table: Tensor, into output: Tensor)
    /// table[rows[n]] += gradient[n], in order of n.
    func scatterAdd(_ gradient: Tensor, to rows: Indices, of table: Tensor)

    /// For each event n of a packed batch, lists the distinct items among the last `classes.window` events of its history,
    /// event n included: table rows in `bias.columns`, their classes in `bias.kinds`, from `bias.starts[n]` on, in any order.
    /// `bias.starts` leaves one place for each of these events; places that stay empty get column −1 and kind 0.
    ///
    /// The history of sequence s is `histories[historyStarts[s] ..< historyStarts[s + 1]]`: rows before the sequence, if
    /// any, then all of its own. `histories` may be longer than historyStarts[S].
    func listOccurrences(
        in histories: Indices, historyStarts: Indices, starts: Indices, classes: OccurrenceClasses,
        into bias: SparseBias)

    // MARK: Dropout + residual + LayerNorm

    /// s = dropout(input + bias) + residual; normalized = (s − mean) / sqrt(var + ε); output = normalized ⊙ scale + shift.
    ///
    /// `input` [N, D] is **overwritten with** `normalized`, which the backward pass needs; `rstd` [N] (one column or one row
    /// of N) gets the reciprocal standard deviation 1 / sqrt(var + ε). `bias` [D] and `residual` [N, D] are optional.
    /// `output` may be `residual` but not `input`. (LayerNorm: Ba et al. 2016; biased variance.)
    ///
    /// A row s of zeros (for example one that is dropped entirely) gets the rstd 0 instead of 1 / sqrt(ε): it normalises
    /// to zeros and passes no gradient, where 1 / sqrt(1e-12) would multiply it by a million in every norm that it passes.
    /// So does a row of any equal numbers of which 2 to D together are exact in float32, such as 0.5 or −3. Other equal numbers may
    /// differ from their rounded mean in the last place: they normalise to equal numbers, of any size up to 1.
    func residualNorm(
        _ input: Tensor, bias: Tensor?, residual: Tensor?, dropout: Dropout?, parameters: NormParameters,
        rstd: Tensor, output: Tensor)
    /// Backward of ``residualNorm(_:bias:residual:dropout:parameters:rstd:output:)``.
    ///
    /// `normalized` and `rstd` are results of the forward pass. Overwrites `inputGradient` [N, D] and, where given,
    /// `residualGradient` [N, D]; adds to the scale, shift and bias gradients. `inputGradient` may be
    /// `outputGradient`; `residualGradient` may be neither.
    func residualNormBackward(
        _ outputGradient: Tensor, normalized: Tensor, rstd: Tensor, dropout: Dropout?,
        parameters: NormParameters, inputGradient: Tensor, residualGradient: Tensor?, biasGradient: Tensor?,
        parameterGradients: NormParameters)

    // MARK: bias + SiLU + dropout

    /// output = dropout(SiLU(input + bias)), SiLU(x) = x · σ(x). `bias` [M] is optional; `input` may be strided.
    func activate(_ input: Tensor, bias: Tensor?, dropout: Dropout?, output: Tensor)
    /// Backward of ``activate(_:bias:dropout:output:)``: recomputes from `input`. `inputGradient` (may be strided, may be
    /// `outputGradient`) is overwritten, `biasGradient` is added to.
    func activateBackward(
        _ outputGradient: Tensor, input: Tensor, bias: Tensor?, dropout: Dropout?, inputGradient: Tensor,
        biasGradient: Tensor?)

    // MARK: Causal depthwise convolution + SiLU

    /// output[t, c] = SiLU(bias[c] + Σ_k weight[k, c] · x[t − (K − 1) + k, c]), within each sequence.
    ///
    /// `input` [N, H] may be strided; `weight` [K, H], the last tap is the current event. Rows before a sequence's
    /// first are zero, or row s of `window` [S, (K − 1)·H], oldest first. Where given, `finalWindow` [S, (K − 1)·H]
    /// gets the last K − 1 inputs of each sequence; it may be `window`.
    func convolve(
        _ input: Tensor, parameters: ConvolutionParameters, starts: Indices, window: Tensor?, finalWindow: Tensor?,
        output: Tensor)
    /// Backward of `convolve`: recomputes the pre-activation from `input` and `window`. Overwrites `inputGradient` (may be
    /// strided), adds to the parameter gradients.
    ///
    /// `finalWindowGradient` [S, (K − 1)·H] is the gradient of `finalWindow`, zero where nil. `windowGradient`
    /// [S, (K − 1)·H], which comes with `window` and only then, is overwritten; it may not be `finalWindowGradient`.
    func convolveBackward(
        _ outputGradient: Tensor, input: Tensor, parameters: ConvolutionParameters, starts: Indices, window: Tensor?,
        finalWindowGradient: Tensor?, inputGradient: Tensor, parameterGradients: ConvolutionParameters,
        windowGradient: Tensor?)

    // MARK: Causal attention over a sliding window

    /// Whether ``attend(_:starts:window:finalWindow:output:)`` and its backward pass may be called.
    var supportsAttention: Bool { get }
    /// Softmax attention (Vaswani et al. 2017), one head, of each event over the last W events, itself included, within each
    /// sequence:
    ///
    ///     score[t, d] = queries[t] · keys[t − d] / sqrt(D) + bias[d], d = 0 ..< W
    ///     output[t] = Σ_d softmax(score[t])[d] · values[t − d]
    ///
    /// Events before a sequence's first have keys and values of zeros, and so the score bias[d]; or they are row s of
    /// `window` [S, (W − 1)·2D], oldest first, each its key and then its value. Where given, `finalWindow`
    /// [S, (W − 1)·2D] gets the last W − 1 events of each sequence; it may be `window`. `output` [N, D] is contiguous.
    ///
    /// O(N · min(W, longest sequence) · D) time; memory for one tile of the scores.
    func attend(_ inputs: AttentionInputs, starts: Indices, window: Tensor?, finalWindow: Tensor?, output: Tensor)
    /// Backward of ``attend(_:starts:window:finalWindow:output:)``: recomputes the scores from `inputs` and `window`. The
    /// gradients of queries and memory (may be strided) are overwritten, that of the bias is added to.
    ///
    /// `finalWindowGradient` [S, (W − 1)·2D] is the gradient of `finalWindow`, zero where nil. `windowGradient`
    /// [S, (W − 1)·2D], which comes with `window` and only then, is overwritten; it may not be `finalWindowGradient`.
    func attendBackward(
        _ outputGradient: Tensor, inputs: AttentionInputs, starts: Indices, window: Tensor?,
        finalWindowGradient: Tensor?, gradients: AttentionInputs, windowGradient: Tensor?)

    // MARK: Gated scan (BD-LRU; paper, section 3.2 and 3.3)

    /// The behaviour-dependent linear recurrence with its gates and output gate:
    ///
    ///     R = gates[:, ..<H] + bias[..<H]          I = gates[:, H...] + bias[H...]
    ///     α = exp(−softplus(Λ) ⊙ σ(R))             β = sqrt(1 − α² + 1e-8) ⊙ σ(I)
    ///     h_t = α_t ⊙ h_{t−1} + β_t ⊙ input_t      output_t = SiLU(z_t) ⊙ h_t
    ///
    /// Where there are times (``ScanInputs/fade`` ω, ``ScanInputs/gaps``), the state also fades while nothing happens, and a read fades
    /// it further without changing it, with φ(Δ) = log(1 + Δ ⊙ rates):
    ///
    ///     h_t = e^(−ω ⊙ φ(Δ_t)) ⊙ α_t ⊙ h_{t−1} + β_t ⊙ input_t      output_t = SiLU(z_t) ⊙ e^(−ω ⊙ φ(read_t)) ⊙ h_t
    ///
    /// 1 − α² is −expm1(−2 · softplus(Λ) ⊙ σ(R)), never negative. h before a sequence's first row is zero, or row s of
    /// `initial` [S, H]. `states` [N, H] gets h; `final` [S, H], where given, the last h of each sequence (it may be
    /// `initial`). Without `outputGate` (z; may be strided) the output is h itself and `output` is not written: read
    /// `states`.
    func scan(_ inputs: ScanInputs, starts: Indices, initial: Tensor?, states: Tensor, output: Tensor, final: Tensor?)
    /// Backward of ``scan(_:starts:initial:states:output:final:)``: recomputes gates from `inputs`.
    ///
    /// `finalGradient` [S, H] is the gradient of `final`, zero where nil. All of `gradients` but its parameters are
    /// overwritten; `gradients.gates` may be `inputs.gates` (which are lost then). `initialGradient` [S, H] is
    /// overwritten where given. Without an output gate `outputGradient` is the gradient of h.
    func scanBackward(
        _ outputGradient: Tensor, inputs: ScanInputs, starts: Indices, initial: Tensor?, states: Tensor,
        finalGradient: Tensor?, gradients: ScanInputs, initialGradient: Tensor?)

    // MARK: Losses (each adds the rows' losses to `sum` and scales gradients by `scale`)

    /// Full-catalogue softmax cross-entropy: Σ_n −log softmax(hidden[n] · tableᵀ)[targets[n]], in tiles, never N × V.
    ///
    /// `hidden` [N, D], `table` [V, D], `targets` [N] row numbers of `table`. Where `gradients` is given, `gradients.hidden`
    /// is overwritten and `gradients.table` added to, both times `scale`. `bias` adds to some of the logits; its values'
    /// gradient goes to `gradients.biasValues`. On queued backends a row whose target is negative is padding, without loss
    /// and gradient (for all three losses). O(N·V·D) time.
    ///
    /// With `softTargets` q, which queued backends do not take, the loss is −Σ_v q_v · log softmax(hidden[n] · tableᵀ)[v]. Teachers have no
    /// gradient.
    func addCrossEntropy(
        _ hidden: Tensor, table: Tensor, targets: Indices, softTargets: SoftTargets?, bias: SparseBias?, scale: Float,
        gradients: LossGradients?, to sum: LossSum)
    /// Each row's part of that sum, −log softmax(hidden[n] · tableᵀ)[targets[n]], for evaluation. Waits. O(N·V·D) time.
    func crossEntropies(_ hidden: Tensor, table: Tensor, targets: Indices, bias: SparseBias?) -> [Float]
    /// Softmax over the row's target and a sample of M negatives, with logQ correction (Bengio & Senécal 2008).
    ///
    /// Each `rowsPerSample` rows share one of S = N / `rowsPerSample` samples (rounded up). `negatives` [S · M] are row numbers of
    /// `table`, sample after sample, none twice in a sample, at least one. Logits are hidden · row − logQ: `logQ` [S · M] and
    /// `targetLogQ` [N] are the logarithms of the probabilities with which each row is in a sample. A negative equal to the
    /// row's target is left out. This is the likelihood that the target, among target and sample, is the row that was not drawn; its
    /// maximum is that of the full softmax for any size of the sample (ranking NCE: Ma & Collins 2018). `bias` as in
    /// `addCrossEntropy`. O(N·M·D) time, independent of V.
    func addSampledCrossEntropy(
        _ hidden: Tensor, table: Tensor, targets: Indices, targetLogQ: Tensor, negatives: Indices, logQ: Tensor,
        rowsPerSample: Int, bias: SparseBias?, scale: Float, gradients: LossGradients?,
        to sum: LossSum)
    /// What draws samples of `size` rows on the device, nil where the host does. `cumulative` [V] are the sums of the probabilities that each row
    /// is in a sample, `logQ` [V] the logarithms of these probabilities.
    func sampling(cumulative: [Double], logQ: [Float], size: Int) -> (any RowSampling)?
    /// Bayesian personalised ranking: Σ_n −log σ(hidden[n] · (table[targets[n]] − table[negatives[n]])) (Rendle 2009).
    func addPairwiseLoss(
        _ hidden: Tensor, table: Tensor, targets: Indices, negatives: Indices, scale: Float, gradients: LossGradients?,
        to sum: LossSum)

    // MARK: Optimiser

    /// One Adam step (Kingma & Ba 2015), with decoupled weight decay of the first `step.decayedCount` weights before it, over
    /// `weights`; all four tensors are contiguous and of one size.
    func adam(_ weights: Tensor, gradient: Tensor, firstMoment: Tensor, secondMoment: Tensor, step: AdamStep)
    /// The same for these ascending ranges of elements only, and for `rows`, which are unmarked then; outside of them the gradient is zero.
    /// Sets the gradient to zero afterwards. A gradient whose norm exceeds `largestNorm` is first scaled down to it (gradient
    /// clipping). Rows are marked on devices only, ``sampling(cumulative:logQ:size:)``.
    func adam(
        _ weights: Tensor, gradient: Tensor, firstMoment: Tensor, secondMoment: Tensor, step: AdamStep,
        largestNorm: Float?, clearing ranges: [Range<Int>], rows: MarkedRows?)

    // MARK: Ranking

    /// For each row n the number of table rows, other than the target itself, that score at least as high as it:
    /// the pessimistic rank − 1. Row n's `seen` rows (sorted, unique) are left out of `masked`, not of `all`. `bias` adds
    /// to some of the scores.
    ///
    /// Returns nil if any score is NaN.
    func rank(
        _ hidden: Tensor, table: Tensor, targets: Indices, bias: SparseBias?, seen: [[Int32]]
    ) -> [RankCounts]?
    /// The `k` best-scoring table rows of each row, best first, ties by lower row number; `candidates[n]` says which
    /// rows may be returned. Fewer than k where there are fewer candidates. Rows that score −∞ or NaN are never returned.
    /// `bias` adds to some of the scores.
    func topK(
        _ hidden: Tensor, table: Tensor, bias: SparseBias?, k: Int, candidates: [Candidates]
    ) -> [[ScoredRow]]
    /// A table [V, D] that does not change any more, ready for finding its best rows many times. O(V · D), and up to the table's
    /// memory again.
    func ranked(_ table: Tensor) -> any RankedTable
}
