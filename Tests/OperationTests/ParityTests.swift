import CPUBackend
import ReferenceBackend
import Tensors
import Testing

/// Every backend this machine can run. The oracle is its own first candidate: it must damage nothing either.
let candidates: [any Backend] =
    [ReferenceBackend()] + InstructionSet.available.map { CPUBackend(instructionSet: $0) as any Backend }
    + [CPUBackend(scanThreads: 2)]

/// Every operation of every backend against the oracle.
@Suite struct ParityTests {
    @Test(arguments: Operation.allCases)
    func everyBackendAgreesWithTheOracle(on operation: Operation) {
        let comparison = compare(candidates, to: ReferenceBackend(), on: operation.cases)
        for discrepancy in comparison.discrepancies { Issue.record("\(discrepancy)") }
        // A tolerance that nothing comes near would find nothing; this keeps each in sight.
        print(
            "\(operation.rawValue): \(operation.cases.count) cases, largest error", comparison.worst, "of the tolerance"
        )
    }
}
