import Tensors
import Testing

/// A NaN that goes in must come out: a run that diverges has to be seen.
@Suite struct NotANumberTests {
    @Test(arguments: candidates.indices)
    func activationsKeepIt(candidate: Int) {
        let bench = Bench(candidates[candidate], seed: 1)
        defer { withExtendedLifetime(bench) {} }
        let output = bench.output("output", 1, 20)
        var values = bench.numbers(20)
        for place in [2, 19] { values[place] = .nan }
        bench.backend.activate(bench.input(1, 20, values: values), bias: nil, dropout: nil, output: output)
        #expect(bench.backend.download(output).map(\.isNaN) == values.map(\.isNaN))
    }

    @Test(arguments: candidates.indices, [0, 1])
    func gatesKeepIt(candidate: Int, gate: Int) {
        let bench = Bench(candidates[candidate], seed: 1)
        defer { withExtendedLifetime(bench) {} }
        var gates = bench.numbers(2 * 2 * 20)
        gates[20 * gate + 3] = .nan
        let states = bench.output("states", 2, 20)
        let inputs = ScanInputs(
            gates: bench.input(2, 40, values: gates), gateBias: bench.input(1, 40), input: bench.input(2, 20),
            outputGate: nil, decay: bench.input(1, 20))
        bench.backend.scan(
            inputs, starts: bench.indices([0, 2]), initial: bench.input(1, 20), states: states, output: states,
            final: nil)
        #expect(bench.backend.download(states)[3].isNaN)
    }

    @Test(arguments: candidates.indices)
    func lossesKeepIt(candidate: Int) {
        let bench = Bench(candidates[candidate], seed: 1)
        defer { withExtendedLifetime(bench) {} }
        var table = bench.numbers(21 * 3)
        table[20 * 3] = .nan
        let loss = bench.backend.crossEntropy(
            bench.input(2, 3), table: bench.input(21, 3, values: table), targets: bench.indices([0, 1]), scale: 1,
            gradients: nil)
        #expect(loss.isNaN)
    }

    /// A NaN among the negatives' rows, then in the target's.
    @Test(arguments: candidates.indices, [1, 0])
    func theSampledLossKeepsIt(candidate: Int, row: Int) {
        let bench = Bench(candidates[candidate], seed: 1)
        defer { withExtendedLifetime(bench) {} }
        var table = bench.numbers(2 * 3)
        table[row * 3] = .nan
        let loss = bench.backend.sampledCrossEntropy(
            bench.input(1, 3), table: bench.input(2, 3, values: table), targets: bench.indices([0]),
            targetLogQ: bench.input(1, 1), negatives: bench.indices([1]), logQ: bench.input(1, 1), bias: nil, scale: 1,
            gradients: nil)
        #expect(loss.isNaN)
    }
}
