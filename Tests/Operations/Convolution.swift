import Tensors

/// Causal depthwise convolution and SiLU, forward and backward.
package struct Convolution: Sendable {
    var rows, columns, taps: Int
    var division: Division
    /// Whether the input and its gradient are a half of wider tensors.
    var isStrided = true
    /// Events before the sequences; the last events of them, which may take the window's place.
    var hasWindow = false, hasFinalWindow = false, inPlace = false

    /// Of whole sequences, over a half of the input's columns.
    package init(rows: Int, columns: Int, taps: Int, division: Division) {
        (self.rows, self.columns, self.taps, self.division) = (rows, columns, taps, division)
    }

    init(_ shape: Shape) {
        (rows, columns, taps) = (shape.rows, shape.columns, [4, 1, 4, 2, 4, 7][shape.options % 6])
        division = .random(withEmpty: shape.has(5))
        (hasWindow, hasFinalWindow, inPlace, isStrided) = (shape.has(0), shape.has(1), shape.has(2), shape.has(3))
    }

    /// K taps and SiLU.
    private var forwardFlops: Int { 2 * taps + Flops.silu }
    /// K taps again, gradients of K inputs and K weights; SiLU; sum for the bias.
    private var backwardFlops: Int { 6 * taps + Flops.siluBackward + 1 }
    private var gap: Int { isStrided ? columns : 0 }
    private var past: Int { (taps - 1) * columns }

    package var forward: OperationCase {
        OperationCase(.convolve, "\(self)", flops: rows * columns * forwardFlops) { [self] arguments in
            let starts = arguments.starts(division, rows: rows)
            var window, final: Tensor?
            if hasWindow && hasFinalWindow && inPlace {
                window = arguments.replaced("window", by: "final window", starts.count - 1, past, in: -2...2)
                final = window
            } else {
                window = hasWindow ? arguments.input("window", starts.count - 1, past, in: -2...2) : nil
                final = hasFinalWindow ? arguments.output("final window", starts.count - 1, past) : nil
            }
            let (input, parameters) = inputs(arguments)
            let output = arguments.output("output", rows, columns)
            return { [window, final] in
                arguments.backend.convolve(
                    input, parameters: parameters, starts: starts, window: window, finalWindow: final, output: output)
            }
        }
    }

    package var backward: OperationCase {
        OperationCase(.convolveBackward, "\(self)", flops: rows * columns * backwardFlops) { [self] arguments in
            let starts = arguments.starts(division, rows: rows)
            let sequences = starts.count - 1
            let window = hasWindow ? arguments.input("window", sequences, past, in: -2...2) : nil
            let (input, parameters) = inputs(arguments)
            let outputGradient = arguments.input("gradient of output", rows, columns)
            let finalGradient = hasFinalWindow ? arguments.input("gradient of final window", sequences, past) : nil
            let inputGradient = arguments.output("gradient of input", rows, columns, gap: gap)
            let gradients = ConvolutionParameters(
                weight: arguments.accumulated("gradient of weight", taps, columns, floor: 1),
                bias: arguments.accumulated("gradient of bias", 1, columns, floor: 1))
            let windowGradient =
                hasWindow ? arguments.output("gradient of window", sequences, past, floor: 1) : nil
            return {
                arguments.backend.convolveBackward(
                    outputGradient, input: input, parameters: parameters, starts: starts, window: window,
                    finalWindowGradient: finalGradient, inputGradient: inputGradient, parameterGradients: gradients,
                    windowGradient: windowGradient)
            }
        }
    }

    private func inputs(_ arguments: Arguments) -> (Tensor, ConvolutionParameters) {
        (
            arguments.input("input", rows, columns, gap: gap, in: -2...2),
            ConvolutionParameters(
                weight: arguments.input("weight", taps, columns), bias: arguments.input("bias", 1, columns))
        )
    }

    static let cases = shapes().map { Convolution($0) }

    static let differentiableCases: [DifferentiableCase] = [1, 2, 4, 7].flatMap { taps in
        combinations(2).map { options in
            var convolution = Convolution(rows: 10, columns: 3, taps: taps, division: .small)
            (convolution.hasWindow, convolution.hasFinalWindow) = (options[0], options[1])
            return DifferentiableCase(
                forward: convolution.forward, backward: convolution.backward, tolerance: 3e-5)
        }
    }
}
