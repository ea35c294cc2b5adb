package import Tensors

extension ReferenceBackend {
    package func convolve(
        _ input: Tensor, parameters: ConvolutionParameters, starts: Indices, window: Tensor?, finalWindow: Tensor?,
        output: Tensor
    ) {
        precondition(input.hasShape(of: output), "shapes differ")
        let taps = parameters.weight.rows
        for (s, rows) in starts.sequences.enumerated() {
            for c in 0..<input.columns {
                let history = history(of: input, s, rows, window, taps: taps, channel: c)
                for (i, t) in rows.enumerated() {
                    output[t, c] = silu(preactivation(history, i, parameters, channel: c))
                }
                guard let finalWindow else { continue }
                for (slot, value) in history.suffix(taps - 1).enumerated() {
                    finalWindow[s, slot * input.columns + c] = value
                }
            }
        }
    }

    package func convolveBackward(
        _ outputGradient: Tensor, input: Tensor, parameters: ConvolutionParameters, starts: Indices, window: Tensor?,
        finalWindowGradient: Tensor?, inputGradient: Tensor, parameterGradients: ConvolutionParameters,
        windowGradient: Tensor?
    ) {
        precondition(outputGradient.hasShape(of: input) && inputGradient.hasShape(of: input), "shapes differ")
        precondition((window == nil) == (windowGradient == nil), "a window comes with its gradient")
        let taps = parameters.weight.rows
        for c in 0..<input.columns {
            var weightSums = [Double](repeating: 0, count: taps)
            var biasSum = 0.0
            for (s, rows) in starts.sequences.enumerated() {
                let history = history(of: input, s, rows, window, taps: taps, channel: c)
                var historyGradient = [Double](repeating: 0, count: history.count)
                for slot in 0..<taps - 1 {  // the final window is the history's last K − 1 values
                    historyGradient[rows.count + slot] = finalWindowGradient?[s, slot * input.columns + c] ?? 0
                }
                for (i, t) in rows.enumerated() {
                    let gradient = outputGradient[t, c] * siluSlope(preactivation(history, i, parameters, channel: c))
                    biasSum += gradient
                    for k in 0..<taps {
                        weightSums[k] += gradient * history[i + k]
                        historyGradient[i + k] += gradient * parameters.weight[k, c]
                    }
                }
                for slot in 0..<taps - 1 { windowGradient?[s, slot * input.columns + c] = historyGradient[slot] }
                for (i, t) in rows.enumerated() { inputGradient[t, c] = historyGradient[taps - 1 + i] }
            }
            for k in 0..<taps { parameterGradients.weight[k, c] += weightSums[k] }
            parameterGradients.bias[c] += biasSum
        }
    }

    /// The inputs of one channel of a sequence: K − 1 values of the window, or zeros, and then its own.
    private func history(
        of input: Tensor, _ sequence: Int, _ rows: Range<Int>, _ window: Tensor?, taps: Int, channel: Int
    ) -> [Double] {
        let before = (0..<taps - 1).map { window?[sequence, $0 * input.columns + channel] ?? 0 }
        return before + rows.map { input[$0, channel] }
    }

    /// bias + Σ_k weight[k] · history[i + k], for the sequence's i-th event.
    private func preactivation(
        _ history: [Double], _ i: Int, _ parameters: ConvolutionParameters, channel: Int
    ) -> Double {
        var sum = parameters.bias[channel]
        for k in 0..<parameters.weight.rows { sum += parameters.weight[k, channel] * history[i + k] }
        return sum
    }
}
