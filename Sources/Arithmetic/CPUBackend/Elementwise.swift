import CKernels
package import Tensors

extension CPUBackend {
    package func residualNorm(
        _ input: Tensor, bias: Tensor?, residual: Tensor?, dropout: Dropout?, parameters: NormParameters,
        rstd: Tensor, output: Tensor
    ) {
        precondition(input.isContiguous && output.isContiguous && residual?.isContiguous ?? true, "gaps between rows")
        var argument = normArgument(input, dropout, parameters)
        kernels.norm(&argument, input.base, bias?.base, residual?.base, rstd.base, output.base)
    }

    package func residualNormBackward(
        _ outputGradient: Tensor, normalized: Tensor, rstd: Tensor, dropout: Dropout?,
        parameters: NormParameters, inputGradient: Tensor, residualGradient: Tensor?, biasGradient: Tensor?,
        parameterGradients: NormParameters
    ) {
        precondition(
            outputGradient.isContiguous && normalized.isContiguous && inputGradient.isContiguous
                && residualGradient?.isContiguous ?? true, "gaps between rows")
        var argument = normArgument(normalized, dropout, parameters)
        kernels.norm_backward(
            &argument, outputGradient.base, normalized.base, rstd.base, inputGradient.base,
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
