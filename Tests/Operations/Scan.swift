import Tensors

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The gated scan, forward and backward.
package struct Scan: Sendable {
    var rows, columns: Int
    var division: Division
    var numbers: Numbers
    /// Whether there is an output gate, and whether it and its gradient are a half of wider tensors.
    var hasOutputGate = true, isStrided = true
    /// States before the sequences and after them; the latter may take the former's place.
    var hasInitial = false, hasFinal = false, inPlace = false
    /// Backward: whether the gates' gradients take the gates' place, and whether those of the initial states are computed.
    var gatesInPlace = false, hasInitialGradient = false
    /// Whether events have times, and reads too.
    var hasGaps = false, hasReads = false

    /// The distribution of the numbers.
    package enum Numbers: Sendable {
        /// As in a model: each channel's smallest decay factor is one of 0.9 to 0.999, so that states last for thousands of rows.
        case ordinary
        /// Decay factors around 0.7: nothing is left of a state after some hundred rows.
        case forgetful
        /// Λ of ±1e4 and less.
        case extremeDecay
        /// R and I of ±1e4 and less.
        case extremeGates
        /// Both, and Z of ±1e4.
        case extremeAll
        /// States that decay fast, so that every number matters.
        case quick
    }

    /// Of whole sequences, with an output gate that is a half of a wider tensor.
    package init(rows: Int, columns: Int, division: Division, numbers: Numbers = .ordinary) {
        (self.rows, self.columns, self.division, self.numbers) = (rows, columns, division, numbers)
    }

    init(_ shape: Shape, _ numbers: Numbers, division: Division? = nil) {
        (rows, columns, self.numbers) = (shape.rows, shape.columns, numbers)
        self.division = division ?? .random(withEmpty: shape.has(5))
        (hasOutputGate, isStrided, gatesInPlace) = (shape.has(0), shape.has(1), shape.has(1))
        (hasInitial, hasFinal, inPlace, hasInitialGradient) = (shape.has(2), shape.has(3), shape.has(4), shape.has(4))
    }

    /// Two biased σ; softplus(Λ) · σ(R); α: exponential; β: 6 of its formula.
    private static let gateFlops = 2 * (1 + Flops.sigmoid) + 1 + 1 + 6
    /// Gates; β · input, α · h +; SiLU(z) · h.
    private static let forwardFlops = gateFlops + 3 + Flops.silu + 1
    /// Gates again; output gate 10; h 3; input 1; α, β and σ's back to R and I 16; sums for biases and Λ 4.
    private static let backwardFlops = gateFlops + 10 + 3 + 1 + 16 + 4

    package var forward: OperationCase {
        OperationCase(hasGaps ? .fadingScan : .scan, "\(self)", flops: rows * columns * Self.forwardFlops) {
            [self] arguments in
            let starts = arguments.starts(division, rows: rows)
            let sequences = starts.count - 1
            let inputs = inputs(arguments)
            var initial, final: Tensor?
            if hasInitial && hasFinal && inPlace {
                initial = arguments.replaced("initial", by: "final", sequences, columns)
                final = initial
            } else {
                initial = hasInitial ? arguments.input("initial", sequences, columns) : nil
                final = hasFinal ? arguments.output("final", sequences, columns) : nil
            }
            let states = arguments.output("states", rows, columns)
            // Without an output gate the states are the output, and nothing is written to this.
            if !hasOutputGate { arguments.name("states", also: "output") }
            let output = arguments.output(hasOutputGate ? "output" : "no output", rows, columns)
            return { [initial, final] in
                arguments.backend.scan(
                    inputs, starts: starts, initial: initial, states: states, output: output, final: final)
            }
        }
    }

    /// Prepared alone it takes random states: a backward pass takes them as they are.
    package var backward: OperationCase {
        OperationCase(
            hasGaps ? .fadingScanBackward : .scanBackward, "\(self)", flops: rows * columns * Self.backwardFlops
        ) { [self] arguments in
            let starts = arguments.starts(division, rows: rows)
            let sequences = starts.count - 1
            let gateGradient =
                gatesInPlace
                ? arguments.replaced(
                    "gates", by: "gradient of gates", rows, 2 * columns, floor: 1e-3, in: -3...3,
                    values: gates(arguments))
                : arguments.output("gradient of gates", rows, 2 * columns, floor: 1e-3)
            let inputs = inputs(arguments)
            let (states, outputGradient) = (
                arguments.input("states", rows, columns), arguments.input("gradient of output", rows, columns)
            )
            let initial = hasInitial ? arguments.input("initial", sequences, columns) : nil
            let finalGradient = hasFinal ? arguments.input("gradient of final", sequences, columns) : nil
            let gradients = ScanInputs(
                gates: gateGradient,
                gateBias: arguments.accumulated("gradient of gate bias", 1, 2 * columns, floor: 1),
                input: arguments.output("gradient of input", rows, columns),
                outputGate: hasOutputGate
                    ? arguments.output("gradient of output gate", rows, columns, gap: gap) : nil,
                decay: arguments.accumulated("gradient of decay", 1, columns, floor: 1),
                fade: hasGaps ? arguments.accumulated("gradient of fade", 1, columns, floor: 1) : nil)
            let initialGradient =
                hasInitialGradient ? arguments.output("gradient of initial", sequences, columns) : nil
            return {
                arguments.backend.scanBackward(
                    outputGradient, inputs: inputs, starts: starts, initial: initial, states: states,
                    finalGradient: finalGradient, gradients: gradients, initialGradient: initialGradient)
            }
        }
    }

    private var gap: Int { isStrided ? columns : 0 }

    private func inputs(_ arguments: Arguments) -> ScanInputs {
        let outputGate =
            hasOutputGate
            ? arguments.input(
                "output gate", rows, columns, gap: gap, in: -2...2,
                values: numbers == .extremeAll ? extremes(arguments, rows * columns) : nil) : nil
        let isDecayExtreme = numbers == .extremeDecay || numbers == .extremeAll
        let decay = arguments.input(
            "decay", 1, columns, in: decayRange, values: isDecayExtreme ? extremes(arguments, columns) : nil)
        return ScanInputs(
            gates: arguments.input("gates", rows, 2 * columns, in: -3...3, values: gates(arguments)),
            gateBias: arguments.input("gate bias", 1, 2 * columns), input: arguments.input("input", rows, columns),
            outputGate: outputGate, decay: decay,
            fade: hasGaps ? arguments.input("fade", 1, columns, in: 0.05...0.8) : nil,
            gaps: hasGaps ? gaps(arguments) : nil)
    }

    /// Of Λ. The smallest decay factor of a channel is e^-softplus(Λ); a gate of 0 gives its root.
    private var decayRange: ClosedRange<Float> {
        switch numbers {
        case .forgetful: -1...1
        case .quick: -3...1
        default: -6.907 ... -2.197
        }
    }

    /// From none to far beyond the longest timescale.
    private func gaps(_ arguments: Arguments) -> ScanGaps {
        func gaps(_ name: String) -> Tensor {
            let powers = arguments.numbers(rows, in: -3...14)
            return arguments.input(name, 1, rows, values: powers.map { $0 < -1 ? 0 : exp($0) })
        }
        return ScanGaps(
            events: gaps("gaps"), reads: hasReads ? gaps("gaps before reads") : nil,
            rates: arguments.input("rates", 1, columns, in: 1e-4...1))
    }

    private func gates(_ arguments: Arguments) -> [Float]? {
        numbers == .extremeGates || numbers == .extremeAll ? extremes(arguments, 2 * rows * columns) : nil
    }

    private func extremes(_ arguments: Arguments, _ count: Int) -> [Float] {
        let all: [Float] = [-1e4, -100, -20, -1, 0, 1, 20, 100, 1e4]
        return (0..<count).map { _ in all[arguments.integer(in: 0...all.count - 1)] }
    }

    static let cases: [Scan] = {
        // Long enough for a scan over several cores, or over several groups of a GPU's blocks.
        let long = [(1000, 8, 1018), (777, 17, 1021), (513, 3, 1087), (2300, 2, 1029), (6200, 3, 1031)].map {
            Scan(Shape(rows: $0, columns: $1, options: $2), .ordinary, division: .oneSequence)
        }
        let few = shapes().filter { $0.options % 3 == 0 }
        return shapes().map { Scan($0, .ordinary) } + long
            + [Numbers.extremeDecay, .extremeGates, .extremeAll].flatMap { numbers in few.map { Scan($0, numbers) } }
    }()

    /// With times; with those of reads where there is an output gate.
    static let fadingCases: [Scan] = cases.filter { $0.numbers == .ordinary }.enumerated().map { index, scan in
        var scan = scan
        (scan.hasGaps, scan.hasReads) = (true, scan.hasOutputGate && index % 3 > 0)
        return scan
    }

    static let differentiableCases: [DifferentiableCase] = combinations(6).compactMap { options in
        if options[5], !options[4] || !options[0] { return nil }
        var scan = Scan(rows: 10, columns: 3, division: .small)
        scan.numbers = .quick
        (scan.hasOutputGate, scan.hasInitial, scan.hasFinal) = (options[0], options[1], options[2])
        (scan.hasInitialGradient, scan.gatesInPlace) = (options[1], options[3])
        (scan.hasGaps, scan.hasReads) = (options[4], options[5])
        return DifferentiableCase(forward: scan.forward, backward: scan.backward, tolerance: 1e-4)
    }
}
