import EmulatedGPU
import Operations
import ReferenceBackend
import Tensors
import Testing

/// Every operation of a GPU against the oracle: of the emulated one, and of a real one where it is asked for.
@Suite(.enabled(if: !TestGPU.backends.isEmpty)) struct GPUTests {
    @Test(arguments: Operation.allCases.filter(\.isOnGPUs))
    func theGPUAgreesWithTheOracle(on operation: Operation) {
        let comparison = compare(TestGPU.backends, to: ReferenceBackend(), on: operation.cases)
        for discrepancy in comparison.discrepancies { Issue.record("\(discrepancy)") }
        for backend in TestGPU.backends { #expect(backend.failure == nil) }
        print("\(operation.rawValue) on a GPU: largest error", comparison.worst, "tolerances")
    }

    private static let withoutDivisions: [Operation] = [.multiply, .add, .squaredNorm, .scatterAdd]

    /// The same where divisions, roots, powers and logarithms err as far as NVIDIA documents.
    @Test(
        .enabled(if: !TestGPU.approximateBackends.isEmpty),
        arguments: Operation.allCases.filter {
            $0.isOnGPUs && $0.tolerance > 0 && !withoutDivisions.contains($0)
        })
    func approximateFunctionsKeepWithinTheTolerances(operation: Operation) {
        let comparison = compare(TestGPU.approximateBackends, to: ReferenceBackend(), on: operation.cases)
        for discrepancy in comparison.discrepancies { Issue.record("\(discrepancy)") }
        for backend in TestGPU.approximateBackends { #expect(backend.failure == nil) }
        print("\(operation.rawValue) with approximate functions: largest error", comparison.worst, "tolerances")
    }
}
