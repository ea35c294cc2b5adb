import Tensors

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The whole block of fresh weights: linear and embedding N(0, 0.02), biases 0, norms (1, 0), convolution
/// U(−1/√K, 1/√K), Λ on its ring. The padding row of the embedding is zero.
func initialValues(for layout: WeightLayout, _ configuration: ModelConfiguration, seed: UInt64) -> [Float] {
    var generator = SeededGenerator(seed: seed)
    var values = [Float](repeating: 0, count: layout.count)
    func fill(_ index: Int, skip: Int = 0, _ value: (Int) -> Double) {
        let entry = layout.entries[index]
        for i in skip..<entry.rows * entry.columns { values[entry.offset + i] = Float(value(i)) }
    }
    func normal(_ index: Int, skip: Int = 0) { fill(index, skip: skip) { _ in 0.02 * generator.normal() } }
    func ones(_ norm: WeightLayout.Norm) { fill(norm.scale) { _ in 1 } }

    normal(layout.embedding, skip: configuration.hiddenSize)
    ones(layout.embeddingNorm)
    for layer in layout.layers {
        if let projection = layer.inputProjection { normal(projection) }
        if let convolution = layer.convolution {
            let bound = 1 / Double(configuration.convolutionWidth).squareRoot()
            for index in [convolution.weight, convolution.bias] {
                fill(index) { _ in bound * (2 * generator.uniform() - 1) }
            }
        }
        normal(layer.gates.weight)
        switch configuration.decayInitialization {
        case .ring: fill(layer.decay) { ringDecay($0, of: configuration.recurrenceSize) }
        case .normal: normal(layer.decay)
        }
        if let projection = layer.outputProjection { normal(projection) }
        ones(layer.recurrentNorm)
        if let feedForward = layer.feedForward {
            normal(feedForward.inner.weight)
            normal(feedForward.outer.weight)
            ones(feedForward.norm)
        }
    }
    return values
}

/// Λ of channel `index` of `count`: evenly spaced from softplus⁻¹(−ln 0.9) to softplus⁻¹(−ln 0.999), so that α with an
/// open gate runs from 0.9 to 0.999 (paper, section 3.2).
private func ringDecay(_ index: Int, of count: Int) -> Double {
    func inverseSoftplus(_ y: Double) -> Double { log(expm1(y)) }
    let (first, last) = (inverseSoftplus(-log(0.9)), inverseSoftplus(-log(0.999)))
    return count == 1 ? first : first + (last - first) * Double(index) / Double(count - 1)
}
