import Layers
import Tensors

/// The state that the paper's own code starts from: it pads sequences to a power of two after the input projection, so that rows of zeros run
/// through convolution and recurrence before the first event. Only weights that were trained by that code need it.
///
/// The result is one constant state for each layer, which depends on the weights only (docs/design.md, "Traps").
struct ReferencePadding: Sendable {
    private let steps: Int
    private let convolution: CausalConvolution?
    private let recurrence: GatedRecurrence

    /// Nil where `steps` is 0.
    init?(steps: Int, _ convolution: CausalConvolution?, _ recurrence: GatedRecurrence) {
        guard steps > 0 else { return nil }
        (self.steps, self.convolution, self.recurrence) = (steps, convolution, recurrence)
    }

    /// The state [H].
    func state(_ weights: Parameters, on backend: any Backend) -> [Float] {
        let rows = Rows(self, weights, backend)
        return backend.download(rows.last)
    }

    /// The state of every sequence of a pass: [S, H].
    func states(_ pass: Pass) -> Tensor {
        let rows = Rows(self, pass.weights, pass.backend)
        let states = pass.backend.tensor(pass.sequences, recurrence.width)
        for row in 0..<pass.sequences { pass.backend.copy(rows.last, to: states.rows(row..<row + 1)) }
        return states
    }

    /// Memory for their gradients: [S, H].
    func gradients(_ pass: Pass) -> Tensor { pass.backend.tensor(pass.sequences, recurrence.width) }

    /// Adds the gradients of the parameters, given those of the states [S, H].
    func backward(_ stateGradients: Tensor, _ pass: Pass, _ gradients: Parameters) {
        let rows = Rows(self, pass.weights, pass.backend)
        let total = pass.backend.tensor(1, recurrence.width)
        for row in 0..<stateGradients.rows { pass.backend.add(stateGradients.rows(row..<row + 1), to: total) }
        let inputGradient = pass.backend.tensor(steps, recurrence.width)
        recurrence.backward(
            rows.zeros, input: rows.input, outputGate: nil, into: inputGradient, outputGateGradient: nil,
            rows.activations, initial: nil, finalGradient: total, initialGradient: nil, rows.pass, gradients)
        convolution?.backward(
            inputGradient, input: rows.zeros, into: pass.backend.tensor(steps, recurrence.width), initial: nil,
            finalGradient: nil, initialGradient: nil, rows.pass, gradients)
    }

    /// A forward pass over one sequence of rows of zeros.
    private struct Rows {
        let pass: Pass
        let zeros, input: Tensor
        let activations: GatedRecurrence.Activations

        init(_ padding: ReferencePadding, _ weights: Parameters, _ backend: any Backend) {
            let (steps, width) = (padding.steps, padding.recurrence.width)
            pass = Pass(
                backend: backend, weights: weights, starts: backend.indices([0, Int32(steps)]), tokens: steps,
                sequences: 1, dropout: nil, tokenNumbers: nil)
            zeros = backend.tensor(steps, width)
            input = backend.tensor(steps, width)
            activations = padding.recurrence.activations(tokens: steps, hasOutputGate: false, on: backend)
            padding.convolution?.forward(zeros, into: input, initial: nil, final: nil, pass)
            padding.recurrence.forward(input, outputGate: nil, activations, initial: nil, final: nil, pass)
        }

        /// The state after the last row: [1, H].
        var last: Tensor { activations.states.rows(activations.states.rows - 1..<activations.states.rows) }
    }
}
