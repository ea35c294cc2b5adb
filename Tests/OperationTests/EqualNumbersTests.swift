import EmulatedGPU
import Operations
import ReferenceBackend
import Tensors
import Testing

/// What `Backend.residualNorm` promises of rows of equal numbers, on every backend, also where divisions are approximate.
@Suite struct EqualNumbersTests {
    static let backends: [any Backend] = [ReferenceBackend()] + candidates + TestGPU.approximateBackends

    /// A norm of rows that hold one number each.
    private struct Norm {
        let arguments: Arguments
        let normalized, rstd, output, shift: Tensor
        let parameters: NormParameters

        init(_ numbers: [Float], width: Int, on backend: any Backend, dropout: Dropout? = nil) {
            arguments = Arguments(backend, seed: 1)
            let values = numbers.flatMap { [Float](repeating: $0, count: width) }
            normalized = arguments.input("normalized", numbers.count, width, values: values)
            shift = arguments.input("shift", 1, width)
            parameters = NormParameters(scale: arguments.input("scale", 1, width), shift: shift, epsilon: 1e-12)
            rstd = arguments.output("rstd", 1, numbers.count)
            output = arguments.output("output", numbers.count, width)
            backend.residualNorm(
                normalized, bias: nil, residual: nil, dropout: dropout, parameters: parameters, rstd: rstd,
                output: output)
        }

        func values(_ tensor: Tensor) -> [Float] { arguments.backend.download(tensor) }

        /// The gradient of the input, for any gradient of the output.
        func inputGradient() -> [Float] {
            let (rows, width) = (normalized.rows, normalized.columns)
            let gradient = arguments.output("gradient of input", rows, width)
            arguments.backend.residualNormBackward(
                arguments.input("gradient of output", rows, width), normalized: normalized, rstd: rstd, dropout: nil,
                parameters: parameters, inputGradient: gradient, residualGradient: nil, biasGradient: nil,
                parameterGradients: NormParameters(
                    scale: arguments.output("gradient of scale", 1, width),
                    shift: arguments.output("gradient of shift", 1, width), epsilon: 1e-12))
            return values(gradient)
        }
    }

    /// Every width up to 130, among them those whose reciprocal times a multiple of them is no whole number, and some that are wider.
    private static let widths = Array(1...130) + [192, 255, 256, 257, 384, 500, 511, 512, 768, 1000, 1023, 1024]

    /// Zeros above all; and numbers whose multiples are exact, and with them their sum and their mean.
    @Test(arguments: backends.indices) func rowsWithAnExactSumBecomeZeros(backend: Int) {
        let numbers: [Float] = [0, -0.0, 0.5, -3, 1024, 0x1p-100, 7 * 0x1p40]
        for width in Self.widths {
            let norm = Norm(numbers, width: width, on: Self.backends[backend])
            let place = "\(Self.backends[backend].name), width \(width)"
            #expect(norm.values(norm.rstd) == [Float](repeating: 0, count: numbers.count), "\(place)")
            #expect(norm.values(norm.normalized).allSatisfy { $0 == 0 }, "\(place)")
            let shifts = numbers.flatMap { _ in norm.values(norm.shift) }
            #expect(norm.values(norm.output) == shifts, "\(place)")
            #expect(norm.inputGradient().allSatisfy { $0 == 0 }, "\(place)")
        }
    }

    /// Whatever the numbers were.
    @Test(arguments: backends.indices) func rowsThatAreDroppedBecomeZeros(backend: Int) {
        let arguments = Arguments(Self.backends[backend], seed: 2)
        let numbers: [Float] = [0.3, -1e20, 0.1]
        let dropout = Dropout(
            rate: 0.99999, seed: 3, step: 4, place: 5, rowNumbers: arguments.indices("row numbers", [0, 1, 2]))
        for width in [1, 3, 7, 14, 33, 56, 100] {
            let norm = Norm(numbers, width: width, on: Self.backends[backend], dropout: dropout)
            #expect(norm.values(norm.rstd) == [0, 0, 0])
            #expect(norm.inputGradient().allSatisfy { $0 == 0 })
        }
    }

    /// With ε = 1e-12 a mean that is off by one unit in the last place of 0.3 (3e-8) comes out as 0.03, one of 3e5 as 1: no more than
    /// a bound can be asked for.
    @Test(arguments: backends.indices, widths) func otherRowsStayBounded(backend: Int, width: Int) {
        let norm = Norm([0.3, 0.1, -312_345.7], width: width, on: Self.backends[backend])
        let values = norm.values(norm.normalized)
        for row in 0..<3 {
            let own = values[row * width..<(row + 1) * width]
            #expect(own.allSatisfy { abs($0) <= 1.000_001 && $0 == own.first })
        }
    }
}
