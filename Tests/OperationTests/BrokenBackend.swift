import ReferenceBackend
import Tensors

/// The oracle with one mistake, to show that the comparison would find it.
struct BrokenBackend: HostBackend {
    let mutation: Mutation
    private let inner = ReferenceBackend()

    init(_ mutation: Mutation) { self.mutation = mutation }

    var name: String { "broken: \(mutation.rawValue)" }

    // MARK: Memory

    func upload(_ values: [Float], to tensor: Tensor) { inner.upload(values, to: tensor) }
    func upload(_ values: [Int32], to indices: Indices) { inner.upload(values, to: indices) }
    func download(_ tensor: Tensor) -> [Float] { inner.download(tensor) }

    // MARK: Linear algebra and tables

    func multiply(
        _ a: Tensor, transposed aTransposed: Bool, _ b: Tensor, transposed bTransposed: Bool, into output: Tensor,
        accumulate: Bool
    ) {
        var (a, b) = (a, b)
        if mutation == .productForgetsLastTerm, aTransposed, !bTransposed, a.rows > 1 {
            (a, b) = (a.prefix(a.rows - 1), b.prefix(b.rows - 1))
        }
        inner.multiply(
            a, transposed: aTransposed, b, transposed: bTransposed, into: output,
            accumulate: accumulate && mutation != .productIgnoresAccumulate)
    }

    func fill(_ tensor: Tensor, with value: Float) { inner.fill(tensor, with: value) }

    func clearNegatives(of tensor: Tensor) {
        if mutation != .negativesRemain { inner.clearNegatives(of: tensor) }
    }

    func copy(_ source: Tensor, to target: Tensor) {
        guard mutation == .copyIgnoresStride else { return inner.copy(source, to: target) }
        inner.copy(
            Tensor(source.pointer, rows: 1, columns: source.count, in: source.space),
            to: Tensor(target.pointer, rows: 1, columns: target.count, in: target.space))
    }

    func add(_ source: Tensor, to target: Tensor) { inner.add(source, to: target) }
    func squaredNorm(_ tensor: Tensor) -> Double { inner.squaredNorm(tensor) }

    func gather(_ rows: Indices, from table: Tensor, into output: Tensor) {
        inner.gather(rows, from: table, into: output)
        guard mutation == .gatherRepeatsFirstRow, output.rows > 1 else { return }
        inner.copy(output.rows(0..<1), to: output.rows(1..<2))
    }

    func scatterAdd(_ gradient: Tensor, to rows: Indices, of table: Tensor) {
        if mutation == .scatterOverwrites { inner.fill(table, with: 0) }
        inner.scatterAdd(gradient, to: rows, of: table)
    }

    // MARK: Rows

    func residualNorm(
        _ input: Tensor, bias: Tensor?, residual: Tensor?, dropout: Dropout?, parameters: NormParameters,
        rstd: Tensor, output: Tensor
    ) {
        let before = inner.download(input)
        inner.residualNorm(
            input, bias: bias, residual: mutation == .normForgetsResidual ? nil : residual,
            dropout: mutation == .normIgnoresDropout ? nil : dropout, parameters: parameters,
            rstd: rstd, output: output)
        if mutation == .normLeavesInput { inner.upload(before, to: input) }
    }

    func residualNormBackward(
        _ outputGradient: Tensor, normalized: Tensor, rstd: Tensor, dropout: Dropout?,
        parameters: NormParameters, inputGradient: Tensor, residualGradient: Tensor?, biasGradient: Tensor?,
        parameterGradients: NormParameters
    ) {
        if mutation == .normBackwardOverwritesParameterGradients { inner.fill(parameterGradients.shift, with: 0) }
        inner.residualNormBackward(
            outputGradient, normalized: normalized, rstd: rstd,
            dropout: mutation == .normBackwardForgetsDropout ? nil : dropout, parameters: parameters,
            inputGradient: inputGradient, residualGradient: residualGradient, biasGradient: biasGradient,
            parameterGradients: parameterGradients)
    }

    func activate(_ input: Tensor, bias: Tensor?, dropout: Dropout?, output: Tensor) {
        withBroken(dropout) { inner.activate(input, bias: bias, dropout: $0, output: output) }
        switch mutation {
        case .activateWritesPastRow: output.base[(output.rows - 1) * output.stride + output.columns] = 1
        case .activateWritesBeforeFirstRow: output.base[-1] = 1
        case .activateWritesItsInput: input.base[0] += 1
        default: break
        }
    }

    func activateBackward(
        _ outputGradient: Tensor, input: Tensor, bias: Tensor?, dropout: Dropout?, inputGradient: Tensor,
        biasGradient: Tensor?
    ) {
        withBroken(dropout) {
            inner.activateBackward(
                outputGradient, input: input, bias: bias, dropout: $0, inputGradient: inputGradient,
                biasGradient: mutation == .activateBackwardForgetsBiasGradient ? nil : biasGradient)
        }
    }

    private func withBroken(_ dropout: Dropout?, _ body: (Dropout?) -> Void) {
        guard var other = dropout else { return body(nil) }
        if mutation == .dropoutUsesOtherSeed { other.seed &+= 1 << 32 }
        guard mutation == .dropoutUsesLocalRows else { return body(other) }
        let local = allocateIndices(other.rowNumbers.count)
        inner.upload((0..<Int32(local.count)).map { $0 }, to: local.indices)
        other.rowNumbers = local.indices
        withExtendedLifetime(local) { body(other) }
    }

    // MARK: Sequences

    /// The whole batch as one sequence, where that is the mistake.
    private func withBroken(_ starts: Indices, _ mistake: Mutation, _ body: (Indices) -> Void) {
        guard mutation == mistake else { return body(starts) }
        let one = allocateIndices(2)
        inner.upload([0, starts.base[starts.count - 1]], to: one.indices)
        withExtendedLifetime(one) { body(one.indices) }
    }

    func convolve(
        _ input: Tensor, parameters: ConvolutionParameters, starts: Indices, window: Tensor?, finalWindow: Tensor?,
        output: Tensor
    ) {
        withBroken(starts, .convolutionIgnoresRestarts) {
            inner.convolve(
                input, parameters: parameters, starts: $0,
                window: mutation == .convolutionForgetsWindow ? nil : window,
                finalWindow: mutation == .convolutionForgetsFinalWindow ? nil : finalWindow, output: output)
        }
    }

    func convolveBackward(
        _ outputGradient: Tensor, input: Tensor, parameters: ConvolutionParameters, starts: Indices, window: Tensor?,
        finalWindowGradient: Tensor?, inputGradient: Tensor, parameterGradients: ConvolutionParameters,
        windowGradient: Tensor?
    ) {
        let forgetsWindow = mutation == .convolutionBackwardForgetsWindow
        if let windowGradient, forgetsWindow { inner.fill(windowGradient, with: 0) }
        withBroken(starts, .convolutionBackwardIgnoresRestarts) {
            inner.convolveBackward(
                outputGradient, input: input, parameters: parameters, starts: $0,
                window: forgetsWindow ? nil : window,
                finalWindowGradient: mutation == .convolutionBackwardForgetsFinalGradient ? nil : finalWindowGradient,
                inputGradient: inputGradient, parameterGradients: parameterGradients,
                windowGradient: forgetsWindow ? nil : windowGradient)
        }
        if mutation == .convolutionBackwardWritesPastStridedRow, inputGradient.stride > inputGradient.columns {
            inputGradient.base[inputGradient.columns] = 0
        }
    }

    func attend(
        _ inputs: AttentionInputs, starts: Indices, window: Tensor?, finalWindow: Tensor?, output: Tensor
    ) {
        withBroken(inputs, .attentionForgetsBias) { inputs in
            withBroken(starts, .attentionIgnoresRestarts) {
                inner.attend(
                    inputs, starts: $0, window: mutation == .attentionForgetsWindow ? nil : window,
                    finalWindow: mutation == .attentionForgetsFinalWindow ? nil : finalWindow, output: output)
            }
        }
    }

    func attendBackward(
        _ outputGradient: Tensor, inputs: AttentionInputs, starts: Indices, window: Tensor?,
        finalWindowGradient: Tensor?, gradients: AttentionInputs, windowGradient: Tensor?
    ) {
        let forgetsWindow = mutation == .attentionBackwardForgetsWindow
        if let windowGradient, forgetsWindow { inner.fill(windowGradient, with: 0) }
        withBroken(inputs, .attentionBackwardForgetsBias) { inputs in
            withBroken(starts, .attentionBackwardIgnoresRestarts) {
                inner.attendBackward(
                    outputGradient, inputs: inputs, starts: $0, window: forgetsWindow ? nil : window,
                    finalWindowGradient: mutation == .attentionBackwardForgetsFinalGradient ? nil : finalWindowGradient,
                    gradients: gradients, windowGradient: forgetsWindow ? nil : windowGradient)
            }
        }
        let memory = gradients.memory
        if mutation == .attentionBackwardWritesPastStridedRow, memory.stride > memory.columns {
            memory.base[memory.columns] = 0
        }
    }

    /// Without the bias, where that is the mistake.
    private func withBroken(_ inputs: AttentionInputs, _ mistake: Mutation, _ body: (AttentionInputs) -> Void) {
        guard mutation == mistake else { return body(inputs) }
        let zeros = allocate(inputs.span)
        var inputs = inputs
        inputs.bias = zeros.tensor
        withExtendedLifetime(zeros) { body(inputs) }
    }

    func scan(_ inputs: ScanInputs, starts: Indices, initial: Tensor?, states: Tensor, output: Tensor, final: Tensor?) {
        let kept = inner.download(states)
        var inputs = inputs
        if mutation == .scanForgetsGaps, let gaps = inputs.gaps?.events {
            inputs.gaps?.events = allocate(gaps.columns).tensor
        }
        if mutation == .scanForgetsReadGaps { inputs.gaps?.reads = nil }
        withBroken(starts, .scanIgnoresRestarts) { [inputs] in
            inner.scan(
                inputs, starts: $0, initial: mutation == .scanForgetsInitial ? nil : initial, states: states,
                output: output, final: mutation == .scanForgetsFinal ? nil : final)
        }
        if mutation == .scanSkipsLastRow {
            inner.upload(Array(kept.suffix(states.columns)), to: states.rows(states.rows - 1..<states.rows))
        }
    }

    func scanBackward(
        _ outputGradient: Tensor, inputs: ScanInputs, starts: Indices, initial: Tensor?, states: Tensor,
        finalGradient: Tensor?, gradients: ScanInputs, initialGradient: Tensor?
    ) {
        let (decay, fade) = (inner.download(gradients.decay), gradients.fade.map { inner.download($0) })
        var inputs = inputs
        if mutation == .scanBackwardForgetsReadGaps { inputs.gaps?.reads = nil }
        withBroken(starts, .scanBackwardIgnoresRestarts) { [inputs] in
            inner.scanBackward(
                outputGradient, inputs: inputs, starts: $0, initial: initial, states: states,
                finalGradient: mutation == .scanBackwardForgetsFinalGradient ? nil : finalGradient,
                gradients: gradients, initialGradient: initialGradient)
        }
        if mutation == .scanBackwardForgetsDecay { inner.upload(decay, to: gradients.decay) }
        if mutation == .scanBackwardForgetsFade, let fade { inner.upload(fade, to: gradients.fade!) }
    }

    // MARK: Losses and optimiser

    func crossEntropy(
        _ hidden: Tensor, table: Tensor, targets: Indices, softTargets: SoftTargets?, bias: SparseBias?, scale: Float,
        gradients: LossGradients?
    ) -> Double {
        var gradients = gradients
        if mutation == .lossForgetsBiasGradient { gradients?.biasValues = nil }
        let (last, rows) = (table.rows - 1, table.rows)
        let kept = gradients.map { inner.download($0.table.rows(last..<rows)) }
        let loss = inner.crossEntropy(
            hidden, table: table, targets: targets,
            softTargets: mutation == .lossForgetsTeachers ? nil : softTargets,
            bias: mutation == .lossForgetsBias ? nil : bias,
            scale: mutation == .lossIgnoresScale ? 1 : scale, gradients: gradients)
        if mutation == .lossForgetsLastTableRow, let kept, let gradients {
            inner.upload(kept, to: gradients.table.rows(last..<rows))
        }
        return loss
    }

    func sampledCrossEntropy(
        _ hidden: Tensor, table: Tensor, targets: Indices, targetLogQ: Tensor, negatives: Indices, logQ: Tensor,
        bias: SparseBias?, scale: Float, gradients: LossGradients?
    ) -> Double {
        let zeros = (allocate(logQ.count), allocate(targets.count))
        let forgets = mutation == .sampledLossForgetsCorrection
        var gradients = gradients
        if mutation == .lossForgetsBiasGradient { gradients?.biasValues = nil }
        let loss = withExtendedLifetime(zeros) {
            inner.sampledCrossEntropy(
                hidden, table: table, targets: targets, targetLogQ: forgets ? zeros.1.tensor : targetLogQ,
                negatives: negatives, logQ: forgets ? zeros.0.tensor : logQ,
                bias: mutation == .lossForgetsBias ? nil : bias, scale: scale, gradients: gradients)
        }
        guard mutation == .sampledLossKeepsTarget else { return loss }
        let met = (0..<targets.count).contains { n in
            (0..<negatives.count).contains { negatives.base[$0] == targets.base[n] }
        }
        return met ? loss + 0.1 : loss
    }

    func pairwiseLoss(
        _ hidden: Tensor, table: Tensor, targets: Indices, negatives: Indices, scale: Float, gradients: LossGradients?
    ) -> Double {
        let swap = mutation == .pairwiseLossSwapsPair
        return inner.pairwiseLoss(
            hidden, table: table, targets: swap ? negatives : targets, negatives: swap ? targets : negatives,
            scale: scale, gradients: gradients)
    }

    func adam(_ weights: Tensor, gradient: Tensor, firstMoment: Tensor, secondMoment: Tensor, step: AdamStep) {
        var step = step
        if mutation == .adamForgetsCorrection { step.correction2 = 1 }
        if mutation == .adamForgetsDecay { step.weightDecay = 0 }
        if mutation == .adamDecaysEverything { step.decayedCount = .max }
        inner.adam(weights, gradient: gradient, firstMoment: firstMoment, secondMoment: secondMoment, step: step)
    }

    // MARK: Ranking

    func rank(
        _ hidden: Tensor, table: Tensor, targets: Indices, bias: SparseBias?, seen: [[Int32]]
    ) -> [RankCounts]? {
        let ignored = mutation == .rankIgnoresSeen ? seen.map { _ in [] } : seen
        let counts = inner.rank(
            hidden, table: table, targets: targets, bias: mutation == .rankForgetsBias ? nil : bias, seen: ignored)
        if mutation == .rankIgnoresNaN, counts == nil { return seen.map { _ in RankCounts(all: 0, masked: 0) } }
        guard mutation == .rankCountsOnlyHigher else { return counts }
        return counts?.enumerated().map { n, count in
            let lists = inner.topK(
                hidden.rows(n..<n + 1), table: table, k: table.rows, candidates: [.allExcept([])])
            let score = lists[0].first { $0.row == targets.base[n] }!.score
            let ties = Int32(lists[0].count { $0.score == score } - 1)
            return RankCounts(all: count.all - ties, masked: count.masked)
        }
    }

    func topK(
        _ hidden: Tensor, table: Tensor, bias: SparseBias?, k: Int, candidates: [Candidates]
    ) -> [[ScoredRow]] {
        let ignored = candidates.map { each in
            if case .allExcept = each, mutation == .topKIgnoresExclusions { return Candidates.allExcept([]) }
            return each
        }
        let lists = inner.topK(
            hidden, table: table, bias: mutation == .topKForgetsBias ? nil : bias, k: k, candidates: ignored)
        guard mutation == .topKPrefersHigherRow else { return lists }
        return lists.map { $0.sorted { ($0.score, $0.row) > ($1.score, $1.row) } }
    }

    func ranked(_ table: Tensor) -> any RankedTable {
        BrokenRankedTable(mutation: mutation, inner: PlainRankedTable(self, table))
    }
}

/// A table whose best rows are found with one mistake.
private struct BrokenRankedTable: RankedTable {
    let mutation: Mutation
    let inner: PlainRankedTable
    var rowCount: Int { inner.rowCount }

    func best(_ hidden: Tensor, bias: SparseBias?, choices: [RowChoice]) -> [[ScoredRow]] {
        let most = choices.map(\.count).max() ?? 0
        let broken = choices.map { choice in
            var own = choice
            if mutation == .bestRowsIgnoreCounts { own.count = most }
            if case .within(_, let excluded) = own.candidates, mutation == .bestRowsIgnoreSet {
                own.candidates = .allExcept(excluded)
            }
            return own
        }
        return inner.best(hidden, bias: mutation == .bestRowsForgetBias ? nil : bias, choices: broken)
    }
}
