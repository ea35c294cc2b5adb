import Layers
import Tensors

/// Causal self-attention (Vaswani et al. 2017), the mixer of SASRec (Kang & McAuley 2018): one head, over the last W events.
///
///     [Q, K, V] = X · W_in                                                  D → 3D
///     s_d    = Q_t · K_{t−d} / sqrt(D) + b_d,  d = 0 ..< W
///     output = (Σ_d softmax(s)_d · V_{t−d}) · W_out                         D → D
///
/// Instead of SASRec's position embeddings there is a relative position bias b_d, as in T5 (Raffel et al. 2020): the output depends on
/// the previous events and not on where a history was cut, so that a step computes the same as a pass. Before a user's first event there are W − 1 events whose keys and values are zeros.
struct SelfAttention: Mixer {
    private let inputProjection: Linear
    private let distanceBias: Parameter
    private let outputProjection: Linear
    private let width, window: Int

    init(_ name: String, _ shape: ModelConfiguration, in layout: inout ParameterLayout) {
        (width, window) = (shape.hiddenSize, shape.attentionWindow)
        inputProjection = Linear(name + "input_projection", from: width, to: 3 * width, in: &layout)
        distanceBias = layout.vector(name + "distance_bias", window, .zeros)
        outputProjection = Linear(name + "output_projection", from: width, to: width, in: &layout)
    }

    /// [Q, K, V] [N, 3D], and the weighted sum of V [N, D].
    struct Activations {
        let projected, mixed: Tensor
    }

    func activations(tokens: Int, on backend: any Backend) -> Activations {
        Activations(projected: backend.tensor(tokens, 3 * width), mixed: backend.tensor(tokens, width))
    }

    /// The keys and values of the last W − 1 events, oldest first.
    var stateWidths: [Int] { [(window - 1) * 2 * width] }

    func forward(_ x: Tensor, into output: Tensor, _ activations: Activations, _ states: MixerStates, _ pass: Pass) {
        let projected = activations.projected.prefix(pass.tokens)
        let mixed = activations.mixed.prefix(pass.tokens)
        inputProjection.forward(x, into: projected, pass)
        pass.backend.attend(
            inputs(projected, pass.weights), starts: pass.starts, window: states.initial?[0],
            finalWindow: states.final?[0], output: mixed)
        outputProjection.forward(mixed, into: output, pass)
    }

    /// The gradients of these.
    func scratch(tokens: Int, on backend: any Backend) -> Activations { activations(tokens: tokens, on: backend) }

    func backward(
        _ outputGradient: Tensor, input x: Tensor, addingTo xGradient: Tensor, _ activations: Activations,
        _ states: MixerStates, _ stateGradients: MixerStateGradients, _ scratch: Activations, _ pass: Pass,
        _ gradients: Parameters
    ) {
        let projectedGradient = scratch.projected.prefix(pass.tokens)
        let mixedGradient = scratch.mixed.prefix(pass.tokens)
        outputProjection.backward(
            outputGradient, input: activations.mixed.prefix(pass.tokens), into: mixedGradient, accumulate: false, pass,
            gradients)
        pass.backend.attendBackward(
            mixedGradient, inputs: inputs(activations.projected.prefix(pass.tokens), pass.weights),
            starts: pass.starts, window: states.initial?[0], finalWindowGradient: stateGradients.final?[0],
            gradients: inputs(projectedGradient, gradients), windowGradient: stateGradients.initial?[0])
        inputProjection.backward(projectedGradient, input: x, into: xGradient, accumulate: true, pass, gradients)
    }

    private func inputs(_ projected: Tensor, _ values: Parameters) -> AttentionInputs {
        AttentionInputs(
            queries: projected.columns(0..<width), memory: projected.columns(width..<3 * width),
            bias: values[distanceBias])
    }
}
