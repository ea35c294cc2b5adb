import Foundation
import Layers
import Models
import Tensors

/// A model's layers as nodes of a graph, in the formulas of `BDLRU`, `GatedRecurrence`, `LRU` and `SelfAttention`. Comments give shapes.
struct LayerGraph {
    let model: SequenceModel
    let graph: GraphBuilder
    let passage: Passage
    /// The times of the events; nil where the model does not use them.
    let times: TimeGraph?

    var shape: ModelConfiguration { model.configuration }

    /// A weight as a row.
    func vector(_ name: String) -> Value {
        let values = weight(name)
        return graph.constant(values.numbers, [values.numbers.count], named: name)
    }

    /// x · Wᵀ.
    func linear(_ x: Value, _ name: String) -> Value {
        let (numbers, rows, columns) = weight(name)
        let transposed = (0..<rows * columns).map { numbers[$0 % rows * columns + $0 / rows] }
        return x.multiplied(by: graph.constant(transposed, [columns, rows], named: name))
    }

    /// The vectors of the items [V, D], without the row of padding.
    func itemTable() -> Value {
        let (numbers, rows, columns) = weight("item_embedding")
        return graph.constant(Array(numbers[columns...]), [rows - 1, columns], named: "item_embedding")
    }

    func weight(_ name: String) -> (numbers: [Float], rows: Int, columns: Int) {
        let tensor = model.weights[named: name]!
        return (model.backend.download(tensor), tensor.rows, tensor.columns)
    }

    /// LayerNorm, of deviations from the mean: the operator of that name may compute the variance as a difference of squares. Equal numbers
    /// have the deviation 0, also where ε is 0.
    func norm(_ x: Value, _ name: String) -> Value {
        let deviation = x - x.mean()
        let variance = ((deviation * deviation).mean() + shape.normEpsilon).atLeast(
            graph.floats([.leastNormalMagnitude], []))
        return deviation / variance.squareRoot() * vector(name + ".scale") + vector(name + ".shift")
    }

    /// One layer: from x [B, T, D] to [B, T, D], or in the last layer to [B, 1, D] after each row's last event. `state` is what the layer remembers
    /// [B, rows, width], before and after the events.
    func layer(_ index: Int, _ x: Value, _ state: [Value], isLast: Bool) -> (output: Value, state: [Value]) {
        let name = "layers.\(index)."
        var (inner, next) =
            switch (shape.mixer, shape.block) {
            case (.bdlru, .full): bdlru(x, state, name)
            case (.bdlru, .recurrenceOnly): gatedRecurrence(x, from: state[0], name)
            case (.lru, _): lru(x, state, name)
            case (.attention, _): attention(x, state, name)
            }
        if isLast { inner = passage.last(inner) }
        if isLast, let times { inner = inner * times.fading(until: times.asked, vector(name + "fade")) }
        var mixed = shape.block == .full ? linear(inner, name + "output_projection") : inner
        if isLast, let times { mixed = mixed + linear(times.question, "questions") }
        var y = norm(mixed + (isLast ? passage.last(x) : x), name + "recurrent_norm")
        if shape.feedForward { y = feedForward(y, name + "feed_forward") }
        return (y, next)
    }

    private func feedForward(_ y: Value, _ name: String) -> Value {
        let inner = (linear(y, name + ".inner.weight") + vector(name + ".inner.bias")).silu()
        return norm(linear(inner, name + ".outer.weight") + vector(name + ".outer.bias") + y, name + "_norm")
    }

    private func bdlru(_ x: Value, _ state: [Value], _ name: String) -> (Value, [Value]) {
        let parts = linear(x, name + "input_projection").split([shape.recurrenceSize, shape.recurrenceSize], axis: 2)
        let (c, window) =
            shape.hasConvolution
            ? convolution(parts[0], state.count > 1 ? state[0] : nil, name + "convolution") : (parts[0].silu(), [])
        let (states, last) = gatedRecurrence(c, from: state.last!, name)
        return (parts[1].silu() * states, window + last)
    }

    /// SiLU(b + Σ_k w_k ⊙ U_{t − (K − 1) + k}); `window` [B, K − 1, H] are the inputs before U [B, T, H], nil where K is 1.
    private func convolution(_ u: Value, _ window: Value?, _ name: String) -> (Value, [Value]) {
        let (weights, taps, width) = weight(name + ".weight")
        let all = window.map { $0.joined(with: u, axis: 1) } ?? u
        let terms = (0..<taps).map { k in
            let end = k == taps - 1 ? Int(Int32.max) : k - (taps - 1)
            let tap = graph.constant(
                Array(weights[k * width..<(k + 1) * width]), [width], named: "\(name).weight.\(k)")
            return (taps == 1 ? all : all.slice(axis: 1, from: k, to: end)) * tap
        }
        let sum = terms.dropFirst().reduce(terms[0], +) + vector(name + ".bias")
        return (sum.silu(), window == nil ? [] : [passage.memory(all, count: taps - 1)])
    }

    /// α = exp(−x), x = softplus(Λ) ⊙ σ(R). 1 − α² is written tanh(x) ⊙ (1 + α²), which stays exact for decays near 1.
    private func gatedRecurrence(_ c: Value, from initial: Value, _ name: String) -> (Value, [Value]) {
        var gates = linear(c, name + "gates.weight") + vector(name + "gates.bias")
        if let times { gates = gates + linear(times.hats, name + "gap_gates") }
        let parts = gates.sigmoid().split([shape.recurrenceSize, shape.recurrenceSize], axis: 2)
        let exponent = rate(name) * parts[0]
        var alpha = exponent.negated().exponential()
        let beta = (exponent.hyperbolicTangent() * (alpha * alpha + 1) + 1e-8).squareRoot() * parts[1]
        if let times { alpha = alpha * times.fading(until: times.gaps, vector(name + "fade")) }
        let states = passage.recurrence(alpha, beta * c, from: initial, named: name + "recurrence")
        return (states, [passage.last(states)])
    }

    /// softplus(Λ) = log(1 + e^Λ).
    private func rate(_ name: String) -> Value {
        let rates = weight(name + "decay").numbers.map { value in
            Float(max(0, Double(value)) + log1p(exp(-abs(Double(value)))))
        }
        return graph.constant(rates, [rates.count], named: name + "softplus_decay")
    }

    private func lru(_ x: Value, _ state: [Value], _ name: String) -> (Value, [Value]) {
        let inputs = linear(x, name + "input_projection")
        let exponent = rate(name)
        let alpha = exponent.negated().exponential()
        let beta = (exponent.hyperbolicTangent() * (alpha * alpha + 1) + 1e-8).squareRoot()
        let factors = alpha.expanded(to: graph.node("Shape", [inputs]))
        let states = passage.recurrence(factors, beta * inputs, from: state[0], named: name + "recurrence")
        return (states, [passage.last(states)])
    }
}
