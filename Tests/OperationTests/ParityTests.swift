import CPUBackend
import ReferenceBackend
import Tensors
import Testing

/// Every fast backend that this machine can run.
let candidates: [any Backend] =
    InstructionSet.available.map { CPUBackend(instructionSet: $0) as any Backend } + [CPUBackend(scanThreads: 2)]

/// Every operation of every backend against the oracle.
@Suite struct ParityTests {
    @Test(arguments: Operation.allCases)
    func everyBackendAgreesWithTheOracle(on operation: Operation) {
        let comparison = compare(candidates, to: ReferenceBackend(), on: operation.cases)
        for discrepancy in comparison.discrepancies { Issue.record("\(discrepancy)") }
        // A tolerance that nothing comes near would find nothing; this keeps each in sight.
        print("\(operation.rawValue): \(operation.cases.count) cases, largest error", comparison.worst, "tolerances")
    }

    /// The comparison itself can fail: it finds each of these mistakes.
    @Test(arguments: Mutation.allCases)
    func aBrokenBackendIsFound(_ mutation: Mutation) {
        for operation in mutation.operations {
            let cases = Array(operation.cases.suffix(18))  // small ones are enough, and quick
            let comparison = compare([BrokenBackend(mutation)], to: ReferenceBackend(), on: cases)
            #expect(!comparison.discrepancies.isEmpty, "\(mutation.rawValue) went unseen in \(operation.rawValue)")
        }
    }
}
