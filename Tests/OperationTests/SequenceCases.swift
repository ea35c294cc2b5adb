import Tensors

extension Bench {
    fileprivate func convolution(_ taps: Int, _ columns: Int) -> ConvolutionParameters {
        ConvolutionParameters(weight: input(taps, columns), bias: input(1, columns))
    }

    /// Starts of the shape's rows; in some shapes one sequence has no row at all.
    fileprivate func sequences(_ shape: Shape) -> Indices {
        if shape.options >= oneSequence { return indices([0, Int32(shape.rows)]) }
        var starts = packedStarts(shape.rows)
        if shape.has(5) { starts.insert(starts[starts.count / 2], at: starts.count / 2) }
        return indices(starts)
    }
}

private func taps(_ shape: Shape) -> Int { [4, 1, 4, 2, 4, 7][shape.options % 6] }

let convolveCases: [Case] = shapes().map { shape in
    Case(.convolve, "\(shape.name), taps \(taps(shape))") { bench in
        let columns = shape.columns
        let starts = bench.sequences(shape)
        let (sequences, past) = (starts.count - 1, (taps(shape) - 1) * columns)
        var (window, final): (Tensor?, Tensor?)
        if shape.has(0) { window = bench.changing("window", sequences, past) }
        if shape.has(1) { final = shape.has(2) && window != nil ? window : bench.output("final", sequences, past) }
        bench.backend.convolve(
            bench.input(shape.rows, columns, gap: shape.has(3) ? columns : 0, in: -2...2),
            parameters: bench.convolution(taps(shape), columns), starts: starts, window: window, finalWindow: final,
            output: bench.output("output", shape.rows, columns))
    }
}

let convolveBackwardCases: [Case] = shapes().map { shape in
    Case(.convolveBackward, "\(shape.name), taps \(taps(shape))") { bench in
        let (rows, columns) = (shape.rows, shape.columns)
        let gap = shape.has(3) ? columns : 0
        let starts = bench.sequences(shape)
        let (sequences, past) = (starts.count - 1, (taps(shape) - 1) * columns)
        let window = shape.has(0) ? bench.input(sequences, past, in: -2...2) : nil
        bench.backend.convolveBackward(
            bench.input(rows, columns), input: bench.input(rows, columns, gap: gap, in: -2...2),
            parameters: bench.convolution(taps(shape), columns), starts: starts, window: window,
            finalWindowGradient: shape.has(1) ? bench.input(sequences, past) : nil,
            inputGradient: bench.output("input gradient", rows, columns, gap: gap),
            parameterGradients: ConvolutionParameters(
                weight: bench.changing("weight gradient", taps(shape), columns, floor: 1),
                bias: bench.changing("bias gradient", 1, columns, floor: 1)),
            windowGradient: window.map { _ in bench.output("window gradient", sequences, past, floor: 1) })
    }
}

/// Windows shorter and longer than sequences, few items and many, with events before the sequences and without; some events
/// at the end are not listed, and the histories have room to spare.
let listRepeatsCases: [Case] = lengths.flatMap { rows in
    [(3, 1, 2), (7, 40, 0), (1024, 5, 0), (33, 300, 40), (40, 9, 70)].map { window, items, mostEarlier in
        Case(.listRepeats, "\(rows) events, window \(window), \(items) items, \(mostEarlier) before") { bench in
            let starts = bench.packedStarts(rows)
            let earlier = starts.dropFirst().map { _ in Int32(bench.integer(in: 0...mostEarlier)) }
            var historyStarts: [Int32] = [0]
            for (s, count) in earlier.enumerated() {
                historyStarts.append(historyStarts[s] + count + starts[s + 1] - starts[s])
            }
            let rule = RepeatRule(window: window, recencies: 5, counts: 4, firstItem: window == 7 ? 1 : 0)
            var places: [Int32] = [0]
            for s in earlier.indices {
                for row in starts[s]..<starts[s + 1] {
                    let isListed = Int(row) < max(1, rows - 3)
                    places.append(
                        places.last! + (isListed ? min(earlier[s] + row - starts[s] + 1, Int32(window)) : 0))
                }
            }
            let room = Int(places.last!)
            let bias = SparseBias(
                starts: bench.indices(places), columns: bench.outputIndices(room), kinds: bench.outputIndices(room),
                values: bench.input(1, 20), scale: 1)
            let count = Int(historyStarts.last!) + (rows % 3 == 0 ? 5 : 0)
            bench.backend.listRepeats(
                of: bench.indices(bench.rowNumbers(count, below: items).map { $0 + rule.firstItem }),
                historyStarts: bench.indices(historyStarts), starts: bench.indices(starts), rule: rule, into: bias)
            let (columns, kinds) = (bench.backend.download(bias.columns), bench.backend.download(bias.kinds))
            // In any order within an event.
            let lists = (0..<rows).flatMap { n in
                (Int(places[n])..<Int(places[n + 1])).map { Int(columns[$0]) * 20 + Int(kinds[$0]) }.sorted()
            }
            bench.report("columns and kinds", exactly: lists)
        }
    }
}

/// What the numbers of a scan look like.
private enum Regime: CaseIterable {
    /// As in a model.
    case ordinary
    /// Λ of ±1e4 and less.
    case extremeDecay
    /// R and I of ±1e4 and less.
    case extremeGates
    /// Both, and Z of ±1e4.
    case extremeAll

    private static let extremes: [Float] = [-1e4, -100, -20, -1, 0, 1, 20, 100, 1e4]

    func decay(_ bench: Bench, _ count: Int) -> [Float] {
        switch self {
        case .ordinary, .extremeGates: bench.numbers(count, in: -7 ... -2)
        case .extremeDecay, .extremeAll: Self.some(bench, count)
        }
    }

    func gates(_ bench: Bench, _ count: Int) -> [Float] {
        switch self {
        case .ordinary, .extremeDecay: bench.numbers(count, in: -3...3)
        case .extremeGates, .extremeAll: Self.some(bench, count)
        }
    }

    func outputGate(_ bench: Bench, _ count: Int) -> [Float] {
        self == .extremeAll ? Self.some(bench, count) : bench.numbers(count, in: -2...2)
    }

    private static func some(_ bench: Bench, _ count: Int) -> [Float] {
        (0..<count).map { _ in extremes[bench.integer(in: 0...extremes.count - 1)] }
    }
}

extension Bench {
    fileprivate func scanInputs(_ shape: Shape, _ regime: Regime, gates: Tensor? = nil) -> ScanInputs {
        let (rows, columns) = (shape.rows, shape.columns)
        let z = regime.outputGate(self, rows * columns)
        return ScanInputs(
            gates: gates ?? input(rows, 2 * columns, values: regime.gates(self, 2 * rows * columns)),
            gateBias: input(1, 2 * columns), input: input(rows, columns),
            outputGate: shape.has(0) ? input(rows, columns, gap: shape.has(1) ? columns : 0, values: z) : nil,
            decay: input(1, columns, values: regime.decay(self, columns)))
    }
}

/// Shapes with these options or higher are one sequence, long enough for a scan over several cores.
private let oneSequence = 1000

private func scanShapes() -> [(Shape, Regime)] {
    let long = [(1000, 8, 1018), (777, 17, 1021), (513, 3, 1087), (2300, 2, 1029)].map {
        Shape(rows: $0, columns: $1, options: $2)
    }
    let extreme = shapes().filter { $0.options % 3 == 0 }
    return (shapes() + long).map { ($0, .ordinary) }
        + Regime.allCases.dropFirst().flatMap { regime in extreme.map { ($0, regime) } }
}

let scanCases: [Case] = scanShapes().map { shape, regime in
    Case(.scan, "\(shape.name), \(regime)") { bench in
        let (rows, columns) = (shape.rows, shape.columns)
        let starts = bench.sequences(shape)
        let sequences = starts.count - 1
        let inputs = bench.scanInputs(shape, regime)
        let initial = shape.has(2) ? bench.changing("initial", sequences, columns) : nil
        let inPlace = shape.has(4) && initial != nil
        let final = shape.has(3) ? (inPlace ? initial : bench.output("final", sequences, columns)) : nil
        bench.backend.scan(
            inputs, starts: starts, initial: initial, states: bench.output("states", rows, columns),
            output: bench.output("output", rows, columns), final: final)
    }
}

/// The states are random: a backward pass takes them as they are.
let scanBackwardCases: [Case] = scanShapes().map { shape, regime in
    Case(.scanBackward, "\(shape.name), \(regime)") { bench in
        let (rows, columns) = (shape.rows, shape.columns)
        let starts = bench.sequences(shape)
        let sequences = starts.count - 1
        let inPlace = shape.has(1)
        let gates = bench.changing(
            "gate gradients", rows, 2 * columns, floor: 1e-3, values: regime.gates(bench, 2 * rows * columns))
        let inputs = bench.scanInputs(shape, regime, gates: inPlace ? gates : nil)
        let initial = shape.has(2) ? bench.input(sequences, columns) : nil
        let z = inputs.outputGate
        bench.backend.scanBackward(
            bench.input(rows, columns), inputs: inputs, starts: starts, initial: initial,
            states: bench.input(rows, columns), finalGradient: shape.has(3) ? bench.input(sequences, columns) : nil,
            gradients: ScanInputs(
                gates: gates, gateBias: bench.changing("gate bias gradient", 1, 2 * columns, floor: 1),
                input: bench.output("input gradient", rows, columns),
                outputGate: z.map {
                    bench.output("output gate gradient", rows, columns, gap: $0.stride - $0.columns)
                },
                decay: bench.changing("decay gradient", 1, columns, floor: 1)),
            initialGradient: shape.has(4) ? bench.output("initial gradient", sequences, columns) : nil)
    }
}
