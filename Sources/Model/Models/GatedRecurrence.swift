import Layers
import Tensors

/// The behaviour-dependent linear recurrence itself (paper, section 3.2), with its gates:
///
///     [R, I] = C · W_g + b_g
///     α = exp(−softplus(Λ) ⊙ σ(R))                  decay factor of the state
///     β = sqrt(1 − α²) ⊙ σ(I)                       factor of the input
///     h_t = α_t ⊙ h_{t−1} + β_t ⊙ C_t               output: SiLU(Z_t) ⊙ h_t, or h_t where there is no Z
///
/// With time (docs/design.md, "Time"), for an event that comes Δ_t after the one before and a question q_t after the event:
///
///     [R, I]_t += P · b(Δ_t)                        b: hat functions of log Δ
///     h_t = e^(−ω ⊙ φ(Δ_t)) ⊙ α_t ⊙ h_{t−1} + β_t ⊙ C_t,  φ(Δ) = log(1 + Δ / τ)
///     output: SiLU(Z_t) ⊙ e^(−ω ⊙ φ(q_t)) ⊙ h_t     in the last layer
struct GatedRecurrence: Sendable {
    /// W_g [2H, H].
    let gates: Linear
    /// b_g [2H].
    private let gateBias: Parameter
    /// Λ [H].
    private let decay: Parameter
    /// What it knows of time; nil in the paper's model.
    private let time: Time?
    let width: Int

    /// P [2H, hats] and ω [H]: both begin as zeros, and so the model as one without time.
    private struct Time {
        let gates: Linear
        let fade: Parameter
    }

    init(
        _ name: String, width: Int, decay initialization: Initialization, usesTime: Bool,
        in layout: inout ParameterLayout
    ) {
        self.width = width
        gates = Linear(name + "gates.weight", from: width, to: 2 * width, in: &layout)
        gateBias = layout.vector(name + "gates.bias", 2 * width, .zeros)
        decay = layout.vector(name + "decay", width, initialization)
        time =
            usesTime
            ? Time(
                gates: Linear(name + "gap_gates", from: TimeFeatures.hats, to: 2 * width, .zeros, in: &layout),
                fade: layout.vector(name + "fade", width, .zeros, isNonnegative: true)) : nil
    }

    /// What the forward pass stores for the backward pass.
    struct Activations {
        /// [R, I] before their bias: [N, 2H].
        let gates: Tensor
        /// h [N, H].
        let states: Tensor
        /// SiLU(Z) ⊙ h [N, H]; h itself without Z.
        let output: Tensor
        /// 1 / τ [1, H]; nil without time.
        let rates: Tensor?
    }

    func activations(tokens: Int, hasOutputGate: Bool, on backend: any Backend) -> Activations {
        let (gates, states) = (backend.tensor(tokens, 2 * width), backend.tensor(tokens, width))
        let rates = time.map { _ in backend.tensor(1, width) }
        if let rates { backend.upload(TimeFeatures.rates(channels: width), to: rates) }
        return Activations(
            gates: gates, states: states, output: hasOutputGate ? backend.tensor(tokens, width) : states, rates: rates)
    }

    /// `input` is C [N, H], `outputGate` Z [N, H]; `initial` and `final` are the states [S, H] before and after each sequence.
    func forward(
        _ input: Tensor, outputGate: Tensor?, _ activations: Activations, initial: Tensor?, final: Tensor?,
        _ pass: Pass
    ) {
        let inputs = scanInputs(input, outputGate, activations, pass)
        gates.forward(input, into: inputs.gates, pass)
        if let time, let hats = pass.times?.eventHats {
            time.gates.forward(hats, into: inputs.gates, accumulate: true, pass)
        }
        pass.backend.scan(
            inputs, starts: pass.starts, initial: initial, states: activations.states.prefix(pass.tokens),
            output: activations.output.prefix(pass.tokens), final: final)
    }

    /// Computes the output for states [S, H] that are read at another time, without a new event: a scan over one row for each sequence whose gates keep
    /// everything and let nothing in. `zeros` [S, H] is overwritten with zeros.
    func read(states: Tensor, outputGate: Tensor, _ activations: Activations, zeros: Tensor, _ pass: Pass) {
        let (open, closed) = (pass.backend.tensor(1, 2 * width), activations.gates.prefix(pass.tokens))
        pass.backend.fill(open, with: -1000)  // σ(R) = 0: α is exactly 1
        pass.backend.fill(closed, with: 0)
        pass.backend.fill(zeros, with: 0)
        var inputs = scanInputs(zeros, outputGate, activations, pass)
        inputs.gateBias = open
        pass.backend.scan(
            inputs, starts: pass.starts, initial: states, states: activations.states.prefix(pass.tokens),
            output: activations.output.prefix(pass.tokens), final: nil)
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
            decay: gradients[decay], fade: (time?.fade).map { gradients[$0] })
        pass.backend.scanBackward(
            outputGradient, inputs: inputs, starts: pass.starts, initial: initial,
            states: activations.states.prefix(pass.tokens), finalGradient: finalGradient, gradients: own,
            initialGradient: initialGradient)
        if let time, let hats = pass.times?.eventHats {
            time.gates.backward(own.gates, input: hats, pass, gradients)
        }
        gates.backward(own.gates, input: input, into: inputGradient, accumulate: true, pass, gradients)
    }

    private func scanInputs(
        _ input: Tensor, _ outputGate: Tensor?, _ activations: Activations, _ pass: Pass
    ) -> ScanInputs {
        ScanInputs(
            gates: activations.gates.prefix(pass.tokens), gateBias: pass.weights[gateBias], input: input,
            outputGate: outputGate, decay: pass.weights[decay], fade: (time?.fade).map { pass.weights[$0] },
            gaps: pass.times.flatMap { times in
                activations.rates.map { ScanGaps(events: times.events, reads: times.reads, rates: $0) }
            })
    }
}
