import Layers

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The layers of a model, frozen for one history: an affine map of the embeddings of its events.
struct FrozenNetwork {
    /// The embedding of each event [N, D].
    let embeddings: Matrix
    /// From the embeddings to that output.
    let layers: Chain
    /// The output of the last layer for the last event [1, D].
    let output: Matrix

    /// Freezes the layers at the values that they have for these events after a state of the model; `times` are those of the events, for a model with time.
    init(_ model: SequenceModel, embeddings: Matrix, times: [EventTime] = [], state: RecurrentState) {
        self.embeddings = embeddings
        var pass = FreezingPass(model, embeddings, times)
        pass.freezeLayers(state)
        (layers, output) = (pass.maps, pass.x)
    }

    /// The gradient of the score of an item, whose embedding is given [1, D], with respect to the embeddings of the events [N, D].
    func gradient(of item: Matrix, _ constants: inout ConstantTerms) -> Matrix {
        var gradient = item
        layers.pullBack(&gradient, &constants)
        return gradient
    }
}

/// A pass through the layers that freezes each part at the value that it has arrived at, and goes on with the part's output.
struct FreezingPass {
    private(set) var x: Matrix
    private(set) var maps = Chain()
    private let model: SequenceModel
    private let times: [EventTime]

    init(_ model: SequenceModel, _ x: Matrix, _ times: [EventTime]) {
        (self.model, self.x, self.times) = (model, x, times)
    }

    private mutating func apply(_ map: some AffineMap) {
        map.apply(&x)
        maps.maps.append(map)
    }

    /// x · Wᵀ, on which only what is frozen depends.
    private func projected(by weight: Matrix) -> Matrix { x * weight.transposed }

    private mutating func residual(_ freeze: (inout FreezingPass) -> Void) {
        var branch = FreezingPass(model, x, times)
        freeze(&branch)
        x.add(branch.x)
        maps.maps.append(Residual(branch: branch.maps))
    }

    /// The formulas are those of ``Stack``.
    mutating func freezeLayers(_ state: RecurrentState) {
        let shape = model.configuration
        let size = shape.layerStateSize
        norm("embedding_norm")
        for layer in 0..<shape.layerCount {
            let name = "layers.\(layer)."
            let own = state.values[layer * size..<(layer + 1) * size].map(Double.init)
            residual { $0.mixer(name, own, isLast: layer == shape.layerCount - 1) }
            if layer == shape.layerCount - 1 { apply(LastRow(rows: x.rows)) }  // the score depends on no other
            norm(name + "recurrent_norm")
            guard shape.feedForward else { continue }
            residual { $0.feedForward(name + "feed_forward") }
            norm(name + "feed_forward_norm")
        }
    }

    private mutating func norm(_ name: String) {
        let epsilon = Double(model.configuration.normEpsilon)
        apply(Normalization(frozenAt: x, scale: model.doubles(name + ".scale"), epsilon: epsilon))
        apply(Shift(bias: model.doubles(name + ".shift")))
    }

    private mutating func feedForward(_ name: String) {
        apply(Projection(model.doubles(name + ".inner.weight")))
        apply(Shift(bias: model.doubles(name + ".inner.bias")))
        silu()
        apply(Projection(model.doubles(name + ".outer.weight")))
        apply(Shift(bias: model.doubles(name + ".outer.bias")))
    }

    /// SiLU(x) = σ(x) ⊙ x.
    private mutating func silu() { apply(Gate(factors: x.map(sigmoid))) }

    private mutating func mixer(_ name: String, _ state: [Double], isLast: Bool) {
        switch (model.configuration.mixer, model.configuration.block) {
        case (.bdlru, .full): bdlru(name, state, isLast: isLast)
        case (.bdlru, .recurrenceOnly): recurrence(name, state)
        case (.lru, _): lru(name, state)
        case (.attention, _): attention(name, state)
        }
    }

    /// ``BDLRU``. The state is the last K − 1 rows of U, then h.
    private mutating func bdlru(_ name: String, _ state: [Double], isLast: Bool) {
        let (shape, width) = (model.configuration, model.configuration.recurrenceSize)
        let projection = model.doubles(name + "input_projection")
        let z = projected(by: projection.rows(width..<2 * width))
        apply(Projection(projection.rows(0..<width)))
        if shape.hasConvolution {
            let window = Matrix(shape.windowLength, width, Array(state.dropLast(width)))
            apply(FrozenConvolution(weight: model.doubles(name + "convolution.weight"), window: window))
            apply(Shift(bias: model.doubles(name + "convolution.bias")))
        }
        silu()
        recurrence(name, state.suffix(width))
        var factors = z.map { $0 * sigmoid($0) }
        if isLast, shape.usesTime {
            factors.scale(by: fading(name) { TimeFeatures.gap(from: $0.event, to: $0.question) })
        }
        apply(Gate(factors: factors))
        apply(Projection(model.doubles(name + "output_projection")))
        if isLast, shape.usesTime { apply(Shift(bias: questions())) }
    }

    /// e^(−ω ⊙ φ(Δ)) [N, H].
    private func fading(_ name: String, _ gap: (EventTime) -> Double) -> Matrix {
        let fade = model.doubles(name + "fade")
        let rates = TimeFeatures.rates(channels: fade.columns)
        var factors = Matrix(times.count, fade.columns)
        for (t, time) in times.enumerated() {
            for c in 0..<fade.columns {
                factors[t, c] = TimeFeatures.share(fading: fade[0, c], after: gap(time), rates[c])
            }
        }
        return factors
    }

    /// Q · what describes the question about each event [N, D].
    private func questions() -> Matrix {
        let features = times.flatMap { TimeFeatures.question($0).map(Double.init) }
        return Matrix(times.count, TimeFeatures.questionSize, features) * model.doubles("questions").transposed
    }

    /// ``GatedRecurrence``. The state is h.
    private mutating func recurrence(_ name: String, _ state: some Collection<Double>) {
        var gates = projected(by: model.doubles(name + "gates.weight"))
        Shift(bias: model.doubles(name + "gates.bias")).apply(&gates)
        let state = Matrix(1, state.count, Array(state))
        var waited: Matrix?
        if model.configuration.usesTime {
            let hats = times.flatMap { TimeFeatures.event($0).map(Double.init) }
            gates.add(Matrix(times.count, TimeFeatures.hats, hats) * model.doubles(name + "gap_gates").transposed)
            waited = fading(name) { TimeFeatures.gap(from: $0.before, to: $0.event) }
        }
        apply(FrozenRecurrence(gates: gates, decay: model.doubles(name + "decay"), fading: waited, state: state))
    }

    /// ``LRU``: a recurrence whose gates are open. The state is h.
    private mutating func lru(_ name: String, _ state: [Double]) {
        apply(Projection(model.doubles(name + "input_projection")))
        let open = Matrix(x.rows, 2 * x.columns).map { _ in .infinity }
        apply(
            FrozenRecurrence(gates: open, decay: model.doubles(name + "decay"), state: Matrix(1, state.count, state)))
        apply(Projection(model.doubles(name + "output_projection")))
    }

    /// ``SelfAttention``. The state is the key and value of each of the last W − 1 events.
    private mutating func attention(_ name: String, _ state: [Double]) {
        let (width, past) = (model.configuration.hiddenSize, model.configuration.attentionWindow - 1)
        let projection = model.doubles(name + "input_projection")
        func weights(_ part: Int) -> Matrix { projection.rows(part * width..<(part + 1) * width) }
        let memory = Matrix(past, 2 * width, state)
        let keys = memory.columns(0..<width).above(projected(by: weights(1)))
        let queries = projected(by: weights(0))
        apply(Projection(weights(2)))
        apply(
            FrozenAttention(
                queries: queries, keys: keys, distanceBias: model.doubles(name + "distance_bias"),
                window: memory.columns(width..<2 * width)))
        apply(Projection(model.doubles(name + "output_projection")))
    }
}
