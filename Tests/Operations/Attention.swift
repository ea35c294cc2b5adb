import Tensors

/// Causal attention over a sliding window, forward and backward.
package struct Attention: Sendable {
    var rows, width: Int
    /// W: the number of events that an event attends to, itself included.
    var span: Int
    var division: Division
    /// Whether queries, keys and values are thirds of one tensor.
    var isStrided = true
    /// Events before the sequences; the last events of them, which may take the window's place.
    var hasWindow = false, hasFinalWindow = false, inPlace = false
    /// The bias lies in ± this: small, or dominant.
    var biasSize: Float = 1

    init(rows: Int, width: Int, span: Int, division: Division) {
        (self.rows, self.width, self.span, self.division) = (rows, width, span, division)
    }

    init(_ shape: Shape) {
        (rows, width, span) = (shape.rows, shape.columns, [5, 1, 64, 2, 17, 150][shape.options % 6])
        division = shape.options % 7 == 6 ? .oneSequence : .random(withEmpty: shape.has(5))
        (hasWindow, hasFinalWindow, inPlace, isStrided) = (shape.has(0), shape.has(1), shape.has(2), shape.has(3))
        biasSize = shape.has(4) ? 30 : 1
    }

    /// Score, softmax 4 and weighted sum, for every pair of events that attend.
    private var forwardFlops: Int { rows * span * (4 * width + 4) }
    /// Scores again; gradients of weights, values, queries and keys; softmax 4.
    private var backwardFlops: Int { rows * span * (10 * width + 8) }
    /// Width of a window: a key and a value for each event.
    private var past: Int { (span - 1) * 2 * width }

    package var forward: OperationCase {
        OperationCase(.attend, "\(self)", flops: forwardFlops) { [self] arguments in
            let starts = arguments.starts(division, rows: rows)
            var window, final: Tensor?
            if hasWindow && hasFinalWindow && inPlace {
                window = arguments.replaced("window", by: "final window", starts.count - 1, past, in: -2...2)
                final = window
            } else {
                window = hasWindow ? arguments.input("window", starts.count - 1, past, in: -2...2) : nil
                final = hasFinalWindow ? arguments.output("final window", starts.count - 1, past) : nil
            }
            let (inputs, output) = (inputs(arguments), arguments.output("output", rows, width))
            return { [window, final] in
                arguments.backend.attend(inputs, starts: starts, window: window, finalWindow: final, output: output)
            }
        }
    }

    package var backward: OperationCase {
        OperationCase(.attendBackward, "\(self)", flops: backwardFlops) { [self] arguments in
            let starts = arguments.starts(division, rows: rows)
            let sequences = starts.count - 1
            let window = hasWindow ? arguments.input("window", sequences, past, in: -2...2) : nil
            let (inputs, outputGradient) = (inputs(arguments), arguments.input("gradient of output", rows, width))
            let finalGradient = hasFinalWindow ? arguments.input("gradient of final window", sequences, past) : nil
            let gap = isStrided ? width : 0
            let gradients = AttentionInputs(
                queries: arguments.output("gradient of queries", rows, width, gap: gap, floor: 0.1),
                memory: arguments.output("gradient of memory", rows, 2 * width, gap: gap, floor: 0.1),
                bias: arguments.accumulated("gradient of bias", 1, span, floor: 1))
            let windowGradient =
                hasWindow ? arguments.output("gradient of window", sequences, past, floor: 0.1) : nil
            return {
                arguments.backend.attendBackward(
                    outputGradient, inputs: inputs, starts: starts, window: window, finalWindowGradient: finalGradient,
                    gradients: gradients, windowGradient: windowGradient)
            }
        }
    }

    private func inputs(_ arguments: Arguments) -> AttentionInputs {
        AttentionInputs(
            queries: arguments.input("queries", rows, width, gap: isStrided ? 2 * width : 0, in: -2...2),
            memory: arguments.input("memory", rows, 2 * width, gap: isStrided ? width : 0, in: -2...2),
            bias: arguments.input("bias", 1, span, in: -biasSize...biasSize))
    }

    static let cases = shapes(budget: 3_000).map { Attention($0) }

    static let differentiableCases: [DifferentiableCase] = [1, 2, 4, 7].flatMap { span in
        combinations(2).map { options in
            var attention = Attention(rows: 10, width: 3, span: span, division: .small)
            (attention.hasWindow, attention.hasFinalWindow) = (options[0], options[1])
            return DifferentiableCase(forward: attention.forward, backward: attention.backward, tolerance: 3e-5)
        }
    }
}
