import CPUBackend
import Operations
import ReferenceBackend
import Tensors
import Testing

/// Products of operands rounded to bfloat16.
@Suite(.enabled(if: Precision.bfloat16.isAvailable, "this processor has no AVX512-BF16"))
struct PrecisionTests {
    private let backend = CPUBackend(precision: .bfloat16)

    /// Operands that need no rounding: the products are those of the oracle, every shape, transposition and gap.
    @Test func productsOfRoundedNumbersAreExact() {
        let comparison = compare([backend], to: ReferenceBackend(), on: Operation.multiply.cases, rounded: true)
        for discrepancy in comparison.discrepancies { Issue.record("\(discrepancy)") }
    }

    /// Other operands are rounded to nearest, ties to even: one product tells how.
    @Test func operandsAreRoundedToNearest() {
        let bits: [(UInt32, UInt32)] = [
            (0x3F80_8000, 0x3F80_0000), (0x3F81_8000, 0x3F82_0000), (0x3F80_8001, 0x3F81_0000),
            (0x3F80_7FFF, 0x3F80_0000),
        ]
        for (given, nearest) in bits {
            let arguments = Arguments(backend, seed: 1)
            let product = arguments.output("product", 2, 1)
            backend.multiply(
                arguments.input("a", 2, 1, values: [Float(bitPattern: given), 1]), transposed: false,
                arguments.input("b", 1, 1, values: [1]), transposed: false, into: product, accumulate: false)
            #expect(backend.download(product) == [Float(bitPattern: nearest), 1])
        }
    }

    /// What is not a number stays so, and infinities too: divergence must be seen.
    @Test func specialValuesPass() {
        let arguments = Arguments(backend, seed: 2)
        let product = arguments.output("product", 2, 1)
        backend.multiply(
            arguments.input("a", 2, 1, values: [.nan, .infinity]), transposed: false,
            arguments.input("b", 1, 1, values: [2]),
            transposed: false, into: product, accumulate: false)
        let values = backend.download(product)
        #expect(values[0].isNaN && values[1] == .infinity)
    }

    /// Ranks are computed without rounding.
    @Test func ranksAreThoseOfFloat32() {
        let comparison = compare([backend], to: ReferenceBackend(), on: Operation.rank.cases + Operation.topK.cases)
        for discrepancy in comparison.discrepancies { Issue.record("\(discrepancy)") }
    }
}
