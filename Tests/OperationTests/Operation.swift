/// The operations of a backend that are compared, each with its tolerance and its cases.
enum Operation: String, CaseIterable, Sendable {
    case multiply, fill, copy, add, squaredNorm
    case gather, scatterAdd, listRepeats
    case residualNorm, residualNormBackward
    case activate, activateBackward
    case convolve, convolveBackward
    case attend, attendBackward
    case scan, scanBackward
    case crossEntropy, sampledCrossEntropy, pairwiseLoss
    case adam
    case rank, topK

    /// Largest allowed |x − y| / (|y| + root mean square of the result).
    var tolerance: Double {
        switch self {
        case .fill, .copy, .gather, .listRepeats: 0  // no arithmetic
        case .add: 1e-7  // one rounding
        case .squaredNorm: 1e-6  // blocks may be summed in single precision
        case .scatterAdd: 1e-6  // a rounding for each row that meets another
        case .multiply: 3e-6  // inner products of up to 1,000 terms
        case .residualNorm: 5e-6  // the mean is subtracted from like numbers
        case .residualNormBackward: 5e-6  // and so here; parameters' gradients sum up to 1,000 rows
        case .activate: 1e-6
        case .activateBackward: 5e-6  // the bias gradient sums up to 1,000 rows
        case .convolve: 2e-6
        case .convolveBackward: 5e-6  // as above
        case .attend: 5e-6  // weights of scores up to 60, each off by a few roundings
        case .attendBackward: 1e-5  // the same, and differences of inner products
        case .scan: 1e-5  // roundings of a slowly decaying state pile up
        case .scanBackward: 4e-5  // the same both ways, summed over all rows
        case .crossEntropy, .sampledCrossEntropy, .pairwiseLoss: 2e-5
        case .adam: 5e-7
        case .rank, .topK: 0  // over whole numbers, whose products are exact
        }
    }

    /// Whether a GPU has it.
    var isOnGPUs: Bool { self != .attend && self != .attendBackward }

    var cases: [Case] {
        switch self {
        case .multiply: multiplyCases
        case .fill, .copy, .add, .squaredNorm: elementwiseCases(self)
        case .gather, .scatterAdd: tableCases(self)
        case .listRepeats: listRepeatsCases
        case .residualNorm: residualNormCases
        case .residualNormBackward: residualNormBackwardCases
        case .activate: activateCases
        case .activateBackward: activateBackwardCases
        case .convolve: convolveCases
        case .convolveBackward: convolveBackwardCases
        case .attend: attendCases
        case .attendBackward: attendBackwardCases
        case .scan: scanCases
        case .scanBackward: scanBackwardCases
        case .crossEntropy: crossEntropyCases
        case .sampledCrossEntropy: sampledCrossEntropyCases
        case .pairwiseLoss: pairwiseLossCases
        case .adam: adamCases
        case .rank: rankCases
        case .topK: topKCases
        }
    }
}
