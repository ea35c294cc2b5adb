import Tensors

/// A gated scan as separate tensor operations: decay factors and inputs are written to memory, a recurrence reads them, and the
/// output gate follows. Gates and their gradients come from the kernels of the fused scan, called for sequences of one
/// event (twice forward: once for decay factors, once for inputs).
struct UnfusedScan {
    private let length: Int
    private let isParallel: Bool
    private let ones, zeros, decays, products, before, gate, gateGradient: Tensor
    private let everyRow: Indices
    private let backend: any Backend

    /// A scan of sequences of `length` rows, `rows` in total.
    init(rows: Int, _ h: Int, length: Int, _ isParallel: Bool, on backend: any Backend) {
        (self.length, self.isParallel, self.backend) = (length, isParallel, backend)
        (ones, zeros) = (backend.tensor(rows, h), backend.tensor(rows, h))
        backend.fill(ones, with: 1)
        (decays, products, before) = (backend.tensor(rows, h), backend.tensor(rows, h), backend.tensor(rows, h))
        (gate, gateGradient) = (backend.tensor(rows, h), backend.tensor(rows, h))
        everyRow = backend.allocateIndices(rows + 1).indices
        backend.upload((0...Int32(rows)).map { $0 }, to: everyRow)
    }

    func forward(_ inputs: ScanInputs, states: Tensor, output: Tensor) {
        var bare = inputs
        bare.outputGate = nil
        backend.scan(bare, starts: everyRow, initial: nil, states: states, output: states, final: nil)
        bare.input = zeros
        backend.scan(bare, starts: everyRow, initial: ones, states: decays, output: decays, final: nil)
        run(decays, states, backwards: false)
        backend.activate(inputs.outputGate!, bias: nil, dropout: nil, output: gate)
        multiply(gate, states, into: output)
    }

    /// As ``Backend/scanBackward(_:inputs:starts:initial:states:finalGradient:gradients:initialGradient:)``, but for
    /// `outputGradient`, which is overwritten.
    func backward(_ outputGradient: Tensor, _ inputs: ScanInputs, states: Tensor, gradients: ScanInputs) {
        multiply(outputGradient, states, into: gateGradient)
        backend.activateBackward(
            gateGradient, input: inputs.outputGate!, bias: nil, dropout: nil, inputGradient: gradients.outputGate!,
            biasGradient: nil)
        multiply(outputGradient, gate, into: outputGradient)
        // g_t = ∂h_t + α_{t+1} ⊙ g_{t+1}
        shift(decays, by: -1, into: products)
        run(products, outputGradient, backwards: true)
        shift(states, by: 1, into: before)
        var (bare, bareGradients) = (inputs, gradients)
        (bare.outputGate, bareGradients.outputGate) = (nil, nil)
        backend.scanBackward(
            outputGradient, inputs: bare, starts: everyRow, initial: before, states: states, finalGradient: nil,
            gradients: bareGradients, initialGradient: nil)
    }

    /// The recurrence itself. The parallel form overwrites the decay factors, so it gets a copy where they are needed again.
    private func run(_ decay: Tensor, _ state: Tensor, backwards: Bool) {
        guard isParallel else {
            return Recurrence.serial(decay: decay, state: state, length: length, backwards: backwards)
        }
        if !backwards { backend.copy(decay, to: products) }
        Recurrence.parallel(decay: products, state: state, length: length, backwards: backwards)
    }

    /// target[t] = source[t − steps] within each sequence, zeros where there is none.
    private func shift(_ source: Tensor, by steps: Int, into target: Tensor) {
        for first in stride(from: 0, to: source.rows, by: length) {
            let (from, to) = (first + max(0, -steps), first + max(0, steps))
            let count = length - abs(steps)
            backend.copy(source.rows(from..<from + count), to: target.rows(to..<to + count))
            let empty = steps > 0 ? first : first + count
            backend.fill(target.rows(empty..<empty + abs(steps)), with: 0)
        }
    }

    private func multiply(_ a: Tensor, _ b: Tensor, into output: Tensor) {
        let (x, y, product) = (a.base, b.base, output.base)
        for i in 0..<output.count { product[i] = x[i] * y[i] }
    }
}
