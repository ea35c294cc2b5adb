import EmulatedGPU
import Identifiers
import Interactions
import Models
import Tensors
import Testing
import Training

@testable import CUDABackend

/// What the steps of whole runs cost a device: how often a recorded graph serves again, and of how many nodes it is.
@Suite(.emulated) struct TrainingStepTests {
    /// The work of one step: calls that start kernels, graphs started, and nodes (kernels, products, copies and fillings) that ran.
    private struct Step {
        var launches, graphs, nodes: Int
        /// Started as a graph that an earlier step has left.
        var isReplay: Bool { launches == 0 && graphs == 1 }
    }

    /// All steps of a run over a small catalogue.
    private func steps(
        _ options: TrainingOptions, users: Int, length: Int, items: Int = 40, repeatAware: Bool, layers: Int = 1
    ) throws -> [Step] {
        var generator = SeededGenerator(seed: 3)
        let sequences = (0..<users).map { _ in
            (0..<Int.random(in: length / 2...length, using: &generator)).map { _ in
                ItemID(rawValue: .random(in: 1...Int32(items), using: &generator))
            }
        }
        let data = Dataset(sequences: sequences, itemCount: items)
        var shape = ModelConfiguration(itemCount: items)
        (shape.hiddenSize, shape.layerCount, shape.repeatAware) = (8, layers, repeatAware)
        let emulator = try Emulator()
        let backend = try emulator.backend()
        let trainer = try Trainer(data, .leaveOneOut(data), shape, options, backend: backend)
        let counters = ["launches", "graph_launches", "kernels", "products", "copies"]
        var (steps, before): ([Step], [Int]) = ([], counters.map(emulator.count))
        _ = try trainer.run(report: { event in
            guard case .step = event else { return before = counters.map(emulator.count) }
            _ = backend.read(backend.allocateSum())  // everything runs
            let counts = zip(counters.map(emulator.count), before).map(-)
            before = counters.map(emulator.count)
            // Without the filling and the reading of that sum.
            steps.append(Step(launches: counts[0], graphs: counts[1], nodes: counts[2] + counts[3] + counts[4] - 2))
        })
        return steps
    }

    private func options(_ tokens: Int, epochs: Int) -> TrainingOptions {
        var options = TrainingOptions()
        (options.epochs, options.batchTokens, options.negatives, options.threads) = (epochs, tokens, 7, 1)
        return options
    }

    /// Histories, their repeats and so the head's lists are of another size in every step; the shapes are not.
    @Test(arguments: TrainingOptions.Objective.allCases) func repeatAwareStepsReuseGraphs(
        objective: TrainingOptions.Objective
    ) throws {
        var options = options(200, epochs: 3)
        (options.objective, options.maximumLength) = (objective, objective == .lastPosition ? 12 : 30)
        let all = try steps(options, users: objective == .lastPosition ? 40 : 150, length: 40, repeatAware: true)
        let replays = all.count(where: \.isReplay)
        #expect(all.count > 60 && replays > all.count * 3 / 4, "\(replays) of \(all.count)")
    }

    /// Thirty-two samples, each for 128 of 4,096 targets.
    @Test(arguments: [false, true]) func aSampledStepIsFewNodes(repeatAware: Bool) throws {
        var options = options(4096, epochs: 1)
        (options.loss, options.maximumLength) = (.sampled, 50)
        let all = try steps(options, users: 190, length: 120, items: 300, repeatAware: repeatAware, layers: 2)
        let last = try #require(all.last { $0.isReplay })
        #expect(last.nodes <= 100)
    }
}
