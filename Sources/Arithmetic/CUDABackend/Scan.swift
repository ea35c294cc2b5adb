import CCUDA
package import Tensors

/// Memory through which the blocks of a scan exchange results. It belongs to the scans alone, one at a time: they know what earlier ones
/// have left there by the number of the launch.
struct ScanLinks {
    let address: cu_address
    /// Words of 8 bytes.
    let words: Int

    /// Bytes of a block for `words`: a power of two, at least a megabyte, so that it seldom has to grow.
    static func blockSize(words: Int) -> Int { max(1 << 20, powerOfTwo(atLeast: 8 * words)) }
}

extension CUDABackend {
    package func scan(
        _ inputs: ScanInputs, starts: Indices, initial: Tensor?, states: Tensor, output: Tensor, final: Tensor?
    ) {
        let (rows, channels) = (states.rows, states.columns)
        if rows > 0 {
            let cut = Geometry.Scan.forward(rows: rows, channels: channels, timed: inputs.fade != nil)
            scan(inputs, cut: cut, starts: starts, initial: initial, states: states, output: output)
        }
        guard let final else { return }
        let argument = cu_scan_ends(
            states: states.pointer, initial: initial?.pointer, final: final.pointer, starts: starts.pointer,
            initial_stride: Int64(initial?.stride ?? 0), final_stride: Int64(final.stride), channels: Int32(channels),
            sequences: Int32(starts.count - 1))
        launch(.scanEnds, .threads((starts.count - 1) * channels), argument)
    }

    /// The states and outputs, computed as `cut` says.
    func scan(
        _ inputs: ScanInputs, cut: Geometry.Scan, starts: Indices, initial: Tensor?, states: Tensor, output: Tensor
    ) {
        var argument = argument(inputs, starts, initial, states, cut)
        argument.output = output.pointer
        launch(cut.form.kernel, cut.grid, argument)
    }

    package func scanBackward(
        _ outputGradient: Tensor, inputs: ScanInputs, starts: Indices, initial: Tensor?, states: Tensor,
        finalGradient: Tensor?, gradients: ScanInputs, initialGradient: Tensor?
    ) {
        let (rows, channels) = (max(1, states.rows), states.columns)
        let cut = Geometry.Scan.backward(rows: rows, channels: channels, timed: inputs.fade != nil)
        scanBackward(
            outputGradient, cut: cut, inputs: inputs, starts: starts, initial: initial, states: states,
            finalGradient: finalGradient, gradients: gradients, initialGradient: initialGradient)
    }

    /// The gradients, computed as `cut` says.
    func scanBackward(
        _ outputGradient: Tensor, cut: Geometry.Scan, inputs: ScanInputs, starts: Indices, initial: Tensor?,
        states: Tensor, finalGradient: Tensor?, gradients: ScanInputs, initialGradient: Tensor?
    ) {
        let channels = states.columns
        let sums = inputs.fade == nil ? 3 : 4
        let parts = Scratch(4 * cut.chunks * sums * channels, on: queue)
        var argument = cu_scan_backward()
        argument.forward = self.argument(inputs, starts, initial, states, cut)
        argument.output_gradient = UnsafePointer(outputGradient.pointer)
        argument.gate_gradients = gradients.gates.pointer
        argument.input_gradient = gradients.input.pointer
        argument.parts = parts.pointer()
        if let gate = gradients.outputGate {
            (argument.output_gate_gradient, argument.output_gate_gradient_stride) = (gate.pointer, Int64(gate.stride))
        }
        if let finalGradient {
            argument.final_gradient = UnsafePointer(finalGradient.pointer)
            argument.final_gradient_stride = Int64(finalGradient.stride)
        }
        if let initialGradient {
            argument.initial_gradient = initialGradient.pointer
            argument.initial_gradient_stride = Int64(initialGradient.stride)
            launch(.scanBackwardEnds, .threads((starts.count - 1) * channels), argument)
        }
        guard states.rows > 0 else { return }
        launch(cut.form.kernel, cut.grid, argument)
        addColumnSums(
            parts.pointer(), count: cut.chunks, columns: sums * channels,
            to: [(0, gradients.gateBias), (2 * channels, gradients.decay), (3 * channels, gradients.fade)])
    }

    private func argument(
        _ inputs: ScanInputs, _ starts: Indices, _ initial: Tensor?, _ states: Tensor, _ cut: Geometry.Scan
    ) -> cu_scan {
        precondition(inputs.gates.isContiguous && inputs.input.isContiguous, "gaps between rows")
        precondition((inputs.gaps == nil) == (inputs.fade == nil), "times and ω come together")
        // Enough for the backward pass, too, so that a step of training needs no more in its second half.
        let backward = Geometry.Scan.backward(
            rows: max(1, states.rows), channels: states.columns, timed: inputs.fade != nil)
        let links = queue.with { $0.scanLinks(words: max(cut.linkWords, backward.linkWords)) }
        var argument = cu_scan()
        argument.gates = UnsafePointer(inputs.gates.pointer)
        argument.gate_bias = UnsafePointer(inputs.gateBias.pointer)
        argument.input = UnsafePointer(inputs.input.pointer)
        argument.decay = UnsafePointer(inputs.decay.pointer)
        argument.states = states.pointer
        argument.starts = UnsafePointer(starts.pointer)
        (argument.links, argument.link_words) = (
            UnsafeMutablePointer(bitPattern: UInt(links.address)), Int64(links.words)
        )
        if let gate = inputs.outputGate {
            (argument.output_gate, argument.output_gate_stride) = (UnsafePointer(gate.pointer), Int64(gate.stride))
        }
        if let gaps = inputs.gaps {
            argument.gaps = UnsafePointer(gaps.events.pointer)
            argument.read_gaps = gaps.reads.map { UnsafePointer($0.pointer) }
            argument.gap_rates = UnsafePointer(gaps.rates.pointer)
            argument.fade = inputs.fade.map { UnsafePointer($0.pointer) }
        }
        if let initial {
            (argument.initial, argument.initial_stride) = (UnsafePointer(initial.pointer), Int64(initial.stride))
        }
        (argument.rows, argument.channels) = (Int32(states.rows), Int32(states.columns))
        (argument.sequences, argument.chunks) = (Int32(starts.count - 1), Int32(cut.chunks))
        return argument
    }
}
