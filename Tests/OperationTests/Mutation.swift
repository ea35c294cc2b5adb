import Operations

/// A plausible mistake in a fast backend.
enum Mutation: String, CaseIterable, Sendable {
    case productIgnoresAccumulate, productForgetsLastTerm, copyIgnoresStride, negativesRemain
    case scatterOverwrites, gatherRepeatsFirstRow
    case normForgetsResidual, normIgnoresDropout, normLeavesInput
    case normBackwardOverwritesParameterGradients, normBackwardForgetsDropout
    case activateWritesPastRow, activateWritesBeforeFirstRow, activateWritesItsInput
    case dropoutUsesLocalRows, dropoutUsesOtherSeed
    case activateBackwardForgetsBiasGradient
    case convolutionIgnoresRestarts, convolutionForgetsWindow, convolutionForgetsFinalWindow
    case convolutionBackwardIgnoresRestarts, convolutionBackwardWritesPastStridedRow
    case convolutionBackwardForgetsWindow, convolutionBackwardForgetsFinalGradient
    case attentionIgnoresRestarts, attentionForgetsBias, attentionForgetsWindow, attentionForgetsFinalWindow
    case attentionBackwardIgnoresRestarts, attentionBackwardForgetsBias, attentionBackwardForgetsWindow
    case attentionBackwardForgetsFinalGradient, attentionBackwardWritesPastStridedRow
    case scanIgnoresRestarts, scanForgetsInitial, scanForgetsFinal, scanSkipsLastRow
    case scanForgetsGaps, scanForgetsReadGaps, scanBackwardForgetsFade, scanBackwardForgetsReadGaps
    case scanBackwardIgnoresRestarts, scanBackwardForgetsFinalGradient, scanBackwardForgetsDecay
    case lossIgnoresScale, lossForgetsLastTableRow, sampledLossForgetsCorrection, sampledLossKeepsTarget
    case lossForgetsBias, lossForgetsBiasGradient, rankForgetsBias, topKForgetsBias
    case pairwiseLossSwapsPair, lossForgetsTeachers
    case adamForgetsCorrection
    case adamForgetsDecay
    case adamDecaysEverything
    case rankCountsOnlyHigher, rankIgnoresSeen, rankIgnoresNaN, topKPrefersHigherRow, topKIgnoresExclusions
    case bestRowsIgnoreCounts, bestRowsIgnoreSet, bestRowsForgetBias

    /// Where the comparison must find it.
    var operations: [Operation] {
        switch self {
        case .productIgnoresAccumulate, .productForgetsLastTerm: [.multiply]
        case .copyIgnoresStride: [.copy]
        case .negativesRemain: [.clearNegatives]
        case .scatterOverwrites: [.scatterAdd]
        case .gatherRepeatsFirstRow: [.gather]
        case .normForgetsResidual, .normIgnoresDropout, .normLeavesInput: [.residualNorm]
        case .normBackwardOverwritesParameterGradients, .normBackwardForgetsDropout: [.residualNormBackward]
        case .activateWritesPastRow, .activateWritesBeforeFirstRow, .activateWritesItsInput: [.activate]
        case .dropoutUsesLocalRows, .dropoutUsesOtherSeed: [.activate, .activateBackward]
        case .activateBackwardForgetsBiasGradient: [.activateBackward]
        case .convolutionIgnoresRestarts, .convolutionForgetsWindow, .convolutionForgetsFinalWindow: [.convolve]
        case .convolutionBackwardIgnoresRestarts, .convolutionBackwardWritesPastStridedRow: [.convolveBackward]
        case .convolutionBackwardForgetsWindow, .convolutionBackwardForgetsFinalGradient: [.convolveBackward]
        case .attentionIgnoresRestarts, .attentionForgetsBias, .attentionForgetsWindow, .attentionForgetsFinalWindow:
            [.attend]
        case .attentionBackwardIgnoresRestarts, .attentionBackwardForgetsBias, .attentionBackwardForgetsWindow,
            .attentionBackwardForgetsFinalGradient, .attentionBackwardWritesPastStridedRow:
            [.attendBackward]
        case .scanIgnoresRestarts, .scanForgetsInitial, .scanForgetsFinal, .scanSkipsLastRow: [.scan]
        case .scanForgetsGaps, .scanForgetsReadGaps: [.fadingScan]
        case .scanBackwardForgetsFade, .scanBackwardForgetsReadGaps: [.fadingScanBackward]
        case .scanBackwardIgnoresRestarts, .scanBackwardForgetsFinalGradient, .scanBackwardForgetsDecay:
            [.scanBackward]
        case .lossIgnoresScale, .lossForgetsLastTableRow: [.crossEntropy]
        case .lossForgetsBias, .lossForgetsBiasGradient: [.crossEntropy, .sampledCrossEntropy]
        case .lossForgetsTeachers: [.softCrossEntropy]
        case .rankForgetsBias: [.rank]
        case .topKForgetsBias: [.topK]
        case .sampledLossForgetsCorrection, .sampledLossKeepsTarget: [.sampledCrossEntropy]
        case .pairwiseLossSwapsPair: [.pairwiseLoss]
        case .adamForgetsCorrection, .adamForgetsDecay, .adamDecaysEverything: [.adam]
        case .rankCountsOnlyHigher, .rankIgnoresSeen, .rankIgnoresNaN: [.rank]
        case .topKPrefersHigherRow, .topKIgnoresExclusions: [.topK, .bestRows]
        case .bestRowsIgnoreCounts, .bestRowsIgnoreSet, .bestRowsForgetBias: [.bestRows]
        }
    }

    /// Whether it makes a backward pass disagree with its forward pass.
    var spoilsGradients: Bool {
        switch self {
        case .normBackwardForgetsDropout, .normBackwardOverwritesParameterGradients,
            .activateBackwardForgetsBiasGradient, .convolutionBackwardIgnoresRestarts,
            .convolutionBackwardForgetsWindow, .convolutionBackwardForgetsFinalGradient,
            .attentionBackwardIgnoresRestarts, .attentionBackwardForgetsBias, .attentionBackwardForgetsWindow,
            .attentionBackwardForgetsFinalGradient, .scanBackwardIgnoresRestarts, .scanBackwardForgetsFinalGradient,
            .scanBackwardForgetsDecay, .scanBackwardForgetsFade, .scanBackwardForgetsReadGaps, .lossIgnoresScale,
            .lossForgetsLastTableRow, .lossForgetsBiasGradient:
            true
        default: false
        }
    }
}
