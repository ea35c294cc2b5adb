import Layers
import Tensors

/// A linear recurrence whose decay does not depend on the events, the mixer of LRURec (Yue et al. 2024) after Orvieto et al. 2023:
///
///     U = X · W_in                                     D → H
///     a = exp(−softplus(Λ))                            one decay factor for each channel
///     h_t = a ⊙ h_{t−1} + sqrt(1 − a²) ⊙ U_t
///     output = h · W_out                               H → D
///
/// It is BD-LRU without gates, convolution and output gate. It differs from the cited models in that their eigenvalues are complex and
/// their a is exp(−exp(ν)).
///
/// The recurrence is ``Tensors/Backend/scan(_:starts:initial:states:output:final:)`` with constant gates: their products are
/// zero and their bias is so large that σ is 1 with slope 0.
struct LRU: Mixer {
    private let inputProjection: Linear
    private let decay: Parameter
    private let outputProjection: Linear
    private let width: Int

    init(_ name: String, _ shape: ModelConfiguration, in layout: inout ParameterLayout) {
        width = shape.recurrenceSize
        inputProjection = Linear(name + "input_projection", from: shape.hiddenSize, to: width, in: &layout)
        decay = layout.vector(name + "decay", width, shape.decayInitialization.values)
        outputProjection = Linear(name + "output_projection", from: width, to: shape.hiddenSize, in: &layout)
    }

    struct Activations {
        /// U and h: [N, H].
        let projected, states: Tensor
        /// Zeros [N, 2H], and their bias [2H].
        let gates, gateBias: Tensor
    }

    func activations(tokens: Int, on backend: any Backend) -> Activations {
        let gateBias = backend.tensor(1, 2 * width)
        backend.fill(gateBias, with: 1000)
        return Activations(
            projected: backend.tensor(tokens, width), states: backend.tensor(tokens, width),
            gates: backend.tensor(tokens, 2 * width), gateBias: gateBias)
    }

    /// h.
    var stateWidths: [Int] { [width] }

    func forward(_ x: Tensor, into output: Tensor, _ activations: Activations, _ states: MixerStates, _ pass: Pass) {
        let inputs = inputs(activations, pass)
        let h = activations.states.prefix(pass.tokens)
        inputProjection.forward(x, into: inputs.input, pass)
        pass.backend.scan(
            inputs, starts: pass.starts, initial: states.initial?[0], states: h, output: h, final: states.final?[0])
        outputProjection.forward(h, into: output, pass)
    }

    /// The gradients of U, of h and of the gates' bias, which stays zero.
    struct Scratch {
        let projected, states, gateBias: Tensor
    }

    func scratch(tokens: Int, on backend: any Backend) -> Scratch {
        Scratch(
            projected: backend.tensor(tokens, width), states: backend.tensor(tokens, width),
            gateBias: backend.tensor(1, 2 * width))
    }

    func backward(
        _ outputGradient: Tensor, input x: Tensor, addingTo xGradient: Tensor, _ activations: Activations,
        _ states: MixerStates, _ stateGradients: MixerStateGradients, _ scratch: Scratch, _ pass: Pass,
        _ gradients: Parameters
    ) {
        let inputs = inputs(activations, pass)
        let h = activations.states.prefix(pass.tokens)
        let (uGradient, hGradient) = (scratch.projected.prefix(pass.tokens), scratch.states.prefix(pass.tokens))
        outputProjection.backward(outputGradient, input: h, into: hGradient, accumulate: false, pass, gradients)
        pass.backend.scanBackward(
            hGradient, inputs: inputs, starts: pass.starts, initial: states.initial?[0], states: h,
            finalGradient: stateGradients.final?[0],
            gradients: ScanInputs(
                gates: inputs.gates, gateBias: scratch.gateBias, input: uGradient, outputGate: nil,
                decay: gradients[decay]),
            initialGradient: stateGradients.initial?[0])
        inputProjection.backward(uGradient, input: x, into: xGradient, accumulate: true, pass, gradients)
    }

    private func inputs(_ activations: Activations, _ pass: Pass) -> ScanInputs {
        ScanInputs(
            gates: activations.gates.prefix(pass.tokens), gateBias: activations.gateBias,
            input: activations.projected.prefix(pass.tokens), outputGate: nil, decay: pass.weights[decay])
    }
}
