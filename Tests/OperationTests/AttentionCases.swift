import Tensors

extension Bench {
    /// Queries, keys and values as three thirds of one tensor or each of its own; a bias that is nothing much, or that decides.
    fileprivate func attentionInputs(_ shape: Shape) -> AttentionInputs {
        let (rows, width) = (shape.rows, shape.columns)
        let bias = input(1, span(shape), in: shape.has(4) ? -30...30 : -1...1)
        if shape.has(3) {
            let all = input(rows, 3 * width, in: -2...2)
            return AttentionInputs(
                queries: all.columns(0..<width), memory: all.columns(width..<3 * width), bias: bias)
        }
        return AttentionInputs(
            queries: input(rows, width, in: -2...2), memory: input(rows, 2 * width, in: -2...2), bias: bias)
    }

    /// Starts of the shape's rows; in some shapes one sequence has no row at all, and some are one long sequence.
    fileprivate func attentionStarts(_ shape: Shape) -> Indices {
        if shape.options % 7 == 6 { return indices([0, Int32(shape.rows)]) }
        var starts = packedStarts(shape.rows)
        if shape.has(5) { starts.insert(starts[starts.count / 2], at: starts.count / 2) }
        return indices(starts)
    }
}

private func span(_ shape: Shape) -> Int { [5, 1, 64, 2, 17, 150][shape.options % 6] }

private let attentionShapes = shapes(budget: 3_000)

let attendCases: [Case] = attentionShapes.map { shape in
    Case(.attend, "\(shape.name), span \(span(shape))") { bench in
        let starts = bench.attentionStarts(shape)
        let (sequences, past) = (starts.count - 1, (span(shape) - 1) * 2 * shape.columns)
        let window = shape.has(0) ? bench.changing("window", sequences, past) : nil
        var final: Tensor?
        if shape.has(1) { final = shape.has(2) && window != nil ? window : bench.output("final", sequences, past) }
        bench.backend.attend(
            bench.attentionInputs(shape), starts: starts, window: window, finalWindow: final,
            output: bench.output("output", shape.rows, shape.columns))
    }
}

let attendBackwardCases: [Case] = attentionShapes.map { shape in
    Case(.attendBackward, "\(shape.name), span \(span(shape))") { bench in
        let (rows, width) = (shape.rows, shape.columns)
        let starts = bench.attentionStarts(shape)
        let (sequences, past) = (starts.count - 1, (span(shape) - 1) * 2 * width)
        let window = shape.has(0) ? bench.input(sequences, past, in: -2...2) : nil
        let gap = shape.has(3) ? width : 0
        bench.backend.attendBackward(
            bench.input(rows, width), inputs: bench.attentionInputs(shape), starts: starts, window: window,
            finalWindowGradient: shape.has(1) ? bench.input(sequences, past) : nil,
            gradients: AttentionInputs(
                queries: bench.output("query gradient", rows, width, gap: gap, floor: 0.1),
                memory: bench.output("memory gradient", rows, 2 * width, gap: gap, floor: 0.1),
                bias: bench.changing("bias gradient", 1, span(shape), floor: 1)),
            windowGradient: window.map { _ in bench.output("window gradient", sequences, past, floor: 0.1) })
    }
}
