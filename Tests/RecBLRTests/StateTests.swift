import CPUBackend
import Foundation
import RecBLR
import Tensors
import Testing

/// The live state against the full forward pass: the classic bug of this family of models (DESIGN 2.2).
@Suite struct StateTests {
    static let shapes: [Configuration] = variants(itemCount: 30)

    @Test(arguments: shapes, backends.indices)
    func stepEqualsScanForEveryPrefix(shape: Configuration, backendIndex: Int) {
        let model = Model.perturbed(shape, on: backends[backendIndex])
        let history = randomSequences([37], items: shape.itemCount, seed: 3)[0]
        let encoder = Encoder(model, tokens: 64, sequences: 4)
        let all = rows(encoder.encodeAllPositions(PackedBatch([history])), model)
        var state = model.initialState()
        #expect(state.values.count == shape.stateSize)
        for (position, item) in history.enumerated() {
            let hidden = model.backend.download(encoder.step(&state, item: item))
            #expect(largestDifference(hidden, all[position]) < 1e-5, "event \(position)")
        }
        // The states must agree too, not only what is read from them.
        var other = model.initialState()
        _ = encoder.advance(&other, by: history)
        #expect(largestDifference(state.values, other.values) < 1e-5)
    }

    @Test(arguments: shapes)
    func savedAndLoadedStatesGoOn(shape: Configuration) throws {
        let model = Model.perturbed(shape, on: CPUBackend())
        let history = randomSequences([23], items: shape.itemCount, seed: 5)[0]
        let encoder = Encoder(model, tokens: 5, sequences: 2)
        var whole = model.initialState()
        let expected = model.backend.download(encoder.advance(&whole, by: history))
        for cut in 1..<history.count {
            var state = model.initialState()
            _ = encoder.advance(&state, by: Array(history[..<cut]))
            let bytes = state.values.withUnsafeBytes { Array($0) }
            let values = bytes.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
            var loaded = try #require(State(values: values, for: shape))
            #expect(loaded == state)
            let hidden = model.backend.download(encoder.advance(&loaded, by: Array(history[cut...])))
            #expect(largestDifference(hidden, expected) < 1e-5, "cut at \(cut)")
        }
        #expect(State(values: whole.values.dropLast(), for: shape) == nil)
        #expect(State(values: whole.values.dropLast() + [.nan], for: shape) == nil)
    }

    @Test(arguments: shapes)
    func statesOfManyUsersMoveTogether(shape: Configuration) {
        let model = Model.perturbed(shape, on: CPUBackend())
        let sequences = randomSequences([1, 9, 2, 17, 4], items: shape.itemCount, seed: 6)
        let encoder = Encoder(model, tokens: 64, sequences: 5)
        var states = sequences.map { _ in model.initialState() }
        let together = rows(encoder.advance(&states, by: PackedBatch(sequences)), model)
        for (index, sequence) in sequences.enumerated() {
            var state = model.initialState()
            let alone = model.backend.download(encoder.advance(&state, by: sequence))
            #expect(largestDifference(together[index], alone) < 1e-5)
            #expect(largestDifference(states[index].values, state.values) < 1e-5)
        }
    }

    @Test(arguments: shapes)
    func packedSequencesDoNotSeeEachOther(shape: Configuration) {
        let model = Model.perturbed(shape, on: CPUBackend())
        let sequences = randomSequences([3, 1, 65, 2, 16], items: shape.itemCount, seed: 7)
        let encoder = Encoder(model, tokens: 100, sequences: 5)
        let together = rows(encoder.encode(PackedBatch(sequences)), model)
        for (index, sequence) in sequences.enumerated() {
            let alone = model.backend.download(encoder.encode(PackedBatch([sequence])))
            #expect(largestDifference(together[index], alone) < 1e-5)
        }
    }

    @Test func theDefaultStateIsFourKilobytes() {
        #expect(Configuration(itemCount: 1).stateSize * MemoryLayout<Float>.size == 4096)
    }

    /// Long histories on several cores: the chunked scan in a whole model.
    @Test func aLongHistoryOnSeveralCoresGivesTheSame() {
        var shape = Configuration(itemCount: 30)
        shape.hiddenSize = 8
        let history = randomSequences([3000], items: 30, seed: 8)[0]
        let results = [1, 3].map { threads in
            let model = Model.perturbed(shape, on: CPUBackend(scanThreads: threads))
            let encoder = Encoder(model, tokens: 3000, sequences: 1)
            return model.backend.download(encoder.encode(PackedBatch([history])))
        }
        #expect(largestDifference(results[1], results[0]) < 1e-5)
    }

    private func rows(_ tensor: Tensor, _ model: Model) -> [[Float]] {
        let values = model.backend.download(tensor)
        return (0..<tensor.rows).map { Array(values[$0 * tensor.columns..<($0 + 1) * tensor.columns]) }
    }
}

/// The paper's model, each variant of DESIGN 2.1, and the warm-up.
func variants(itemCount: Int) -> [Configuration] {
    var base = Configuration(itemCount: itemCount)
    base.hiddenSize = 8
    func variant(_ change: (inout Configuration) -> Void) -> Configuration {
        var copy = base
        change(&copy)
        return copy
    }
    return [
        base,
        variant { $0.layerCount = 1 },
        variant { $0.block = .recurrenceOnly },
        variant { $0.convolutionWidth = 0 },
        variant { $0.feedForward = false },
        variant { $0.decayInitialization = .normal },
        variant { $0.warmupSteps = 5 },
        variant { $0.repeatAware = true },
        variant {
            $0.hiddenSize = 5
            $0.expansion = 3
            $0.layerCount = 3
            $0.convolutionWidth = 1
        },
        variant {
            $0.block = .recurrenceOnly
            $0.feedForward = false
            $0.paddingInSoftmax = true
            $0.warmupSteps = 3
        },
    ]
}
