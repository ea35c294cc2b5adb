import Layers
import Tensors

/// The behaviour-dependent linear recurrence itself (paper, section 3.2), with its gates:
///
///     [R, I] = C · W_g + b_g
///     α = exp(−softplus(Λ) ⊙ σ(R))                  decay factor of the state
///     β = sqrt(1 − α²) ⊙ σ(I)                       factor of the input
///     h_t = α_t ⊙ h_{t−1} + β_t ⊙ C_t               output: SiLU(Z_t) ⊙ h_t, or h_t where there is no Z
struct GatedRecurrence: Sendable {
    /// W_g [2H, H].
    let gates: Linear
    /// b_g [2H].
    private let gateBias: Parameter
    /// Λ [H].
    private let decay: Parameter
    let width: Int

    init(_ name: String, width: Int, decay initialization: Initialization, in layout: inout ParameterLayout) {
        self.width = width
        gates = Linear(name + "gates.weight", from: width, to: 2 * width, in: &layout)
        gateBias = layout.vector(name + "gates.bias", 2 * width, .zeros)
        decay = layout.vector(name + "decay", width, initialization)
    }

    /// What the forward pass stores for the backward pass.
    struct Activations {
        /// [R, I] before their bias: [N, 2H].
        let gates: Tensor
        /// h [N, H].
        let states: Tensor
        /// SiLU(Z) ⊙ h [N, H]; h itself without Z.
        let output: Tensor
    }

    func activations(tokens: Int, hasOutputGate: Bool, on backend: any Backend) -> Activations {
        let (gates, states) = (backend.tensor(tokens, 2 * width), backend.tensor(tokens, width))
        return Activations(gates: gates, states: states, output: hasOutputGate ? backend.tensor(tokens, width) : states)
    }

    /// `input` is C [N, H], `outputGate` Z [N, H]; `initial` and `final` are the states [S, H] before and after each sequence.
    func forward(
        _ input: Tensor, outputGate: Tensor?, _ activations: Activations, initial: Tensor?, final: Tensor?,
        _ pass: Pass
    ) {
        let inputs = scanInputs(input, outputGate, activations, pass)
        gates.forward(input, into: inputs.gates, pass)
        pass.backend.scan(
            inputs, starts: pass.starts, initial: initial, states: activations.states.prefix(pass.tokens),
            output: activations.output.prefix(pass.tokens), final: final)
    }

    /// Writes the gradients of C and Z and, where given, of `initial`; adds those of the parameters. Overwrites the gates.
    func backward(
        _ outputGradient: Tensor, input: Tensor, outputGate: Tensor?, into inputGradient: Tensor,
        outputGateGradient: Tensor?, _ activations: Activations, initial: Tensor?, finalGradient: Tensor?,
        initialGradient: Tensor?, _ pass: Pass, _ gradients: Parameters
    ) {
        let inputs = scanInputs(input, outputGate, activations, pass)
        let own = ScanInputs(
            gates: inputs.gates, gateBias: gradients[gateBias], input: inputGradient, outputGate: outputGateGradient,
            decay: gradients[decay])
        pass.backend.scanBackward(
            outputGradient, inputs: inputs, starts: pass.starts, initial: initial,
            states: activations.states.prefix(pass.tokens), finalGradient: finalGradient, gradients: own,
            initialGradient: initialGradient)
        gates.backward(own.gates, input: input, into: inputGradient, accumulate: true, pass, gradients)
    }

    private func scanInputs(
        _ input: Tensor, _ outputGate: Tensor?, _ activations: Activations, _ pass: Pass
    ) -> ScanInputs {
        ScanInputs(
            gates: activations.gates.prefix(pass.tokens), gateBias: pass.weights[gateBias], input: input,
            outputGate: outputGate, decay: pass.weights[decay])
    }
}
