/// How events come: the only difference between the two graphs. Tensors of events are [B, T, …].
enum Passage {
    /// One event a row, T = 1.
    case step
    /// Histories that are padded behind their ends, and their lengths [B]. What is behind an end changes nothing before it.
    case histories(lengths: Value)

    /// What belongs to the last event of each row: [B, 1, C].
    func last(_ x: Value) -> Value {
        switch self {
        case .step: x
        case .histories(let lengths): x.gather(inEachRow: lengths.plus(-1).unsqueezed(1))
        }
    }

    /// What a row remembers: of P before the events, with the events [B, P + T, …] behind them, the P up to each row's last.
    func memory(_ earlierAndEvents: Value, count: Int) -> Value {
        switch self {
        case .step: return earlierAndEvents.slice(axis: 1, from: 1)
        case .histories(let lengths):
            let positions = lengths.graph.integers(Array(0..<count), [1, count])
            return earlierAndEvents.gather(inEachRow: lengths.unsqueezed(1) + positions)
        }
    }

    /// h_t = factor_t ⊙ h_{t−1} + input_t, for factors and inputs [B, T, H] and the state before them [B, 1, H]: [B, T, H].
    func recurrence(_ factors: Value, _ inputs: Value, from initial: Value, named name: String) -> Value {
        guard case .histories = self else { return factors * initial + inputs }
        let body = GraphBuilder(name, prefix: name + ".")
        func input(_ name: String) -> Value { body.input(name, .float, [.any("batch"), .any("width")], "") }
        let (state, factor, added) = (input("state"), input("factor"), input("input"))
        let next = factor * state + added
        for name in ["next", "output"] {
            body.output(next, name, .float, [.any("batch"), .any("width")], "")
        }
        // With axes of its own, Scan would do without the transpositions, but onnxruntime's divides by B there, which may be 0.
        let states = factors.graph.nodes(
            "Scan", [initial.squeezed(1), factors.transposed([1, 0, 2]), inputs.transposed([1, 0, 2])],
            [.graph("body", body.graph), .integer("num_scan_inputs", 2)], outputs: 2)[1]
        return states.transposed([1, 0, 2])
    }
}
