import Operations
import Tensors
import Testing

/// A NaN that goes in must come out: a run that diverges has to be seen.
@Suite struct NotANumberTests {
    @Test(arguments: candidates.indices)
    func activationsKeepIt(candidate: Int) {
        let arguments = Arguments(candidates[candidate], seed: 1)
        let output = arguments.output("output", 1, 20)
        var values = arguments.numbers(20)
        for place in [2, 19] { values[place] = .nan }
        arguments.backend.activate(
            arguments.input("input", 1, 20, values: values), bias: nil, dropout: nil, output: output)
        #expect(arguments.backend.download(output).map(\.isNaN) == values.map(\.isNaN))
    }

    @Test(arguments: candidates.indices, [0, 1])
    func gatesKeepIt(candidate: Int, gate: Int) {
        let arguments = Arguments(candidates[candidate], seed: 1)
        var gates = arguments.numbers(2 * 2 * 20)
        gates[20 * gate + 3] = .nan
        let states = arguments.output("states", 2, 20)
        let inputs = ScanInputs(
            gates: arguments.input("gates", 2, 40, values: gates), gateBias: arguments.input("gate bias", 1, 40),
            input: arguments.input("input", 2, 20),
            outputGate: nil, decay: arguments.input("decay", 1, 20))
        arguments.backend.scan(
            inputs, starts: arguments.indices("starts", [0, 2]), initial: arguments.input("initial", 1, 20),
            states: states, output: states,
            final: nil)
        #expect(arguments.backend.download(states)[3].isNaN)
    }

    @Test(arguments: candidates.indices)
    func lossesKeepIt(candidate: Int) {
        let arguments = Arguments(candidates[candidate], seed: 1)
        var table = arguments.numbers(21 * 3)
        table[20 * 3] = .nan
        let loss = arguments.backend.crossEntropy(
            arguments.input("hidden", 2, 3), table: arguments.input("table", 21, 3, values: table),
            targets: arguments.indices("targets", [0, 1]), scale: 1,
            gradients: nil)
        #expect(loss.isNaN)
    }

    /// A NaN among the negatives' rows, then in the target's.
    @Test(arguments: candidates.indices, [1, 0])
    func theSampledLossKeepsIt(candidate: Int, row: Int) {
        let arguments = Arguments(candidates[candidate], seed: 1)
        var table = arguments.numbers(2 * 3)
        table[row * 3] = .nan
        let loss = arguments.backend.sampledCrossEntropy(
            arguments.input("hidden", 1, 3), table: arguments.input("table", 2, 3, values: table),
            targets: arguments.indices("targets", [0]),
            targetLogQ: arguments.input("target log Q", 1, 1), negatives: arguments.indices("negatives", [1]),
            logQ: arguments.input("log Q", 1, 1), bias: nil, scale: 1,
            gradients: nil)
        #expect(loss.isNaN)
    }
}
