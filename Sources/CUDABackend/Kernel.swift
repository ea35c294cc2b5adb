/// The kernels by the names that they have in the sources.
enum Kernel: String, CaseIterable, Sendable {
    case fillElements = "fill_elements"
    case copyElements = "copy_elements"
    case addElements = "add_elements"
    case sumSquares = "sum_squares"
    case sumNumbers = "sum_numbers"
    case gatherRows = "gather_rows"
    case scatterRows = "scatter_rows"
    case addColumnSums = "add_column_sums"
    case adam
    case residualNorm = "residual_norm"
    case residualNormBackward = "residual_norm_backward"
    case activate
    case activateBackward = "activate_backward"
    case convolve
    case convolveEnds = "convolve_ends"
    case convolveBackward = "convolve_backward"
    case convolveWindowBackward = "convolve_window_backward"
    case scanShort = "scan_short"
    case scanLong = "scan_long"
    case scanEnds = "scan_ends"
    case scanBackwardShort = "scan_backward_short"
    case scanBackwardLong = "scan_backward_long"
    case scanBackwardEnds = "scan_backward_ends"
    case softmaxRows = "softmax_rows"
    case placeNegatives = "place_negatives"
    case sampledSoftmaxRows = "sampled_softmax_rows"
    case addTargetGradients = "add_target_gradients"
    case pairwiseRows = "pairwise_rows"
    case rankRows = "rank_rows"
    case chooseCandidates = "choose_candidates"
    case takeBest = "take_best"
}
