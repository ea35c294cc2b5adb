import Models
import Tensors

/// The parts of a layer, in the order of the forward pass.
extension StepOperations {
    func addEmbedding() {
        let table = memory.tensor(shape.itemCount + 1, shape.hiddenSize)
        let tableGradient = memory.zeros(table.rows, table.columns)
        let rows = memory.tensor(tokens, shape.hiddenSize)
        // Popular items more often; every row of the table is a candidate.
        let items = memory.indices((0..<tokens).map { Int32(1 + ($0 * $0) % shape.itemCount) })
        add("embedding rows", calls: 1, 0, Traffic(read: [rows], written: [rows])) { [backend] in
            backend.gather(items, from: table, into: rows)
        }
        add("embedding rows, gradient", calls: 1, rows.count, Traffic(read: [rows], updated: [rows])) { [backend] in
            backend.scatterAdd(rows, to: items, of: tableGradient)
        }
    }

    func addRecurrence() {
        let (d, h) = (shape.hiddenSize, shape.recurrenceSize)
        addProducts("input projection", d, 2 * h, accumulatesInputGradient: true)
        addConvolution(h)
        addProducts("gates", h, 2 * h, accumulatesInputGradient: true)
        addScan(h)
        addProducts("output projection", h, d, accumulatesInputGradient: false)
    }

    private func addConvolution(_ h: Int) {
        let taps = shape.convolutionWidth
        let (projected, projectedGradient) = (memory.tensor(tokens, 2 * h), memory.zeros(tokens, 2 * h))
        let (u, uGradient) = (projected.columns(0..<h), projectedGradient.columns(0..<h))
        let (output, gradient) = (memory.zeros(tokens, h), memory.tensor(tokens, h))
        let parameters = ConvolutionParameters(weight: memory.tensor(taps, h), bias: memory.tensor(1, h))
        let gradients = ConvolutionParameters(weight: memory.zeros(taps, h), bias: memory.zeros(1, h))
        let starts = memory.indices(starts)
        let weights = [parameters.weight, parameters.bias]
        let forward = Traffic(read: [u] + weights, written: [output])
        add("convolution + SiLU", calls: layers, output.count * ElementFlops.convolve(taps), forward) { [backend] in
            backend.convolve(u, parameters: parameters, starts: starts, window: nil, finalWindow: nil, output: output)
        }
        let backward = Traffic(
            read: [gradient, u] + weights, written: [uGradient], updated: [gradients.weight, gradients.bias])
        add(
            "convolution + SiLU, backward", calls: layers, output.count * ElementFlops.convolveBackward(taps), backward
        ) { [backend] in
            backend.convolveBackward(
                gradient, input: u, parameters: parameters, starts: starts, inputGradient: uGradient,
                parameterGradients: gradients)
        }
    }

    private func addScan(_ h: Int) {
        func inputs(_ fill: (Int, Int) -> Tensor) -> ScanInputs {
            ScanInputs(
                gates: fill(tokens, 2 * h), gateBias: fill(1, 2 * h), input: fill(tokens, h),
                outputGate: fill(tokens, 2 * h).columns(h..<2 * h), decay: fill(1, h))
        }
        func all(_ scan: ScanInputs) -> [Tensor] { [scan.gates, scan.input, scan.outputGate!] }
        func parameters(_ scan: ScanInputs) -> [Tensor] { [scan.gateBias, scan.decay] }
        let values = inputs { memory.tensor($0, $1) }
        let gradients = inputs { memory.zeros($0, $1) }
        let (states, output, outputGradient) = (
            memory.zeros(tokens, h), memory.zeros(tokens, h), memory.tensor(tokens, h)
        )
        let starts = memory.indices(starts)
        let forward = Traffic(read: all(values) + parameters(values), written: [states, output])
        add("gated scan", calls: layers, states.count * ElementFlops.scan, forward) { [backend] in
            backend.scan(values, starts: starts, initial: nil, states: states, output: output, final: nil)
        }
        let backward = Traffic(
            read: all(values) + parameters(values) + [states, outputGradient], written: all(gradients),
            updated: parameters(gradients))
        add("gated scan, backward", calls: layers, states.count * ElementFlops.scanBackward, backward) { [backend] in
            backend.scanBackward(
                outputGradient, inputs: values, starts: starts, initial: nil, states: states, finalGradient: nil,
                gradients: gradients, initialGradient: nil)
        }
    }

    func addFeedForward() {
        let (d, inner) = (shape.hiddenSize, shape.innerSize)
        addProducts("feed-forward", d, inner, accumulatesInputGradient: true)
        let (input, output, gradient) = (
            memory.tensor(tokens, inner), memory.zeros(tokens, inner), memory.tensor(tokens, inner)
        )
        let (bias, biasGradient, inputGradient) = (
            memory.tensor(1, inner), memory.zeros(1, inner), memory.zeros(tokens, inner)
        )
        let dropout = dropout()
        let forward = Traffic(read: [input, bias], written: [output])
        add("bias + SiLU + dropout", calls: layers, input.count * ElementFlops.activate, forward) { [backend] in
            backend.activate(input, bias: bias, dropout: dropout, output: output)
        }
        let backward = Traffic(read: [gradient, input, bias], written: [inputGradient], updated: [biasGradient])
        add(
            "bias + SiLU + dropout, backward", calls: layers, input.count * ElementFlops.activateBackward, backward
        ) { [backend] in
            backend.activateBackward(
                gradient, input: input, bias: bias, dropout: dropout, inputGradient: inputGradient,
                biasGradient: biasGradient)
        }
        addProducts("feed-forward", inner, d, accumulatesInputGradient: false)
    }
}
