import Layers
import Tensors

/// RecBLR's mixer (paper, section 3.2 and Figure 2): projection, convolution, recurrence, output gate, projection.
///
///     [U, Z] = X · W_in                             D → 2H
///     C  = SiLU(causalConvolution(U))
///     h  = the behaviour-dependent recurrence of C  (``GatedRecurrence``)
///     output = (SiLU(Z) ⊙ h) · W_out                H → D
struct BDLRU: Mixer {
    private let inputProjection: Linear
    private let convolution: CausalConvolution
    private let recurrence: GatedRecurrence
    private let outputProjection: Linear
    private let padding: ReferencePadding?
    private var width: Int { recurrence.width }

    init(_ name: String, _ shape: ModelConfiguration, in layout: inout ParameterLayout) {
        let (d, h) = (shape.hiddenSize, shape.recurrenceSize)
        inputProjection = Linear(name + "input_projection", from: d, to: 2 * h, in: &layout)
        convolution = CausalConvolution(
            name + "convolution", width: shape.convolutionWidth, channels: h, in: &layout)
        recurrence = GatedRecurrence(
            name, width: h, decay: shape.decayInitialization.values, usesTime: shape.usesTime, in: &layout)
        outputProjection = Linear(name + "output_projection", from: h, to: d, in: &layout)
        padding = ReferencePadding(steps: shape.warmupSteps, convolution, recurrence)
    }

    struct Activations {
        /// [U, Z] [N, 2H], and C [N, H].
        let projected, convolved: Tensor
        let recurrence: GatedRecurrence.Activations
    }

    /// The convolution's last K − 1 inputs (rows of U), then h.
    var stateWidths: [Int] { [convolution.stateWidth, width] }

    func activations(tokens: Int, on backend: any Backend) -> Activations {
        Activations(
            projected: backend.tensor(tokens, 2 * width), convolved: backend.tensor(tokens, width),
            recurrence: recurrence.activations(tokens: tokens, hasOutputGate: true, on: backend))
    }

    func forward(_ x: Tensor, into output: Tensor, _ activations: Activations, _ states: MixerStates, _ pass: Pass) {
        let projected = activations.projected.prefix(pass.tokens)
        let (u, z) = (projected.columns(0..<width), projected.columns(width..<2 * width))
        let c = activations.convolved.prefix(pass.tokens)
        inputProjection.forward(x, into: projected, pass)
        convolution.forward(u, into: c, initial: states.initial?[0], final: states.final?[0], pass)
        recurrence.forward(
            c, outputGate: z, activations.recurrence, initial: states.initial?[1] ?? padding?.states(pass),
            final: states.final?[1], pass)
        outputProjection.forward(activations.recurrence.output.prefix(pass.tokens), into: output, pass)
    }

    func read(_ x: Tensor, into output: Tensor, _ activations: Activations, _ states: MixerState, _ pass: Pass) {
        let projected = activations.projected.prefix(pass.tokens)
        inputProjection.forward(x, into: projected, pass)
        recurrence.read(
            states: states[1]!, outputGate: projected.columns(width..<2 * width), activations.recurrence,
            zeros: activations.convolved.prefix(pass.tokens), pass)
        outputProjection.forward(activations.recurrence.output.prefix(pass.tokens), into: output, pass)
    }

    /// Gradients of [U, Z], of C and of SiLU(Z) ⊙ h.
    struct Scratch {
        let projected, convolved, gated: Tensor
    }

    func scratch(tokens: Int, on backend: any Backend) -> Scratch {
        let (gated, convolved) = (backend.tensor(tokens, width), backend.tensor(tokens, width))
        return Scratch(projected: backend.tensor(tokens, 2 * width), convolved: convolved, gated: gated)
    }

    func backward(
        _ outputGradient: Tensor, input x: Tensor, addingTo xGradient: Tensor, _ activations: Activations,
        _ states: MixerStates, _ stateGradients: MixerStateGradients, _ scratch: Scratch, _ pass: Pass,
        _ gradients: Parameters
    ) {
        let (u, z) = (0..<width, width..<2 * width)
        let projected = activations.projected.prefix(pass.tokens)
        let projectedGradient = scratch.projected.prefix(pass.tokens)
        let (cGradient, gatedGradient) = (scratch.convolved.prefix(pass.tokens), scratch.gated.prefix(pass.tokens))
        outputProjection.backward(
            outputGradient, input: activations.recurrence.output.prefix(pass.tokens), into: gatedGradient,
            accumulate: false, pass, gradients)
        let paddingGradient = states.initial == nil ? padding?.gradients(pass) : nil
        recurrence.backward(
            gatedGradient, input: activations.convolved.prefix(pass.tokens), outputGate: projected.columns(z),
            into: cGradient, outputGateGradient: projectedGradient.columns(z), activations.recurrence,
            initial: states.initial?[1] ?? padding?.states(pass), finalGradient: stateGradients.final?[1],
            initialGradient: stateGradients.initial?[1] ?? paddingGradient, pass, gradients)
        if let padding, let paddingGradient { padding.backward(paddingGradient, pass, gradients) }
        convolution.backward(
            cGradient, input: projected.columns(u), into: projectedGradient.columns(u), initial: states.initial?[0],
            finalGradient: stateGradients.final?[0], initialGradient: stateGradients.initial?[0], pass, gradients)
        inputProjection.backward(projectedGradient, input: x, into: xGradient, accumulate: true, pass, gradients)
    }

    func initialState(_ weights: Parameters, on backend: any Backend) -> [[Float]?] {
        [nil, padding?.state(weights, on: backend)]
    }
}

/// The recurrence alone on the residual stream, an ablation of the paper (Table 3): C is the layer's input, and there is no Z.
struct BareBDLRU: Mixer {
    private let recurrence: GatedRecurrence
    private let padding: ReferencePadding?

    init(_ name: String, _ shape: ModelConfiguration, in layout: inout ParameterLayout) {
        recurrence = GatedRecurrence(
            name, width: shape.hiddenSize, decay: shape.decayInitialization.values, usesTime: false,
            in: &layout)
        padding = ReferencePadding(steps: shape.warmupSteps, nil, recurrence)
    }

    var stateWidths: [Int] { [recurrence.width] }

    func activations(tokens: Int, on backend: any Backend) -> GatedRecurrence.Activations {
        recurrence.activations(tokens: tokens, hasOutputGate: false, on: backend)
    }

    func forward(
        _ x: Tensor, into output: Tensor, _ activations: GatedRecurrence.Activations, _ states: MixerStates,
        _ pass: Pass
    ) {
        recurrence.forward(
            x, outputGate: nil, activations, initial: states.initial?[0] ?? padding?.states(pass),
            final: states.final?[0], pass)
        pass.backend.copy(activations.states.prefix(pass.tokens), to: output)
    }

    /// The gradient of x, before it is added.
    func scratch(tokens: Int, on backend: any Backend) -> Tensor { backend.tensor(tokens, recurrence.width) }

    func backward(
        _ outputGradient: Tensor, input x: Tensor, addingTo xGradient: Tensor,
        _ activations: GatedRecurrence.Activations, _ states: MixerStates, _ stateGradients: MixerStateGradients,
        _ scratch: Tensor, _ pass: Pass, _ gradients: Parameters
    ) {
        let inputGradient = scratch.prefix(pass.tokens)
        let paddingGradient = states.initial == nil ? padding?.gradients(pass) : nil
        recurrence.backward(
            outputGradient, input: x, outputGate: nil, into: inputGradient, outputGateGradient: nil, activations,
            initial: states.initial?[0] ?? padding?.states(pass), finalGradient: stateGradients.final?[0],
            initialGradient: stateGradients.initial?[0] ?? paddingGradient, pass, gradients)
        if let padding, let paddingGradient { padding.backward(paddingGradient, pass, gradients) }
        pass.backend.add(inputGradient, to: xGradient)
    }

    func initialState(_ weights: Parameters, on backend: any Backend) -> [[Float]?] {
        [padding?.state(weights, on: backend)]
    }
}

extension ModelConfiguration.DecayInitialization {
    var values: Initialization {
        switch self {
        case .ring: .decayRing
        case .normal: .normal()
        }
    }
}
