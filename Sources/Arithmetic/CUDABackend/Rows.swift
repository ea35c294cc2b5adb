import CCUDA
package import Tensors

extension CUDABackend {
    package func residualNorm(
        _ input: Tensor, bias: Tensor?, residual: Tensor?, dropout: Dropout?, parameters: NormParameters,
        rstd: Tensor, output: Tensor
    ) {
        precondition(input.rows == output.rows && input.columns == output.columns, "shapes differ")
        guard input.rows > 0 else { return }
        queue.hold()
        defer { queue.release() }
        let argument = cu_norm(
            input: input.argument, residual: residual.argument, output: output.argument, bias: bias?.pointer,
            scale: parameters.scale.pointer, shift: parameters.shift.pointer,
            rstd: rstd.pointer,
            dropout: self.argument(dropout), epsilon: parameters.epsilon, unused: 0)
        launch(.residualNorm, .warps(input.rows), argument)
    }

    package func residualNormBackward(
        _ outputGradient: Tensor, normalized: Tensor, rstd: Tensor, dropout: Dropout?,
        parameters: NormParameters, inputGradient: Tensor, residualGradient: Tensor?, biasGradient: Tensor?,
        parameterGradients: NormParameters
    ) {
        let (rows, width) = (normalized.rows, normalized.columns)
        guard rows > 0 else { return }
        queue.hold()
        defer { queue.release() }
        let grid = Geometry.normBackward(rows: rows, width: width)
        let parts = Scratch(4 * grid.x * 3 * width, on: queue)
        let argument = cu_norm_backward(
            output_gradient: outputGradient.argument, normalized: normalized.argument,
            input_gradient: inputGradient.argument, residual_gradient: residualGradient.argument,
            scale: parameters.scale.pointer, rstd: rstd.pointer, parts: parts.pointer(),
            dropout: self.argument(dropout))
        launch(.residualNormBackward, grid, argument)
        addColumnSums(
            parts.pointer(), count: grid.x, columns: 3 * width,
            to: [
                (0, parameterGradients.scale), (width, parameterGradients.shift), (2 * width, biasGradient),
            ])
    }

    package func activate(_ input: Tensor, bias: Tensor?, dropout: Dropout?, output: Tensor) {
        precondition(input.rows == output.rows && input.columns == output.columns, "shapes differ")
        guard input.count > 0 else { return }
        queue.hold()
        defer { queue.release() }
        let (grid, rows) = Geometry.activation(rows: input.rows, columns: input.columns)
        let argument = cu_activation(
            input: input.argument, output: output.argument, output_gradient: cu_matrix(), bias: bias?.pointer,
            parts: nil,
            dropout: self.argument(dropout), rows_per_block: Int32(rows), unused: 0)
        launch(.activate, grid, argument)
    }

    package func activateBackward(
        _ outputGradient: Tensor, input: Tensor, bias: Tensor?, dropout: Dropout?, inputGradient: Tensor,
        biasGradient: Tensor?
    ) {
        guard input.count > 0 else { return }
        queue.hold()
        defer { queue.release() }
        let (grid, rows) = Geometry.activation(rows: input.rows, columns: input.columns)
        let parts = Scratch(4 * grid.y * input.columns, on: queue)
        let argument = cu_activation(
            input: input.argument, output: inputGradient.argument, output_gradient: outputGradient.argument,
            bias: bias?.pointer, parts: biasGradient == nil ? nil : parts.pointer(), dropout: self.argument(dropout),
            rows_per_block: Int32(rows), unused: 0)
        launch(.activateBackward, grid, argument)
        if let biasGradient {
            addColumnSums(parts.pointer(), count: grid.y, columns: input.columns, to: [(0, biasGradient)])
        }
    }
}
