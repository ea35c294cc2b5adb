import CPUBackend
import Layers
import Tensors

/// How a batch of sequences of one length goes through a recurrence (the columns of the paper's Table 5).
enum ScanForm: String, Sendable, CaseIterable, Encodable {
    /// One step after the other over the whole batch.
    case serial
    /// Parallel scan; every sequence enters the model padded to a power of two.
    case sequencePadding
    /// Parallel scan; padded after the input projection: only convolution, gates and scan see the padding.
    case embeddingPadding
    /// As this project trains: sequences end to end, gates, scan and output gate in one pass, no padding.
    case packed

    /// Whether recurrences run as a parallel scan.
    var isParallel: Bool { self == .sequencePadding || self == .embeddingPadding }
}

/// The behaviour-dependent unit of the model (paper, section 3.2) over a batch of sequences of one length, with the scan in
/// any form. Padding is on the right, where it cannot change what comes before it: all forms compute the same.
final class RecurrentMixer: Mixer {
    let inputProjection, gates, outputProjection: Linear
    private let parameters, gradients: Parameters
    private let form: ScanForm
    private let padding: RightPadding
    private let own: Activations
    private let unfused: UnfusedScan?
    private let starts: Indices
    private let backend: CPUBackend

    /// Rows of the model's batch are `sequences` · `length`, length padded already where the form pads sequences.
    init(sequences: Int, length: Int, width d: Int, expansion: Int, taps: Int, form: ScanForm, memory: BenchMemory) {
        let h = expansion * d
        self.form = form
        backend = memory.backend
        (inputProjection, gates) = (Linear(d, 2 * h, memory), Linear(h, 2 * h, memory))
        outputProjection = Linear(h, d, memory)
        parameters = Parameters(h, taps) { memory.tensor($0, $1) }
        gradients = Parameters(h, taps) { memory.zeros($0, $1) }
        let inside = form == .embeddingPadding ? powerOfTwo(atLeast: length) : length
        padding = RightPadding(sequences: sequences, from: length, to: inside)
        own = Activations(outer: sequences * length, inner: sequences * inside, padding.isNone, d, h, memory)
        unfused =
            form == .packed ? nil : UnfusedScan(rows: sequences * inside, h, length: inside, form.isParallel, memory)
        starts = memory.indices((0...sequences).map { Int32($0 * inside) })
    }

    func forward(_ input: Tensor, into output: Tensor) {
        inputProjection.forward(input, into: own.projected, backend)
        padding.spread(own.projected, to: own.padded, backend)
        backend.convolve(
            own.padded.columns(0..<own.convolved.columns), parameters: parameters.convolution, starts: starts,
            window: nil, finalWindow: nil, output: own.convolved)
        gates.forward(own.convolved, into: own.gates, backend)
        if let unfused {
            unfused.forward(inputs, states: own.states, output: own.gated)
        } else {
            backend.scan(
                inputs, starts: starts, initial: nil, states: own.states, output: own.gated, final: nil)
        }
        padding.collect(own.gated, into: own.gatedRows, backend)
        outputProjection.forward(own.gatedRows, into: output, backend)
    }

    func backward(_ outputGradient: Tensor, input: Tensor, addingTo inputGradient: Tensor) {
        let h = own.convolved.columns
        outputProjection.backward(
            outputGradient, input: own.gatedRows, into: own.gatedRowsGradient, accumulate: false, backend)
        padding.spread(own.gatedRowsGradient, to: own.gatedGradient, backend)
        let scanGradients = ScanInputs(
            gates: own.gates, gateBias: gradients.gateBias, input: own.convolvedGradient,
            outputGate: own.paddedGradient.columns(h..<2 * h), decay: gradients.decay)
        if let unfused {
            unfused.backward(own.gatedGradient, inputs, states: own.states, gradients: scanGradients)
        } else {
            backend.scanBackward(
                own.gatedGradient, inputs: inputs, starts: starts, initial: nil, states: own.states,
                finalGradient: nil, gradients: scanGradients, initialGradient: nil)
        }
        gates.backward(own.gates, input: own.convolved, into: own.convolvedGradient, accumulate: true, backend)
        backend.convolveBackward(
            own.convolvedGradient, input: own.padded.columns(0..<h), parameters: parameters.convolution,
            starts: starts, inputGradient: own.paddedGradient.columns(0..<h),
            parameterGradients: gradients.convolution)
        padding.collect(own.paddedGradient, into: own.projectedGradient, backend)
        inputProjection.backward(own.projectedGradient, input: input, into: inputGradient, accumulate: true, backend)
    }

    /// Gradients of everything learnt, for tests.
    var weightGradients: [Tensor] {
        [inputProjection, gates, outputProjection].map(\.gradient) + [
            gradients.convolution.weight, gradients.convolution.bias, gradients.gateBias, gradients.decay,
        ]
    }

    private var inputs: ScanInputs {
        let h = own.convolved.columns
        return ScanInputs(
            gates: own.gates, gateBias: parameters.gateBias, input: own.convolved,
            outputGate: own.padded.columns(h..<2 * h), decay: parameters.decay)
    }

    private struct Parameters {
        let convolution: ConvolutionParameters
        let gateBias, decay: Tensor

        init(_ h: Int, _ taps: Int, _ make: (Int, Int) -> Tensor) {
            convolution = ConvolutionParameters(weight: make(taps, h), bias: make(1, h))
            (gateBias, decay) = (make(1, 2 * h), make(1, h))
        }
    }

    /// Tensors with and without rows of padding; the same where there is none.
    private struct Activations {
        let projected, projectedGradient, gatedRows, gatedRowsGradient: Tensor
        let padded, paddedGradient, convolved, convolvedGradient, gates, states, gated, gatedGradient: Tensor

        init(outer: Int, inner: Int, _ isSame: Bool, _ d: Int, _ h: Int, _ memory: BenchMemory) {
            (padded, paddedGradient) = (memory.zeros(inner, 2 * h), memory.zeros(inner, 2 * h))
            (convolved, convolvedGradient) = (memory.zeros(inner, h), memory.zeros(inner, h))
            (gates, states) = (memory.zeros(inner, 2 * h), memory.zeros(inner, h))
            (gated, gatedGradient) = (memory.zeros(inner, h), memory.zeros(inner, h))
            projected = isSame ? padded : memory.zeros(outer, 2 * h)
            projectedGradient = isSame ? paddedGradient : memory.zeros(outer, 2 * h)
            gatedRows = isSame ? gated : memory.zeros(outer, h)
            gatedRowsGradient = isSame ? gatedGradient : memory.zeros(outer, h)
        }
    }
}

/// The smallest power of two that is not less than `count`.
func powerOfTwo(atLeast count: Int) -> Int {
    var power = 1
    while power < count { power *= 2 }
    return power
}

/// Rows of zeros after each sequence.
struct RightPadding {
    let sequences, from, to: Int
    var isNone: Bool { from == to }

    /// Copies each sequence's rows to where they lie among padding; the rows of padding stay as they are.
    func spread(_ rows: Tensor, to padded: Tensor, _ backend: CPUBackend) {
        if isNone { return }
        for s in 0..<sequences {
            backend.copy(rows.rows(s * from..<(s + 1) * from), to: padded.rows(s * to..<s * to + from))
        }
    }

    /// The way back.
    func collect(_ padded: Tensor, into rows: Tensor, _ backend: CPUBackend) {
        if isNone { return }
        for s in 0..<sequences {
            backend.copy(padded.rows(s * to..<s * to + from), to: rows.rows(s * from..<(s + 1) * from))
        }
    }
}
