import CKernels
import Tensors

extension CPUBackend {
    package func residualNorm(
        _ input: Tensor, bias: Tensor?, residual: Tensor?, dropout: Dropout?, parameters: NormParameters,
        inverseDeviation: Tensor, output: Tensor
    ) {
        precondition(input.isContiguous && output.isContiguous && residual?.isContiguous ?? true, "gaps between rows")
        var argument = normArgument(input, dropout, parameters)
        kernels.norm(&argument, input.base, bias?.base, residual?.base, inverseDeviation.base, output.base)
    }

    package func residualNormBackward(
        _ outputGradient: Tensor, normalized: Tensor, inverseDeviation: Tensor, dropout: Dropout?,
        parameters: NormParameters, inputGradient: Tensor, residualGradient: Tensor?, biasGradient: Tensor?,
        parameterGradients: NormParameters
    ) {
        precondition(
            outputGradient.isContiguous && normalized.isContiguous && inputGradient.isContiguous
                && residualGradient?.isContiguous ?? true, "gaps between rows")
        var argument = normArgument(normalized, dropout, parameters)
        kernels.norm_backward(
            &argument, outputGradient.base, normalized.base, inverseDeviation.base, inputGradient.base,
            residualGradient?.base, biasGradient?.base, parameterGradients.scale.base, parameterGradients.shift.base)
    }

    private func normArgument(_ rows: Tensor, _ dropout: Dropout?, _ parameters: NormParameters) -> ck_norm {
        ck_norm(
            rows: rows.rows, columns: rows.columns, scale: parameters.scale.base, shift: parameters.shift.base,
            epsilon: parameters.epsilon, dropout: dropout?.kernelArgument ?? noDropout)
    }

    package func activate(_ input: Tensor, bias: Tensor?, dropout: Dropout?, output: Tensor) {
        var drop = dropout?.kernelArgument ?? noDropout
        kernels.activate(
            input.rows, input.columns, input.base, input.stride, bias?.base, &drop, output.base, output.stride)
    }

    package func activateBackward(
        _ outputGradient: Tensor, input: Tensor, bias: Tensor?, dropout: Dropout?, inputGradient: Tensor,
        biasGradient: Tensor?
    ) {
        var drop = dropout?.kernelArgument ?? noDropout
        kernels.activate_backward(
            input.rows, input.columns, outputGradient.base, outputGradient.stride, input.base, input.stride,
            bias?.base, &drop, inputGradient.base, inputGradient.stride, biasGradient?.base)
    }

    package func convolve(
        _ input: Tensor, parameters: ConvolutionParameters, starts: Indices, window: Tensor?, finalWindow: Tensor?,
        output: Tensor
    ) {
        precondition(output.isContiguous && input.rows == output.rows, "shapes of a convolution do not match")
        var argument = convolutionArgument(input, parameters, starts, window)
        kernels.convolve(&argument, output.base)
        if let finalWindow { keepWindow(of: input, parameters.weight.rows - 1, starts, window, in: finalWindow) }
    }

    /// Moves each sequence's last `length` inputs (older ones from `window`, else zeros) to `final`, oldest first.
    private func keepWindow(of input: Tensor, _ length: Int, _ starts: Indices, _ window: Tensor?, in final: Tensor) {
        let width = input.columns
        for s in 0..<(starts.count - 1) {
            let (begin, end) = (Int(starts.base[s]), Int(starts.base[s + 1]))
            let row = final.base + s * final.stride
            for slot in 0..<length {  // ascending, so that a window may be shifted in place
                let source = end - length + slot
                let target = row + slot * width
                if source >= begin {
                    target.update(from: input.base + source * input.stride, count: width)
                } else if let window {
                    let old = length - (begin - source)
                    target.update(from: window.base + s * window.stride + old * width, count: width)
                } else {
                    target.update(repeating: 0, count: width)
                }
            }
        }
    }

    package func convolveBackward(
        _ outputGradient: Tensor, input: Tensor, parameters: ConvolutionParameters, starts: Indices, window: Tensor?,
        finalWindowGradient: Tensor?, inputGradient: Tensor, parameterGradients: ConvolutionParameters,
        windowGradient: Tensor?
    ) {
        precondition((window == nil) == (windowGradient == nil), "a window comes with its gradient")
        var argument = convolutionArgument(input, parameters, starts, window)
        kernels.convolve_backward(
            &argument, outputGradient.base, inputGradient.base, inputGradient.stride, parameterGradients.weight.base,
            parameterGradients.bias.base)
        if let windowGradient { fill(windowGradient, with: 0) }
        if let finalWindowGradient { passOn(finalWindowGradient, starts, to: inputGradient, windowGradient) }
        if let windowGradient {
            kernels.convolve_backward_window(
                &argument, outputGradient.base, parameterGradients.weight.base, windowGradient.base)
        }
    }

    /// Adds the gradients of each sequence's last inputs, which its final window kept, to theirs; those of a sequence
    /// shorter than the window go on to the window before it.
    private func passOn(_ final: Tensor, _ starts: Indices, to inputGradient: Tensor, _ windowGradient: Tensor?) {
        let width = inputGradient.columns
        let length = final.columns / max(1, width)
        for s in 0..<(starts.count - 1) {
            let (begin, end) = (Int(starts.base[s]), Int(starts.base[s + 1]))
            for slot in 0..<length {
                let own = final.base + s * final.stride + slot * width
                let source = end - length + slot
                if source >= begin {
                    kernels.add(width, own, inputGradient.base + source * inputGradient.stride)
                } else if let windowGradient {
                    let older = length - (begin - source)
                    kernels.add(width, own, windowGradient.base + s * windowGradient.stride + older * width)
                }
            }
        }
    }

    private func convolutionArgument(
        _ input: Tensor, _ parameters: ConvolutionParameters, _ starts: Indices, _ window: Tensor?
    ) -> ck_convolution {
        precondition(parameters.weight.rows <= Int(CK_MAX_TAPS), "too many taps")
        precondition(window?.isContiguous ?? true, "gaps between windows")
        return ck_convolution(
            sequences: starts.count - 1, channels: input.columns, taps: parameters.weight.rows, starts: starts.base,
            input: input.base, ld_input: input.stride, weight: parameters.weight.base, bias: parameters.bias.base,
            window: window?.base)
    }
}
