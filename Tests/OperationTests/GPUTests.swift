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
}
