import Tensors

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The initial values of a parameter.
package enum Initialization: Sendable, Equatable {
    case zeros
    case ones
    /// N(0, 0.02); the first `zeroRows` rows are zero.
    case normal(zeroRows: Int = 0)
    /// U(−bound, bound).
    case uniform(bound: Double)
    /// softplus⁻¹(−ln 0.9) … softplus⁻¹(−ln 0.999), evenly spaced: the decay factors exp(−softplus(Λ)) lie between 0.9 and 0.999
    /// (paper, section 3.2).
    case decayRing

    func value(_ index: Int, of count: Int, columns: Int, _ generator: inout SeededGenerator) -> Double? {
        switch self {
        case .zeros: nil
        case .ones: 1
        case .normal(let zeroRows): index < zeroRows * columns ? nil : 0.02 * generator.normal()
        case .uniform(let bound): bound * (2 * generator.uniform() - 1)
        case .decayRing: Self.ring(index, of: count)
        }
    }

    private static func ring(_ index: Int, of count: Int) -> Double {
        func inverseSoftplus(_ y: Double) -> Double { log(expm1(y)) }
        let (first, last) = (inverseSoftplus(-log(0.9)), inverseSoftplus(-log(0.999)))
        return count == 1 ? first : first + (last - first) * Double(index) / Double(count - 1)
    }
}

extension ParameterLayout {
    /// Initial values of all parameters, from one stream of random numbers in the order of the entries.
    package func initialValues(seed: UInt64) -> [Float] {
        var generator = SeededGenerator(seed: seed)
        var values = [Float](repeating: 0, count: count)
        for entry in entries {
            for i in 0..<entry.count {
                guard
                    let value = entry.initialization.value(
                        i, of: entry.count, columns: entry.columns, &generator)
                else { continue }
                values[entry.offset + i] = Float(value)
            }
        }
        return values
    }
}
