import CPUBackend
import EmulatedGPU
import Operations
import ReferenceBackend
import Tensors
import Testing

/// The backends of this machine's processor.
let processorBackends: [any Backend] =
    InstructionSet.available.flatMap {
        [CPUBackend(instructionSet: $0), CPUBackend(instructionSet: $0, products: .rowIndependent)] as [any Backend]
    } + [CPUBackend(scanThreads: 2)]

/// Every fast backend that can be run here.
let candidates: [any Backend] = processorBackends + TestGPU.backends

/// Every operation of every backend of a processor against the oracle; for GPUs see ``GPUTests``.
@Suite struct ParityTests {
    @Test(arguments: Operation.allCases)
    func everyBackendAgreesWithTheOracle(on operation: Operation) {
        let comparison = compare(processorBackends, to: ReferenceBackend(), on: operation.cases)
        for discrepancy in comparison.discrepancies { Issue.record("\(discrepancy)") }
        // A tolerance that nothing comes near would find nothing; this keeps each in sight.
        print("\(operation.rawValue): \(operation.cases.count) cases, largest error", comparison.worst, "tolerances")
    }

    /// The comparison itself can fail: it finds each of these mistakes.
    @Test(arguments: Mutation.allCases)
    func aBrokenBackendIsFound(_ mutation: Mutation) {
        for operation in mutation.operations {
            let cases = Array(operation.cases.filter { $0.flops < 100_000 }.suffix(36))  // enough, and quick
            let comparison = compare([BrokenBackend(mutation)], to: ReferenceBackend(), on: cases)
            #expect(!comparison.discrepancies.isEmpty, "\(mutation.rawValue) went unseen in \(operation.rawValue)")
        }
    }

    /// And so can the check of gradients.
    @Test(arguments: Mutation.allCases.filter(\.spoilsGradients))
    func aWrongGradientIsFound(_ mutation: Mutation) {
        let cases = DifferentiableCase.all.filter {
            mutation.operations.contains(($0.backward ?? $0.forward).operation)
        }
        #expect(!cases.isEmpty)
        #expect(cases.contains { !$0.wrongGradients(on: BrokenBackend(mutation)).isEmpty }, "\(mutation.rawValue)")
    }
}
