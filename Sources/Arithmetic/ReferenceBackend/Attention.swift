package import Tensors

extension ReferenceBackend {
    package func attend(
        _ inputs: AttentionInputs, starts: Indices, window: Tensor?, finalWindow: Tensor?, output: Tensor
    ) {
        precondition(inputs.queries.hasShape(of: output), "shapes differ")
        for (s, rows) in starts.sequences.enumerated() {
            let history = History(inputs, s, rows, window)
            for (i, t) in rows.enumerated() {
                let probabilities = history.probabilities(inputs, query: t, i)
                for c in 0..<inputs.width {
                    var sum = 0.0
                    for d in 0..<inputs.span { sum += probabilities[d] * history.value(i, distance: d, c) }
                    output[t, c] = sum
                }
            }
            guard let finalWindow else { continue }
            for (slot, event) in history.events.suffix(inputs.span - 1).enumerated() {
                for (c, value) in event.enumerated() { finalWindow[s, slot * event.count + c] = value }
            }
        }
    }

    package func attendBackward(
        _ outputGradient: Tensor, inputs: AttentionInputs, starts: Indices, window: Tensor?,
        finalWindowGradient: Tensor?, gradients: AttentionInputs, windowGradient: Tensor?
    ) {
        precondition((window == nil) == (windowGradient == nil), "a window comes with its gradient")
        let (past, width) = (inputs.span - 1, 2 * inputs.width)
        var biasGradient = [Double](repeating: 0, count: inputs.span)
        for (s, rows) in starts.sequences.enumerated() {
            let history = History(inputs, s, rows, window)
            var eventGradients = history.events.map { $0.map { _ in 0.0 } }
            for slot in 0..<past {  // the final window is the history's last W − 1 events
                for c in 0..<width {
                    eventGradients[rows.count + slot][c] = finalWindowGradient?[s, slot * width + c] ?? 0
                }
            }
            for (i, t) in rows.enumerated() {
                step(
                    query: t, i, history, inputs, outputGradient, queryGradient: gradients.queries, &eventGradients,
                    &biasGradient)
            }
            for slot in 0..<past {
                for c in 0..<width { windowGradient?[s, slot * width + c] = eventGradients[slot][c] }
            }
            for (i, t) in rows.enumerated() {
                for c in 0..<width { gradients.memory[t, c] = eventGradients[past + i][c] }
            }
        }
        for d in 0..<inputs.span { gradients.bias[d] += biasGradient[d] }
    }

    /// The sequence's i-th event, row t, backward. With p the probabilities and g the gradient of the output, that of p[d] is
    /// g · value, and that of score[d] is p[d] · (g · value − Σ p · (g · value)).
    private func step(
        query t: Int, _ i: Int, _ history: History, _ inputs: AttentionInputs, _ outputGradient: Tensor,
        queryGradient: Tensor, _ eventGradients: inout [[Double]], _ biasGradient: inout [Double]
    ) {
        let (width, span) = (inputs.width, inputs.span)
        let probabilities = history.probabilities(inputs, query: t, i)
        var slopes = [Double](repeating: 0, count: span)
        for d in 0..<span {
            for c in 0..<width { slopes[d] += outputGradient[t, c] * history.value(i, distance: d, c) }
        }
        let mean = zip(probabilities, slopes).reduce(0) { $0 + $1.0 * $1.1 }
        var ownGradient = [Double](repeating: 0, count: width)
        for d in 0..<span {
            let scoreGradient = probabilities[d] * (slopes[d] - mean)
            biasGradient[d] += scoreGradient
            let event = span - 1 + i - d
            for c in 0..<width {
                ownGradient[c] += scoreGradient * history.scale * history.key(i, distance: d, c)
                eventGradients[event][c] += scoreGradient * history.scale * inputs.queries[t, c]
                eventGradients[event][width + c] += probabilities[d] * outputGradient[t, c]
            }
        }
        for c in 0..<width { queryGradient[t, c] = ownGradient[c] }
    }
}

/// The events that one sequence can attend to, each a key and a value: W − 1 of the window, or zeros, and then its own.
private struct History {
    let events: [[Double]]
    let width: Int
    let span: Int
    /// 1 / sqrt(D).
    var scale: Double { 1 / Double(width).squareRoot() }

    init(_ inputs: AttentionInputs, _ sequence: Int, _ rows: Range<Int>, _ window: Tensor?) {
        (width, span) = (inputs.width, inputs.span)
        let size = 2 * width
        let before = (0..<span - 1).map { slot in (0..<size).map { window?[sequence, slot * size + $0] ?? 0 } }
        events = before + rows.map { row in (0..<size).map { inputs.memory[row, $0] } }
    }

    /// Of the event `distance` events before the sequence's i-th.
    func key(_ i: Int, distance: Int, _ c: Int) -> Double { events[span - 1 + i - distance][c] }
    func value(_ i: Int, distance: Int, _ c: Int) -> Double { events[span - 1 + i - distance][width + c] }

    /// softmax(score[t]) of the sequence's i-th event, row t.
    func probabilities(_ inputs: AttentionInputs, query t: Int, _ i: Int) -> [Double] {
        let scores = (0..<span).map { d in
            var product = 0.0
            for c in 0..<width { product += inputs.queries[t, c] * key(i, distance: d, c) }
            return product * scale + inputs.bias[d]
        }
        let total = logSumExp(scores)
        return scores.map { exponential($0 - total) }
    }
}
