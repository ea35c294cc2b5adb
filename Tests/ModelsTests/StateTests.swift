import CPUBackend
import Foundation
import Identifiers
import Models
import Tensors
import Testing

/// The live state against the full forward pass: the classic bug of this family of models (docs/design.md, "Traps").
@Suite struct StateTests {
    static let shapes: [ModelConfiguration] = variants(itemCount: 30)

    @Test(arguments: placements(of: shapes))
    func stepEqualsScanForEveryPrefix(shape: ModelConfiguration, backendIndex: Int) throws {
        let model = SequenceModel.perturbed(shape, on: backends[backendIndex])
        let history = randomSequences([37], items: shape.itemCount, seed: 3)[0]
        let encoder = SequenceEncoder(model, tokens: 64, sequences: 4)
        let all = rows(try encoder.hidden(atAllPositionsOf: PackedBatch([history])), model)
        var state = model.initialState()
        #expect(state.values.count == shape.stateSize)
        for (position, item) in history.enumerated() {
            let hidden = model.backend.download(try encoder.hidden(stepping: &state, item: item))
            #expect(largestDifference(hidden, all[position]) < 1e-5, "event \(position)")
        }
        // The states must agree too, not only what is read from them.
        var other = model.initialState()
        _ = try encoder.hidden(advancing: &other, by: history)
        #expect(largestDifference(state.values, other.values) < 1e-5)
    }

    @Test(arguments: shapes)
    func savedAndLoadedStatesGoOn(shape: ModelConfiguration) throws {
        let model = SequenceModel.perturbed(shape, on: CPUBackend())
        let history = randomSequences([23], items: shape.itemCount, seed: 5)[0]
        let encoder = SequenceEncoder(model, tokens: 5, sequences: 2)
        var whole = model.initialState()
        let expected = model.backend.download(try encoder.hidden(advancing: &whole, by: history))
        for cut in 1..<history.count {
            var state = model.initialState()
            _ = try encoder.hidden(advancing: &state, by: Array(history[..<cut]))
            let bytes = state.values.withUnsafeBytes { Array($0) }
            let values = bytes.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
            var loaded = try #require(RecurrentState(values: values, for: shape))
            #expect(loaded == state)
            let hidden = model.backend.download(try encoder.hidden(advancing: &loaded, by: Array(history[cut...])))
            #expect(largestDifference(hidden, expected) < 1e-5, "cut at \(cut)")
        }
        #expect(RecurrentState(values: whole.values.dropLast(), for: shape) == nil)
        #expect(RecurrentState(values: whole.values.dropLast() + [.nan], for: shape) == nil)
    }

    @Test(arguments: shapes)
    func statesOfManyUsersMoveTogether(shape: ModelConfiguration) throws {
        let model = SequenceModel.perturbed(shape, on: CPUBackend())
        let sequences = randomSequences([1, 9, 2, 17, 4], items: shape.itemCount, seed: 6)
        let encoder = SequenceEncoder(model, tokens: 64, sequences: 5)
        var states = sequences.map { _ in model.initialState() }
        let together = rows(try encoder.hidden(advancing: &states, by: PackedBatch(sequences)), model)
        for (index, sequence) in sequences.enumerated() {
            var state = model.initialState()
            let alone = model.backend.download(try encoder.hidden(advancing: &state, by: sequence))
            #expect(largestDifference(together[index], alone) < 1e-5)
            #expect(largestDifference(states[index].values, state.values) < 1e-5)
        }
    }

    @Test(arguments: shapes)
    func packedSequencesDoNotSeeEachOther(shape: ModelConfiguration) throws {
        let model = SequenceModel.perturbed(shape, on: CPUBackend())
        let sequences = randomSequences([3, 1, 65, 2, 16], items: shape.itemCount, seed: 7)
        let encoder = SequenceEncoder(model, tokens: 100, sequences: 5)
        let together = rows(try encoder.hidden(after: PackedBatch(sequences)), model)
        for (index, sequence) in sequences.enumerated() {
            let alone = model.backend.download(try encoder.hidden(after: PackedBatch([sequence])))
            #expect(largestDifference(together[index], alone) < 1e-5)
        }
    }

    @Test func theDefaultStateIsFourKilobytes() {
        #expect(ModelConfiguration(itemCount: 1).stateSize * MemoryLayout<Float>.size == 4096)
    }

    /// Long histories on several cores: the chunked scan in a whole model.
    @Test func aLongHistoryOnSeveralCoresGivesTheSame() throws {
        var shape = ModelConfiguration(itemCount: 30)
        shape.hiddenSize = 8
        let history = randomSequences([3000], items: 30, seed: 8)[0]
        let results = try [1, 3].map { threads in
            let model = SequenceModel.perturbed(shape, on: CPUBackend(scanThreads: threads))
            let encoder = SequenceEncoder(model, tokens: 3000, sequences: 1)
            return model.backend.download(try encoder.hidden(after: PackedBatch([history])))
        }
        #expect(largestDifference(results[1], results[0]) < 1e-5)
    }

    private func rows(_ tensor: Tensor, _ model: SequenceModel) -> [[Float]] {
        let values = model.backend.download(tensor)
        return (0..<tensor.rows).map { Array(values[$0 * tensor.columns..<($0 + 1) * tensor.columns]) }
    }
}

/// Each shape with each backend that it can be on, by its number.
func placements(of shapes: [ModelConfiguration]) -> [(ModelConfiguration, Int)] {
    shapes.flatMap { shape in
        backends.indices.filter { shape.mixer != .attention || backends[$0].supportsAttention }.map { (shape, $0) }
    }
}

/// The paper's model, each of its ablations (docs/design.md, "The model"), the warm-up, and the other mixers.
func variants(itemCount: Int) -> [ModelConfiguration] {
    var base = ModelConfiguration(itemCount: itemCount)
    base.hiddenSize = 8
    func variant(_ change: (inout ModelConfiguration) -> Void) -> ModelConfiguration {
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
        variant { ($0.mixer, $0.attentionWindow) = (.attention, 5) },
        variant { ($0.mixer, $0.attentionWindow, $0.layerCount) = (.attention, 2, 1) },
        variant { ($0.mixer, $0.expansion) = (.lru, 3) },
        variant {
            $0.hiddenSize = 5
            $0.expansion = 3
            $0.layerCount = 3
            $0.convolutionWidth = 1
        },
        variant {
            $0.block = .recurrenceOnly
            $0.feedForward = false
            $0.warmupSteps = 3
        },
    ]
}

/// Models with time.
func timedVariants(itemCount: Int) -> [ModelConfiguration] {
    variants(itemCount: itemCount).filter { $0.mixer == .bdlru && $0.block == .full && $0.warmupSteps == 0 }.map {
        var shape = $0
        shape.usesTime = true
        return shape
    }
}

/// Bad input is an error of the library, never a trap.
@Suite struct HistoryErrorTests {
    @Test func whatCannotBeReadIsAnErrorAndChangesNothing() throws {
        let model = SequenceModel.perturbed(ModelConfiguration(itemCount: 30), on: CPUBackend())
        let encoder = SequenceEncoder(model, tokens: 4, sequences: 2)
        let (empty, unknown) = (HistoryError.empty, HistoryError.unknownItem(31, itemCount: 30))
        let tooLarge = HistoryError.tooLarge(tokens: 4, sequences: 2)
        let batches: [(PackedBatch, HistoryError)] = [
            (PackedBatch(), empty), (PackedBatch([[1], []]), empty), (PackedBatch([[], [1]] as [[ItemID]]), empty),
            (PackedBatch([[1, 31]]), unknown), (PackedBatch([[1], [2], [3]]), tooLarge),
            (PackedBatch([[1, 2, 3, 4, 5]]), tooLarge),
        ]
        for (batch, error) in batches {
            #expect(throws: error) { try encoder.hidden(after: batch) }
            #expect(throws: error) { try encoder.hidden(atAllPositionsOf: batch) }
            var states = (0..<batch.sequenceCount).map { _ in model.initialState() }
            #expect(throws: error) { try encoder.hidden(advancing: &states, by: batch) }
            #expect(states.allSatisfy { $0 == model.initialState() })
        }
        var state = model.initialState()
        #expect(throws: empty) { try encoder.hidden(advancing: &state, by: []) }
        #expect(throws: unknown) { try encoder.hidden(advancing: &state, by: [1, 2, 3, 4, 5, 31]) }
        #expect(throws: HistoryError.unknownItem(0, itemCount: 30)) { try encoder.hidden(stepping: &state, item: 0) }
        #expect(state == model.initialState(), "not moved on by the pieces before the unknown item")

        var other = ModelConfiguration(itemCount: 30)
        other.hiddenSize = 8
        var foreign = SequenceModel.perturbed(other, on: CPUBackend()).initialState()
        #expect(throws: HistoryError.otherStates) { try encoder.hidden(stepping: &foreign, item: 1) }
        var none: [RecurrentState] = []
        #expect(throws: HistoryError.otherStates) { try encoder.hidden(advancing: &none, by: PackedBatch([[1]])) }
    }

    /// At least one event and one sequence, and no more than was asked for.
    @Test(arguments: [(-1, 0), (1, 1), (3, 1), (3, 2)])
    func anEncoderTakesWhatItWasMadeFor(tokens: Int, sequences: Int) throws {
        let model = SequenceModel.perturbed(ModelConfiguration(itemCount: 30), on: CPUBackend())
        let encoder = SequenceEncoder(model, tokens: tokens, sequences: sequences)
        let (tokens, sequences) = (max(1, tokens), max(1, sequences))
        let tooLarge = HistoryError.tooLarge(tokens: tokens, sequences: sequences)
        #expect(try encoder.encode([[ItemID](repeating: 7, count: tokens)]).count == 1)
        #expect(throws: tooLarge) { try encoder.encode([[ItemID](repeating: 7, count: tokens + 1)]) }
        #expect(throws: tooLarge) { try encoder.encode([[ItemID]](repeating: [7], count: sequences + 1)) }
        if sequences <= tokens {
            #expect(try encoder.encode([[ItemID]](repeating: [7], count: sequences)).count == sequences)
        }
    }

    @Test func repeatsOfWhatCannotBeReadAreAnError() throws {
        var shape = ModelConfiguration(itemCount: 9)
        (shape.hiddenSize, shape.repeatAware) = (4, true)
        let model = SequenceModel.perturbed(shape, on: CPUBackend())
        #expect(throws: HistoryError.empty) { try model.headBias(after: [[1], []] as [[ItemID]]) }
        #expect(throws: HistoryError.unknownItem(10, itemCount: 9)) {
            try model.headBias(after: [[1, 10]] as [[ItemID]])
        }
    }
}
