import Tensors
import Testing

/// Every backward pass against finite differences of its own forward pass.
@Suite struct GradientTests {
    /// The first `count` bits of a number: every way to switch `count` options.
    static func combinations(_ count: Int) -> [[Bool]] {
        (0..<1 << count).map { bits in (0..<count).map { bits >> $0 & 1 == 1 } }
    }

    /// Sequences of one row at both ends and between longer ones, and one without rows.
    static let starts: [Int32] = [0, 1, 4, 4, 5, 9, 10]

    @Test(arguments: combinations(3))
    func residualNorm(options: [Bool]) {
        withArena { arena in
            let (rows, columns) = (4, 5)
            let input = arena.random(rows, columns)
            let bias = options[0] ? arena.random(1, columns) : nil
            let residual = options[1] ? arena.random(rows, columns) : nil
            let dropout = options[2] ? arena.dropout(rows: rows) : nil
            let parameters = NormParameters(
                scale: arena.random(1, columns), shift: arena.random(1, columns), epsilon: 0.1)
            let weights = arena.random(rows, columns)
            let (normalized, output) = (arena.tensor(rows, columns), arena.tensor(rows, columns))
            let deviation = arena.tensor(1, rows)
            func loss() -> Double {
                backend.copy(input, to: normalized)
                backend.residualNorm(
                    normalized, bias: bias, residual: residual, dropout: dropout, parameters: parameters,
                    inverseDeviation: deviation, output: output)
                return weighted(output, weights)
            }
            _ = loss()
            let (dInput, dResidual) = (arena.tensor(rows, columns), arena.tensor(rows, columns))
            let (dBias, dScale, dShift) = (arena.tensor(1, columns), arena.tensor(1, columns), arena.tensor(1, columns))
            backend.residualNormBackward(
                weights, normalized: normalized, inverseDeviation: deviation, dropout: dropout, parameters: parameters,
                inputGradient: dInput, residualGradient: residual == nil ? nil : dResidual,
                biasGradient: bias == nil ? nil : dBias,
                parameterGradients: NormParameters(scale: dScale, shift: dShift, epsilon: 0.1))
            var claims = [
                Claim(name: "input", parameter: input, gradient: dInput),
                Claim(name: "scale", parameter: parameters.scale, gradient: dScale),
                Claim(name: "shift", parameter: parameters.shift, gradient: dShift),
            ]
            if let bias { claims.append(Claim(name: "bias", parameter: bias, gradient: dBias)) }
            if let residual { claims.append(Claim(name: "residual", parameter: residual, gradient: dResidual)) }
            checkGradients(claims, tolerance: 1e-4, loss)
        }
    }

    @Test(arguments: combinations(2))
    func activation(options: [Bool]) {
        withArena { arena in
            let (rows, columns) = (5, 7)
            let input = arena.random(rows, columns, in: -3...3)
            let bias = options[0] ? arena.random(1, columns) : nil
            let dropout = options[1] ? arena.dropout(rows: rows) : nil
            let weights = arena.random(rows, columns)
            let output = arena.tensor(rows, columns)
            let (dInput, dBias) = (arena.tensor(rows, columns), arena.tensor(1, columns))
            backend.activateBackward(
                weights, input: input, bias: bias, dropout: dropout, inputGradient: dInput,
                biasGradient: bias == nil ? nil : dBias)
            var claims = [Claim(name: "input", parameter: input, gradient: dInput)]
            if let bias { claims.append(Claim(name: "bias", parameter: bias, gradient: dBias)) }
            checkGradients(claims, tolerance: 3e-5) {
                backend.activate(input, bias: bias, dropout: dropout, output: output)
                return weighted(output, weights)
            }
        }
    }

    /// Options: a window before each sequence, a gradient of the one after it.
    @Test(arguments: [1, 2, 4, 7], combinations(2))
    func convolution(taps: Int, options: [Bool]) {
        withArena { arena in
            let (rows, columns, sequences) = (10, 3, Self.starts.count - 1)
            let starts = arena.indices(Self.starts)
            let input = arena.random(rows, 2 * columns).columns(columns..<2 * columns)
            let parameters = ConvolutionParameters(
                weight: arena.random(taps, columns), bias: arena.random(1, columns))
            let past = (taps - 1) * columns
            let window = options[0] ? arena.random(sequences, past) : nil
            let weights = arena.random(rows, columns)
            let finalWeights = options[1] ? arena.random(sequences, past) : nil
            let (output, final) = (arena.tensor(rows, columns), arena.tensor(sequences, past))
            let dInput = arena.tensor(rows, columns)
            let dWindow = window.map { _ in arena.random(sequences, past) }
            let own = ConvolutionParameters(weight: arena.tensor(taps, columns), bias: arena.tensor(1, columns))
            backend.convolveBackward(
                weights, input: input, parameters: parameters, starts: starts, window: window,
                finalWindowGradient: finalWeights, inputGradient: dInput, parameterGradients: own,
                windowGradient: dWindow)
            var claims = [
                Claim(name: "input", parameter: input, gradient: dInput),
                Claim(name: "weight", parameter: parameters.weight, gradient: own.weight),
                Claim(name: "bias", parameter: parameters.bias, gradient: own.bias),
            ]
            if let window, let dWindow { claims.append(Claim(name: "window", parameter: window, gradient: dWindow)) }
            checkGradients(claims, tolerance: 3e-5) {
                backend.convolve(
                    input, parameters: parameters, starts: starts, window: window, finalWindow: final, output: output)
                return weighted(output, weights) + (finalWeights.map { weighted(final, $0) } ?? 0)
            }
        }
    }

    /// Options: a window before each sequence, a gradient of the one after it.
    @Test(arguments: [1, 2, 4, 7], combinations(2))
    func attention(span: Int, options: [Bool]) {
        withArena { arena in
            let (rows, width, sequences) = (10, 3, Self.starts.count - 1)
            let starts = arena.indices(Self.starts)
            let all = arena.random(rows, 3 * width)
            let inputs = AttentionInputs(
                queries: all.columns(0..<width), memory: all.columns(width..<3 * width), bias: arena.random(1, span))
            let past = (span - 1) * 2 * width
            let window = options[0] ? arena.random(sequences, past) : nil
            let weights = arena.random(rows, width)
            let finalWeights = options[1] ? arena.random(sequences, past) : nil
            let (output, final) = (arena.tensor(rows, width), arena.tensor(sequences, past))
            let dWindow = window.map { _ in arena.random(sequences, past) }
            let own = AttentionInputs(
                queries: arena.random(rows, width), memory: arena.random(rows, 2 * width), bias: arena.tensor(1, span))
            backend.attendBackward(
                weights, inputs: inputs, starts: starts, window: window, finalWindowGradient: finalWeights,
                gradients: own, windowGradient: dWindow)
            var claims = [
                Claim(name: "queries", parameter: inputs.queries, gradient: own.queries),
                Claim(name: "memory", parameter: inputs.memory, gradient: own.memory),
                Claim(name: "bias", parameter: inputs.bias, gradient: own.bias),
            ]
            if let window, let dWindow { claims.append(Claim(name: "window", parameter: window, gradient: dWindow)) }
            checkGradients(claims, tolerance: 3e-5) {
                backend.attend(inputs, starts: starts, window: window, finalWindow: final, output: output)
                return weighted(output, weights) + (finalWeights.map { weighted(final, $0) } ?? 0)
            }
        }
    }

    /// Options: an output gate, an initial state, a gradient of the final state, gates overwritten by their gradients.
    @Test(arguments: combinations(4))
    func scan(options: [Bool]) {
        withArena { arena in
            let (rows, columns, sequences) = (10, 3, Self.starts.count - 1)
            let starts = arena.indices(Self.starts)
            let inputs = ScanInputs(
                gates: arena.random(rows, 2 * columns, in: -2...2), gateBias: arena.random(1, 2 * columns),
                input: arena.random(rows, columns),
                outputGate: options[0] ? arena.random(rows, 2 * columns).columns(columns..<2 * columns) : nil,
                decay: arena.random(1, columns, in: -3...1))
            let initial = options[1] ? arena.random(sequences, columns) : nil
            let weights = arena.random(rows, columns)
            let finalWeights = options[2] ? arena.random(sequences, columns) : nil
            let (states, output) = (arena.tensor(rows, columns), arena.tensor(rows, columns))
            let final = arena.tensor(sequences, columns)
            func loss() -> Double {
                backend.scan(inputs, starts: starts, initial: initial, states: states, output: output, final: final)
                return weighted(inputs.outputGate == nil ? states : output, weights)
                    + (finalWeights.map { weighted(final, $0) } ?? 0)
            }
            _ = loss()
            let gates = arena.tensor(rows, 2 * columns, backend.download(inputs.gates))
            var used = inputs
            if options[3] { used.gates = gates }
            let own = ScanInputs(
                gates: gates, gateBias: arena.tensor(1, 2 * columns), input: arena.tensor(rows, columns),
                outputGate: options[0] ? arena.tensor(rows, columns) : nil, decay: arena.tensor(1, columns))
            let dInitial = arena.tensor(sequences, columns)
            backend.scanBackward(
                weights, inputs: used, starts: starts, initial: initial, states: states, finalGradient: finalWeights,
                gradients: own, initialGradient: options[1] ? dInitial : nil)
            var claims = [
                Claim(name: "gates", parameter: inputs.gates, gradient: own.gates),
                Claim(name: "gate bias", parameter: inputs.gateBias, gradient: own.gateBias),
                Claim(name: "input", parameter: inputs.input, gradient: own.input),
                Claim(name: "decay", parameter: inputs.decay, gradient: own.decay),
            ]
            if let initial { claims.append(Claim(name: "initial", parameter: initial, gradient: dInitial)) }
            if let z = inputs.outputGate {
                claims.append(Claim(name: "output gate", parameter: z, gradient: own.outputGate!))
            }
            checkGradients(claims, tolerance: 1e-4, loss)
        }
    }

    enum LossKind: CaseIterable { case full, sampled, pairwise }

    /// The losses return doubles, so that the differences are sharper.
    @Test(arguments: LossKind.allCases)
    func loss(kind: LossKind) {
        withArena { arena in
            let (rows, columns, tableRows) = (4, 3, 6)
            let hidden = arena.random(rows, columns)
            let table = arena.random(tableRows, columns)
            let targets = arena.indices([0, 5, 2, 2])
            let negatives = arena.indices([2, 1, 3, 4])  // one is a target, some are in the bias
            let (logQ, targetLogQ) = (arena.random(1, 4, in: -3...0), arena.random(1, rows, in: -3...0))
            let bias = SparseBias(
                starts: arena.indices([0, 2, 2, 3, 4]), columns: arena.indices([1, 0, 4, 2]),
                kinds: arena.indices([0, 1, 1, 0]), values: arena.random(1, 2), scale: 3)
            func value(_ scale: Float, _ gradients: LossGradients?) -> Double {
                switch kind {
                case .full:
                    backend.crossEntropy(
                        hidden, table: table, targets: targets, bias: bias, scale: scale, gradients: gradients)
                case .sampled:
                    backend.sampledCrossEntropy(
                        hidden, table: table, targets: targets, targetLogQ: targetLogQ, negatives: negatives,
                        logQ: logQ, bias: bias, scale: scale, gradients: gradients)
                case .pairwise:
                    backend.pairwiseLoss(
                        hidden, table: table, targets: targets, negatives: negatives, scale: scale,
                        gradients: gradients)
                }
            }
            var own = LossGradients(hidden: arena.tensor(rows, columns), table: arena.tensor(tableRows, columns))
            own.biasValues = arena.tensor(1, 2)
            _ = value(0.5, own)
            var claims = [
                Claim(name: "hidden", parameter: hidden, gradient: own.hidden),
                Claim(name: "table", parameter: table, gradient: own.table),
            ]
            if kind != .pairwise {
                claims.append(Claim(name: "bias", parameter: bias.values, gradient: own.biasValues!))
            }
            checkGradients(claims, tolerance: 2e-6) { 0.5 * value(1, nil) }
        }
    }

    /// Parameter gradients are added to; what is added to 1 is what is added to 0.
    @Test func parameterGradientsAreAddedTo() {
        withArena { arena in
            let input = arena.random(3, 2)
            let weights = arena.random(3, 2)
            let (fromZero, fromOne) = (arena.tensor(1, 2), arena.tensor(1, 2, [1, 1]))
            for bias in [fromZero, fromOne] {
                backend.activateBackward(
                    weights, input: input, bias: arena.tensor(1, 2), dropout: nil, inputGradient: arena.tensor(3, 2),
                    biasGradient: bias)
            }
            for c in 0..<2 { #expect(abs(fromOne.base[c] - fromZero.base[c] - 1) < 1e-6) }
        }
    }
}
