package import Tensors

/// The gates of one channel at one event.
private struct Gates {
    /// σ(R).
    let recurrence: Double
    /// σ(I).
    let input: Double
    /// e^−x with x = softplus(Λ) · σ(R).
    let alpha: Double
    /// sqrt(1 − α² + 1e-8).
    let root: Double
    /// φ of the time since the event before, and of that until the output is read; 0 without times.
    let waited, read: Double
    /// e^(−ω · φ) of both: factors of the state before the event, beside α, and of the state that is read.
    let fading, readFading: Double

    init(_ inputs: ScanInputs, row: Int, channel: Int) {
        let width = inputs.input.columns
        recurrence = sigmoid(inputs.gates[row, channel] + inputs.gateBias[channel])
        input = sigmoid(inputs.gates[row, width + channel] + inputs.gateBias[width + channel])
        let exponent = softplus(inputs.decay[channel]) * recurrence
        alpha = decay(exponent)
        root = inputRoot(exponent)
        func logarithm(_ gaps: Tensor?) -> Double {
            gaps.map { fadingLogarithm($0[row] * inputs.gaps!.rates[channel]) } ?? 0
        }
        (waited, read) = (logarithm(inputs.gaps?.events), logarithm(inputs.gaps?.reads))
        let fade = inputs.fade?[channel] ?? 0
        (fading, readFading) = (decay(fade * waited), decay(fade * read))
    }
}

extension ReferenceBackend {
    package func scan(
        _ inputs: ScanInputs, starts: Indices, initial: Tensor?, states: Tensor, output: Tensor, final: Tensor?
    ) {
        precondition(inputs.input.hasShape(of: states), "shapes differ")
        for (s, rows) in starts.sequences.enumerated() {
            for c in 0..<states.columns {
                var h = initial?[s, c] ?? 0
                for t in rows {
                    let gates = Gates(inputs, row: t, channel: c)
                    h = gates.fading * gates.alpha * h + gates.root * gates.input * inputs.input[t, c]
                    states[t, c] = h
                    if let outputGate = inputs.outputGate {
                        output[t, c] = silu(outputGate[t, c]) * gates.readFading * h
                    }
                }
                final?[s, c] = h
            }
        }
    }

    package func scanBackward(
        _ outputGradient: Tensor, inputs: ScanInputs, starts: Indices, initial: Tensor?, states: Tensor,
        finalGradient: Tensor?, gradients: ScanInputs, initialGradient: Tensor?
    ) {
        precondition(outputGradient.hasShape(of: states) && inputs.input.hasShape(of: states), "shapes differ")
        for c in 0..<states.columns {
            var sums = ScanSums()
            for (s, rows) in starts.sequences.enumerated() {
                var carry = finalGradient?[s, c] ?? 0
                for t in rows.reversed() {
                    let before = t > rows.lowerBound ? states[t - 1, c] : initial?[s, c] ?? 0
                    carry = step(
                        row: t, channel: c, carry, before: before, state: states[t, c], outputGradient[t, c],
                        inputs, gradients, &sums)
                }
                initialGradient?[s, c] = carry
            }
            gradients.gateBias[c] += sums.recurrenceBias
            gradients.gateBias[states.columns + c] += sums.inputBias
            gradients.decay[c] += sums.rate * sigmoid(inputs.decay[c])  // softplus′ = σ
            gradients.fade?[c] += sums.fade
        }
    }

    /// One event of one channel backward; `carry` is ∂h_t from the events after it, the result is ∂h_{t−1}.
    private func step(
        row: Int, channel c: Int, _ carry: Double, before: Double, state: Double, _ outputGradient: Double,
        _ inputs: ScanInputs, _ gradients: ScanInputs, _ sums: inout ScanSums
    ) -> Double {
        let gates = Gates(inputs, row: row, channel: c)
        let input = inputs.input[row, c]
        var stateGradient = carry + outputGradient
        if let z = inputs.outputGate?[row, c] {
            stateGradient = carry + outputGradient * silu(z) * gates.readFading
            gradients.outputGate?[row, c] = outputGradient * state * gates.readFading * siluSlope(z)
            sums.fade -= outputGradient * silu(z) * state * gates.readFading * gates.read
        }
        gradients.input[row, c] = stateGradient * gates.root * gates.input
        // x = softplus(Λ) · σ(R), α = e^−x, root = sqrt(1 − e^−2x + 1e-8): ∂α/∂x = −α, ∂root/∂x = α² / root.
        let rootGradient = stateGradient * gates.input * input
        let keepingGradient = -stateGradient * before * gates.alpha * gates.fading
        sums.fade += keepingGradient * gates.waited
        let exponentGradient = rootGradient * gates.alpha * gates.alpha / gates.root + keepingGradient
        let recurrenceGradient =
            exponentGradient * softplus(inputs.decay[c]) * gates.recurrence * (1 - gates.recurrence)
        let inputGateGradient = stateGradient * gates.root * input * gates.input * (1 - gates.input)
        gradients.gates[row, c] = recurrenceGradient
        gradients.gates[row, inputs.input.columns + c] = inputGateGradient
        sums.recurrenceBias += recurrenceGradient
        sums.inputBias += inputGateGradient
        sums.rate += exponentGradient * gates.recurrence
        return stateGradient * gates.alpha * gates.fading
    }
}

/// One channel's parameter gradients, summed over the batch.
private struct ScanSums {
    var recurrenceBias = 0.0
    var inputBias = 0.0
    /// ∂softplus(Λ).
    var rate = 0.0
    /// ∂ω.
    var fade = 0.0
}
