import Layers
import Models
import Tensors

/// The model's mixer (``BDLRU``, with the same parameters) over a batch of sequences of one length, with the scan as
/// separate tensor operations: ``UnfusedScan``.
struct UnfusedMixer: Mixer {
    private let inputProjection, gates, outputProjection: Linear
    private let convolution: CausalConvolution
    private let gateBias, decay: Parameter
    private let isParallel: Bool
    private let padding: RightPadding
    private let width: Int

    /// Sequences have `length` events, padding included where the form pads sequences.
    init(
        _ name: String, _ shape: ModelConfiguration, _ form: ScanForm, sequences: Int, length: Int,
        in layout: inout ParameterLayout
    ) {
        let (d, h) = (shape.hiddenSize, shape.recurrenceSize)
        inputProjection = Linear(name + "input_projection", from: d, to: 2 * h, in: &layout)
        convolution = CausalConvolution(name + "convolution", width: shape.convolutionWidth, channels: h, in: &layout)
        gates = Linear(name + "gates.weight", from: h, to: 2 * h, in: &layout)
        gateBias = layout.vector(name + "gates.bias", 2 * h, .zeros)
        decay = layout.vector(name + "decay", h, .decayRing)
        outputProjection = Linear(name + "output_projection", from: h, to: d, in: &layout)
        isParallel = form.isParallel
        padding = RightPadding(
            sequences: sequences, from: length,
            to: form == .embeddingPadding ? powerOfTwo(atLeast: length) : length)
        width = h
    }

    /// No states: the bench has whole sequences.
    var stateWidths: [Int] { [] }

    /// Tensors with and without rows of padding; the same tensor where there are none.
    struct Activations {
        let projected, padded, convolved, gates, states, gated, gatedRows: Tensor
        let scan: UnfusedScan
        let starts: Indices
    }

    func activations(tokens: Int, on backend: any Backend) -> Activations {
        let rows = padding.sequences * padding.to
        let (padded, gated) = (backend.tensor(rows, 2 * width), backend.tensor(rows, width))
        let starts = backend.allocateIndices(padding.sequences + 1).indices
        backend.upload((0...padding.sequences).map { Int32($0 * padding.to) }, to: starts)
        return Activations(
            projected: padding.isNone ? padded : backend.tensor(tokens, 2 * width), padded: padded,
            convolved: backend.tensor(rows, width), gates: backend.tensor(rows, 2 * width),
            states: backend.tensor(rows, width), gated: gated,
            gatedRows: padding.isNone ? gated : backend.tensor(tokens, width),
            scan: UnfusedScan(rows: rows, width, length: padding.to, isParallel, on: backend), starts: starts)
    }

    func forward(_ x: Tensor, into output: Tensor, _ own: Activations, _ states: MixerStates, _ pass: Pass) {
        let inner = inner(pass, own)
        inputProjection.forward(x, into: own.projected, pass)
        padding.spread(own.projected, to: own.padded, pass.backend)
        convolution.forward(own.padded.columns(0..<width), into: own.convolved, initial: nil, final: nil, inner)
        gates.forward(own.convolved, into: own.gates, inner)
        own.scan.forward(inputs(own, pass.weights), states: own.states, output: own.gated)
        padding.collect(own.gated, into: own.gatedRows, pass.backend)
        outputProjection.forward(own.gatedRows, into: output, pass)
    }

    /// The gradients of the tensors above; those of padding are always zero.
    struct Scratch {
        let projected, padded, convolved, gated, gatedRows: Tensor
    }

    func scratch(tokens: Int, on backend: any Backend) -> Scratch {
        let rows = padding.sequences * padding.to
        let (padded, gated) = (backend.tensor(rows, 2 * width), backend.tensor(rows, width))
        return Scratch(
            projected: padding.isNone ? padded : backend.tensor(tokens, 2 * width), padded: padded,
            convolved: backend.tensor(rows, width), gated: gated,
            gatedRows: padding.isNone ? gated : backend.tensor(tokens, width))
    }

    func backward(
        _ outputGradient: Tensor, input x: Tensor, addingTo xGradient: Tensor, _ own: Activations,
        _ states: MixerStates, _ stateGradients: MixerStateGradients, _ scratch: Scratch, _ pass: Pass,
        _ gradients: Parameters
    ) {
        let (inner, u, z) = (inner(pass, own), 0..<width, width..<2 * width)
        outputProjection.backward(
            outputGradient, input: own.gatedRows, into: scratch.gatedRows, accumulate: false, pass, gradients)
        padding.spread(scratch.gatedRows, to: scratch.gated, pass.backend)
        let scanGradients = ScanInputs(
            gates: own.gates, gateBias: gradients[gateBias], input: scratch.convolved,
            outputGate: scratch.padded.columns(z), decay: gradients[decay])
        own.scan.backward(scratch.gated, inputs(own, pass.weights), states: own.states, gradients: scanGradients)
        gates.backward(own.gates, input: own.convolved, into: scratch.convolved, accumulate: true, inner, gradients)
        convolution.backward(
            scratch.convolved, input: own.padded.columns(u), into: scratch.padded.columns(u), initial: nil,
            finalGradient: nil, initialGradient: nil, inner, gradients)
        padding.collect(scratch.padded, into: scratch.projected, pass.backend)
        inputProjection.backward(scratch.projected, input: x, into: xGradient, accumulate: true, pass, gradients)
    }

    /// The pass over the padded rows.
    private func inner(_ pass: Pass, _ own: Activations) -> Pass {
        Pass(
            backend: pass.backend, weights: pass.weights, starts: own.starts, tokens: own.padded.rows,
            sequences: pass.sequences, dropout: nil, tokenNumbers: pass.tokenNumbers)
    }

    private func inputs(_ own: Activations, _ weights: Parameters) -> ScanInputs {
        ScanInputs(
            gates: own.gates, gateBias: weights[gateBias], input: own.convolved,
            outputGate: own.padded.columns(width..<2 * width), decay: weights[decay])
    }
}
