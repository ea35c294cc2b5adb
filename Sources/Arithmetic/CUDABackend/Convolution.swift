import CCUDA
package import Tensors

extension CUDABackend {
    /// MAXIMUM_TAPS of convolution.cu.
    private static var maximumTaps: Int { 16 }

    package func convolve(
        _ input: Tensor, parameters: ConvolutionParameters, starts: Indices, window: Tensor?, finalWindow: Tensor?,
        output: Tensor
    ) {
        var argument = argument(input, parameters, starts, window)
        argument.output = output.argument
        if input.count > 0 {
            launch(.convolve, Geometry.convolution(rows: input.rows, channels: input.columns), argument)
        }
        guard let finalWindow, finalWindow.count > 0 else { return }
        (argument.final_window, argument.final_stride) = (finalWindow.pointer, Int64(finalWindow.stride))
        launch(.convolveEnds, .threads((starts.count - 1) * input.columns), argument)
    }

    package func convolveBackward(
        _ outputGradient: Tensor, input: Tensor, parameters: ConvolutionParameters, starts: Indices, window: Tensor?,
        finalWindowGradient: Tensor?, inputGradient: Tensor, parameterGradients: ConvolutionParameters,
        windowGradient: Tensor?
    ) {
        precondition((window == nil) == (windowGradient == nil), "a window comes with its gradient")
        let (taps, channels) = (parameters.weight.rows, input.columns)
        let grid = Geometry.convolution(rows: input.rows, channels: channels)
        let parts = Scratch(4 * grid.x * (taps + 1) * channels, on: queue)
        var argument = argument(input, parameters, starts, window)
        argument.output_gradient = outputGradient.argument
        argument.input_gradient = inputGradient.argument
        argument.parts = parts.pointer()
        if let finalWindowGradient {
            argument.final_window_gradient = UnsafePointer(finalWindowGradient.pointer)
            argument.final_gradient_stride = Int64(finalWindowGradient.stride)
        }
        if input.count > 0 {
            launch(.convolveBackward, grid, argument)
            addColumnSums(
                parts.pointer(), count: grid.x, columns: (taps + 1) * channels,
                to: [(0, parameterGradients.weight), (taps * channels, parameterGradients.bias)])
        }
        guard let windowGradient, windowGradient.count > 0 else { return }
        argument.window_gradient = windowGradient.pointer
        argument.window_gradient_stride = Int64(windowGradient.stride)
        launch(.convolveWindowBackward, .threads((starts.count - 1) * channels), argument)
    }

    private func argument(
        _ input: Tensor, _ parameters: ConvolutionParameters, _ starts: Indices, _ window: Tensor?
    ) -> cu_convolution {
        precondition(parameters.weight.rows <= Self.maximumTaps, "a convolution has at most 16 taps here")
        var argument = cu_convolution()
        argument.input = input.argument
        argument.weight = UnsafePointer(parameters.weight.pointer)
        argument.bias = UnsafePointer(parameters.bias.pointer)
        argument.starts = UnsafePointer(starts.pointer)
        if let window {
            (argument.window, argument.window_stride) = (UnsafePointer(window.pointer), Int64(window.stride))
        }
        (argument.taps, argument.sequences) = (Int32(parameters.weight.rows), Int32(starts.count - 1))
        return argument
    }
}
