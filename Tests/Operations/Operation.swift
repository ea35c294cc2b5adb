/// The operations of a backend that compute something, each with its tolerance and its cases.
package enum Operation: String, CaseIterable, Sendable {
    case multiply, fill, copy, add, clearNegatives, squaredNorm
    case gather, scatterAdd, listOccurrences
    case residualNorm, residualNormBackward
    case activate, activateBackward
    case convolve, convolveBackward
    case attend, attendBackward
    case scan, scanBackward
    case fadingScan, fadingScanBackward
    case crossEntropy, softCrossEntropy, sampledCrossEntropy, pairwiseLoss
    case adam
    case rank, topK, bestRows

    /// Largest allowed |x − y| / (|y| + root mean square of the result) between a backend and the oracle.
    package var tolerance: Double {
        switch self {
        case .fill, .copy, .clearNegatives, .gather, .listOccurrences: 0  // no arithmetic
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
        case .fadingScan: 1e-5  // as without times
        case .fadingScanBackward: 4e-5
        case .crossEntropy, .softCrossEntropy, .sampledCrossEntropy, .pairwiseLoss: 2e-5
        case .adam: 5e-7
        case .rank, .topK, .bestRows: 0  // over whole numbers, whose products are exact
        }
    }

    /// Whether GPUs have the operation.
    package var isOnGPUs: Bool { ![.attend, .attendBackward, .softCrossEntropy].contains(self) }

    /// Shapes and options on which backends are compared.
    package var cases: [OperationCase] {
        switch self {
        case .multiply: Multiply.cases
        case .fill, .copy, .add, .clearNegatives, .squaredNorm: Elementwise.cases(of: self)
        case .gather: TableRows.cases.map(\.gather)
        case .scatterAdd: TableRows.cases.map(\.scatterAdd)
        case .listOccurrences: ListOccurrences.cases
        case .residualNorm: ResidualNorm.cases.map(\.forward) + ResidualNorm.equalNumbers
        case .residualNormBackward: ResidualNorm.cases.map(\.backward)
        case .activate: Activation.cases.map(\.forward)
        case .activateBackward: Activation.cases.map(\.backward)
        case .convolve: Convolution.cases.map(\.forward)
        case .convolveBackward: Convolution.cases.map(\.backward)
        case .attend: Attention.cases.map(\.forward)
        case .attendBackward: Attention.cases.map(\.backward)
        case .scan: Scan.cases.map(\.forward)
        case .scanBackward: Scan.cases.map(\.backward)
        case .fadingScan: Scan.fadingCases.map(\.forward)
        case .fadingScanBackward: Scan.fadingCases.map(\.backward)
        case .crossEntropy: Loss.crossEntropyCases
        case .softCrossEntropy: Loss.softCases
        case .sampledCrossEntropy: Loss.sampledCases
        case .pairwiseLoss: Loss.pairwiseCases
        case .adam: Adam.cases
        case .rank: Ranking.rankCases
        case .topK: Ranking.topKCases
        case .bestRows: Ranking.bestRowsCases
        }
    }
}

/// One operation on given shapes with given options.
package struct OperationCase: Sendable {
    package let operation: Operation
    /// Shapes and options, for messages; also the seed of the case's random numbers.
    package let name: String
    /// Additions, multiplications, divisions, roots and exponentials, one each.
    package let flops: Int
    /// Requests the arguments and returns the call, which may be repeated.
    package let prepare: @Sendable (Arguments) -> () -> Void

    init(
        _ operation: Operation, _ name: String, flops: Int, prepare: @escaping @Sendable (Arguments) -> () -> Void
    ) {
        (self.operation, self.name, self.flops, self.prepare) = (operation, name, flops, prepare)
    }

    package var seed: UInt64 {
        (operation.rawValue + name).utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }
}

/// FLOPs of functions that several operations use.
enum Flops {
    /// σ: exponential, addition, division. SiLU: one more.
    static let sigmoid = 3, silu = 4
    /// SiLU'(x) = σ · (1 + x · (1 − σ)), and the gradient times it.
    static let siluBackward = sigmoid + 4 + 1
}
