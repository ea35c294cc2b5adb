import CCUDA
package import Tensors

extension CUDABackend {
    package var supportsTime: Bool { false }

    package func scan(
        _ inputs: ScanInputs, starts: Indices, initial: Tensor?, states: Tensor, output: Tensor, final: Tensor?
    ) {
        let (rows, channels) = (states.rows, states.columns)
        if rows > 0 {
            let cut = Geometry.Scan(rows: rows, channels: channels, longRows: 16)
            let links = links(cut, channels)
            var argument = argument(inputs, starts, initial, states, cut, links)
            argument.output = output.pointer
            launch(cut.isLong ? .scanLong : .scanShort, cut.grid, argument)
        }
        guard let final else { return }
        let argument = cu_scan_ends(
            states: states.pointer, initial: initial?.pointer, final: final.pointer, starts: starts.pointer,
            initial_stride: Int64(initial?.stride ?? 0), final_stride: Int64(final.stride), channels: Int32(channels),
            sequences: Int32(starts.count - 1))
        launch(.scanEnds, .threads((starts.count - 1) * channels), argument)
    }

    package func scanBackward(
        _ outputGradient: Tensor, inputs: ScanInputs, starts: Indices, initial: Tensor?, states: Tensor,
        finalGradient: Tensor?, gradients: ScanInputs, initialGradient: Tensor?
    ) {
        let (rows, channels) = (states.rows, states.columns)
        let cut = Geometry.Scan(rows: max(1, rows), channels: channels, longRows: 8)
        let links = links(cut, channels)
        let parts = Scratch(4 * cut.chunks * 3 * channels, on: queue)
        var argument = cu_scan_backward()
        argument.forward = self.argument(inputs, starts, initial, states, cut, links)
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
        guard rows > 0 else { return }
        launch(cut.isLong ? .scanBackwardLong : .scanBackwardShort, cut.grid, argument)
        addColumnSums(
            parts.pointer(), count: cut.chunks, columns: 3 * channels,
            to: [(0, gradients.gateBias), (2 * channels, gradients.decay)])
    }

    /// Zeroed memory through which chunks exchange results: a ticket in the first 256 bytes, then maps and states.
    private func links(_ cut: Geometry.Scan, _ channels: Int) -> Scratch {
        let words = cut.words(channels: channels)
        let bytes = 256 + 8 * (words.maps + words.entries)
        let links = Scratch(bytes, on: queue)
        queue.with { [address = links.address] in $0.set(address, bytes: bytes) }
        return links
    }

    private func argument(
        _ inputs: ScanInputs, _ starts: Indices, _ initial: Tensor?, _ states: Tensor, _ cut: Geometry.Scan,
        _ links: borrowing Scratch
    ) -> cu_scan {
        precondition(inputs.gates.isContiguous && inputs.input.isContiguous, "gaps between rows")
        let words: UnsafeMutablePointer<UInt64> = links.pointer()
        var argument = cu_scan()
        argument.gates = UnsafePointer(inputs.gates.pointer)
        argument.gate_bias = UnsafePointer(inputs.gateBias.pointer)
        argument.input = UnsafePointer(inputs.input.pointer)
        argument.decay = UnsafePointer(inputs.decay.pointer)
        argument.states = states.pointer
        argument.starts = UnsafePointer(starts.pointer)
        argument.ticket = links.pointer()
        argument.maps = words + 32
        argument.entries = words + 32 + cut.words(channels: states.columns).maps
        if let gate = inputs.outputGate {
            (argument.output_gate, argument.output_gate_stride) = (UnsafePointer(gate.pointer), Int64(gate.stride))
        }
        if let initial {
            (argument.initial, argument.initial_stride) = (UnsafePointer(initial.pointer), Int64(initial.stride))
        }
        (argument.rows, argument.channels) = (Int32(states.rows), Int32(states.columns))
        (argument.sequences, argument.chunks) = (Int32(starts.count - 1), Int32(cut.chunks))
        return argument
    }
}
