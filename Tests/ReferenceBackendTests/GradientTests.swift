import Operations
import Testing

/// Every backward pass against finite differences of its own forward pass.
@Suite struct GradientTests {
    @Test(arguments: DifferentiableCase.all)
    func theBackwardPassIsTheSlope(_ each: DifferentiableCase) {
        for sentence in each.wrongGradients(on: backend) { Issue.record("\(sentence)") }
    }
}
