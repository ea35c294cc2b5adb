import CKernels
package import Tensors

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension CPUBackend {
    package func scan(
        _ inputs: ScanInputs, starts: Indices, initial: Tensor?, states: Tensor, output: Tensor, final: Tensor?
    ) {
        withKernelArgument(inputs) { argument in
            let width = states.columns
            for s in 0..<(starts.count - 1) {
                let rows = Int(starts.base[s])..<Int(starts.base[s + 1])
                let before = initial.map { $0.base + s * $0.stride }
                if parallelChunks(rows.count) > 1 {
                    scanInChunks(argument, rows, before, states: states, output: output)
                } else {
                    kernels.scan(argument, rows.lowerBound, rows.upperBound, before, states.base, output.base)
                }
                guard let final else { continue }
                let target = final.base + s * final.stride
                if !rows.isEmpty {
                    target.update(from: states.base + (rows.upperBound - 1) * width, count: width)
                } else if let before {
                    target.update(from: before, count: width)
                } else {
                    target.update(repeating: 0, count: width)
                }
            }
        }
    }

    package func scanBackward(
        _ outputGradient: Tensor, inputs: ScanInputs, starts: Indices, initial: Tensor?, states: Tensor,
        finalGradient: Tensor?, gradients: ScanInputs, initialGradient: Tensor?
    ) {
        let width = states.columns
        withKernelArgument(inputs) { argument in
            withUnsafeTemporaryAllocation(of: Float.self, capacity: 2 * width) { scratch in
                let (rateGradient, carry) = (scratch.baseAddress!, scratch.baseAddress! + width)
                rateGradient.update(repeating: 0, count: width)
                for s in 0..<(starts.count - 1) {
                    let rows = Int(starts.base[s])..<Int(starts.base[s + 1])
                    if let finalGradient {
                        carry.update(from: finalGradient.base + s * finalGradient.stride, count: width)
                    } else {
                        carry.update(repeating: 0, count: width)
                    }
                    scanRowsBackward(
                        argument, rows, outputGradient, before: initial.map { $0.base + s * $0.stride },
                        states: states, gradients: gradients, rateGradient: rateGradient, carry: carry)
                    if let initialGradient {
                        (initialGradient.base + s * initialGradient.stride).update(from: carry, count: width)
                    }
                }
                for c in 0..<width {  // from softplus(Λ) to Λ
                    gradients.decay.base[c] += rateGradient[c] / (1 + exp(-inputs.decay.base[c]))
                }
            }
        }
    }

    /// One sequence backward, on several cores where it is long enough. `carry` is its final gradient, then its initial.
    private func scanRowsBackward(
        _ argument: UnsafePointer<ck_scan>, _ rows: Range<Int>, _ outputGradient: Tensor,
        before: UnsafeMutablePointer<Float>?, states: Tensor, gradients: ScanInputs,
        rateGradient: UnsafeMutablePointer<Float>, carry: UnsafeMutablePointer<Float>
    ) {
        if parallelChunks(rows.count) > 1 {
            scanBackwardInChunks(
                argument, rows, outputGradient, before: before, states: states, gradients: gradients,
                rateGradient: rateGradient, carry: carry)
        } else {
            var target = kernelGradients(
                gradients, bias: gradients.gateBias.base, rate: rateGradient, fade: gradients.fade?.base)
            kernels.scan_backward(
                argument, &target, rows.lowerBound, rows.upperBound, outputGradient.base, before, states.base, carry)
        }
    }

    func kernelGradients(
        _ gradients: ScanInputs, bias: UnsafeMutablePointer<Float>, rate: UnsafeMutablePointer<Float>,
        fade: UnsafeMutablePointer<Float>?
    ) -> ck_scan_gradients {
        ck_scan_gradients(
            gates: gradients.gates.base, gate_bias: bias, input: gradients.input.base,
            output_gate: gradients.outputGate?.base, ld_output_gate: gradients.outputGate?.stride ?? 0, rate: rate,
            fade: fade)
    }

    /// The inputs as the argument of a C kernel, with softplus(Λ) = max(Λ, 0) + log1p(e^−|Λ|) instead of Λ.
    private func withKernelArgument(_ inputs: ScanInputs, _ body: (UnsafePointer<ck_scan>) -> Void) {
        precondition(inputs.gates.isContiguous && inputs.input.isContiguous, "gaps between rows")
        precondition((inputs.gaps == nil) == (inputs.fade == nil), "times and ω come together")
        let width = inputs.input.columns
        withUnsafeTemporaryAllocation(of: Float.self, capacity: width) { rate in
            for c in 0..<width {
                let decay = inputs.decay.base[c]
                rate[c] = max(decay, 0) + log1p(exp(-abs(decay)))
            }
            var argument = ck_scan(
                channels: width, gates: inputs.gates.base, gate_bias: inputs.gateBias.base, input: inputs.input.base,
                output_gate: inputs.outputGate?.base, ld_output_gate: inputs.outputGate?.stride ?? 0,
                rate: rate.baseAddress!, gaps: inputs.gaps?.events.base, read_gaps: inputs.gaps?.reads?.base,
                gap_rate: inputs.gaps?.rates.base, fade: inputs.fade?.base)
            body(&argument)
        }
    }
}
