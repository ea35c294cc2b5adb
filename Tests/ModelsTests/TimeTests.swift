import CPUBackend
import EmulatedGPU
import Foundation
import Identifiers
import Layers
import ReferenceBackend
import Tensors
import Testing

@testable import Models

/// Models that know when events happened and when they are asked.
@Suite struct TimeTests {
    static let shapes = timedVariants(itemCount: 30)
    static let length = 23
    let history = randomSequences([length], items: 30, seed: 3)[0]
    let times = EventTime.history(seconds: randomTimes(length, seed: 4))

    private func batch(_ times: [EventTime]) -> PackedBatch {
        var batch = PackedBatch()
        batch.append(history, times: times)
        return batch
    }

    private func rows(_ tensor: Tensor, _ backend: any Backend) -> [[Float]] {
        let values = backend.download(tensor)
        return (0..<tensor.rows).map { Array(values[$0 * tensor.columns..<($0 + 1) * tensor.columns]) }
    }

    // MARK: The beginning

    /// It has the weights of the model without time, and zeros: the same vectors, bit for bit, at whatever time it is asked.
    @Test(arguments: shapes)
    func itBeginsAsTheModelWithoutTime(shape: ModelConfiguration) throws {
        var plainShape = shape
        plainShape.usesTime = false
        let (timed, plain) = (
            try SequenceModel(initializing: shape, seed: 7, on: CPUBackend()),
            try SequenceModel(initializing: plainShape, seed: 7, on: CPUBackend())
        )
        for entry in plain.network.layout.entries {
            let own = try #require(timed.weights[named: entry.name])
            #expect(timed.backend.download(own) == plain.backend.download(plain.weights[entry]), "\(entry.name)")
        }
        let expected = plain.backend.download(
            try SequenceEncoder(plain, tokens: 64, sequences: 1).hidden(atAllPositionsOf: PackedBatch([history])))
        let encoder = SequenceEncoder(timed, tokens: 64, sequences: 1)
        for questions in [times, times.map { EventTime($0.event, before: $0.before, question: $0.event + 1_000_000) }] {
            let own = timed.backend.download(try encoder.hidden(atAllPositionsOf: batch(questions)))
            #expect(own == expected)
        }
    }

    @Test func olderFilesHaveNoTime() throws {
        var object = try #require(
            try JSONSerialization.jsonObject(with: JSONEncoder().encode(Self.shapes[0])) as? [String: Any])
        object["usesTime"] = nil
        let shape = try JSONDecoder().decode(
            ModelConfiguration.self, from: try JSONSerialization.data(withJSONObject: object))
        #expect(!shape.usesTime)
    }

    @Test func itIsForWholeBDLRUs() {
        for change: (inout ModelConfiguration) -> Void in [
            { $0.block = .recurrenceOnly }, { $0.warmupSteps = 1 }, { $0.mixer = .lru }, { $0.mixer = .attention },
        ] {
            var shape = Self.shapes[0]
            change(&shape)
            #expect(throws: ConfigurationError.noTime) { try shape.validate() }
        }
    }

    // MARK: What is computed of times

    @Test func hatsOfGaps() {
        func hats(_ gap: Double) -> [Float] { TimeFeatures.hats(of: gap) }
        #expect(hats(0) == [Float](repeating: 0, count: 10), "no gap")
        #expect(hats(60) == [1] + [Float](repeating: 0, count: 9))
        #expect(hats(TimeFeatures.longestTimescale) == [Float](repeating: 0, count: 9) + [1])
        #expect(hats(1e12) == hats(TimeFeatures.longestTimescale))
        for gap in [61, 3600, 86_400, 1e6, 3e7] {
            let values = hats(gap)
            #expect(values.count { $0 != 0 } <= 2 && abs(values.reduce(0, +) - 1) < 1e-6)
        }
    }

    /// What was entered within a minute is a minute apart, and time never runs backwards.
    @Test func gapsAreAMinuteAtLeast() {
        for later in [-1_000_000, 0, 1, 59, 60] as [Int64] { #expect(TimeFeatures.gap(from: 0, to: later) == 60) }
        #expect(TimeFeatures.gap(from: -1, to: 60) == 61)
        #expect(TimeFeatures.gap(from: nil, to: 60) == 0 && TimeFeatures.gap(from: 60, to: nil) == 0)
        #expect(TimeFeatures.gap(from: .min, to: .max) > 1e18)
    }

    /// ω is 0 before training, and then nothing fades; else the share of each channel counts as much.
    @Test func theMeanFading() throws {
        let model = try SequenceModel(initializing: Self.shapes[0], seed: 1, on: CPUBackend())
        #expect(model.meanFading(after: 86_400) == 1)
        let fade = model.weights[named: "layers.\(Self.shapes[0].layerCount - 1).fade"]!
        model.backend.upload([Float](repeating: 1, count: fade.columns), to: fade)
        let shares = TimeFeatures.rates(channels: fade.columns).map { 1 / (1 + 86_400 * Double($0)) }
        #expect(abs(model.meanFading(after: 86_400) - shares.reduce(0, +) / Double(shares.count)) < 1e-9)
        #expect(model.meanFading(after: 0) == model.meanFading(after: 60))
    }

    /// 1970-01-01 was a Thursday, at midnight; the week's angle counts from there.
    @Test func theCalendarTurnsOnceADayAndOnceAWeek() {
        func calendar(_ time: Int64) -> [Float] { Array(TimeFeatures.question(EventTime(time, before: nil)).suffix(4)) }
        func expect(_ time: Int64, _ right: [Float]) { #expect(largestDifference(calendar(time), right) < 1e-6) }
        expect(0, [0, 1, 0, 1])
        expect(6 * 3600, [1, 0, sin(.pi / 14), cos(.pi / 14)])
        expect(-6 * 3600, [-1, 0, -sin(.pi / 14), cos(.pi / 14)])
        #expect(calendar(604_800 * 2600 + 5) == calendar(5))
        let earliest = calendar(.min)
        #expect(earliest.allSatisfy { $0.isFinite })
    }

    @Test(arguments: [-86_401, -86_400, -1, 0, 1, 86_399, 86_400, 1_732_590_000, 9_223_372_036] as [Int64])
    func statesKeepTimesToTheSecond(time: Int64) {
        let numbers = RecurrentState.numbers(of: time)
        #expect(RecurrentState.areTime(numbers) && RecurrentState.time(of: numbers) == time)
    }

    @Test func whatIsNoTimeIsNoState() {
        let shape = Self.shapes[0]
        let zeros = [Float](repeating: 0, count: shape.stateSize - 2)
        #expect(RecurrentState(values: zeros + [3, -1], for: shape)?.lastTime == nil)
        let time: Int64 = 3 * 86_400 + 5
        #expect(RecurrentState(values: zeros + [3, 5], for: shape)?.lastTime == time)
        for numbers: [Float] in [[0.5, 0], [0, 86_400], [1e30, 0], [0, -2], [0, 0.5]] {
            #expect(RecurrentState(values: zeros + numbers, for: shape) == nil)
        }
    }

    @Test func nanosecondsAreRoundedDown() {
        for (time, second) in [(-1, -1), (0, 0), (999_999_999, 0), (1_000_000_000, 1), (-1_000_000_000, -1)]
            as [(Int64, Int64)]
        {
            #expect(EventTime.seconds(ofNanoseconds: time) == second)
        }
    }

    // MARK: Questions

    /// A question at another time changes the answer after its event, and nothing else: no event sees it.
    @Test(arguments: shapes)
    func aQuestionIsSeenByItsOwnAnswerAlone(shape: ModelConfiguration) throws {
        let model = SequenceModel.perturbed(shape, on: CPUBackend())
        let encoder = SequenceEncoder(model, tokens: 64, sequences: 1)
        let before = rows(try encoder.hidden(atAllPositionsOf: batch(times)), model.backend)
        for asked in [0, 7, Self.length - 1] {
            var questions = times
            questions[asked].question = times[asked].event + 5_000_000
            let after = rows(try encoder.hidden(atAllPositionsOf: batch(questions)), model.backend)
            for row in after.indices { #expect((after[row] == before[row]) == (row != asked)) }
        }
    }

    /// And the same for the time of an event: those before it do not see it.
    @Test(arguments: shapes)
    func timesAreSeenByLaterEventsAlone(shape: ModelConfiguration) throws {
        let model = SequenceModel.perturbed(shape, on: CPUBackend())
        let encoder = SequenceEncoder(model, tokens: 64, sequences: 1)
        let before = rows(try encoder.hidden(atAllPositionsOf: batch(times)), model.backend)
        var seconds = times.map(\.event)
        for index in 9..<seconds.count { seconds[index] += 1_000_000_000 }
        let moved = batch(EventTime.history(seconds: seconds))
        let after = rows(try encoder.hidden(atAllPositionsOf: moved), model.backend)
        #expect(after[..<9] == before[..<9] && after[9] != before[9])
    }

    // MARK: States

    @Test(arguments: shapes)
    func stepsEqualAPassAndReadsEqualQuestions(shape: ModelConfiguration) throws {
        for backend in backends {
            let model = SequenceModel.perturbed(shape, on: backend)
            let encoder = SequenceEncoder(model, tokens: 64, sequences: 2)
            let questions = times.map { EventTime($0.event, before: $0.before, question: $0.event + 400_000) }
            let atOnce = rows(try encoder.hidden(atAllPositionsOf: batch(times)), backend)
            let later = rows(try encoder.hidden(atAllPositionsOf: batch(questions)), backend)
            var state = model.initialState()
            #expect(state.values.count == shape.stateSize && state.lastTime == nil)
            #expect(throws: HistoryError.empty) { try encoder.hidden(reading: [state], at: [0]) }
            for (position, item) in history.enumerated() {
                let time = EventTime(times[position].event, before: nil)
                let hidden = backend.download(try encoder.hidden(stepping: &state, item: item, times: [time]))
                #expect(largestDifference(hidden, atOnce[position]) < 1e-5, "event \(position)")
                #expect(state.lastTime == time.event)
                let untouched = state
                let read = rows(
                    try encoder.hidden(reading: [state, state], at: [time.event + 400_000, nil]), backend)
                #expect(largestDifference(read[0], later[position]) < 1e-5, "asked later, event \(position)")
                #expect(largestDifference(read[1], hidden) < 1e-5, "asked at the event itself")
                #expect(state == untouched)
            }
            var whole = model.initialState()
            _ = try encoder.hidden(advancing: &whole, by: history, times: times)
            #expect(largestDifference(state.values, whole.values) < 1e-5)
        }
    }

    /// Without a choice of products that depends on the number of rows, to the bit: pieces of any length, stored states, reads in between.
    @Test(arguments: shapes, InstructionSet.available)
    func piecesAndStoredStatesChangeNoBit(shape: ModelConfiguration, instructionSet: InstructionSet) throws {
        let model = SequenceModel.perturbed(shape, on: CPUBackend())
            .on(CPUBackend(instructionSet: instructionSet, products: .rowIndependent))
        func bits(_ values: [Float]) -> [UInt32] { values.map(\.bitPattern) }
        let nanoseconds = times.map { $0.event * 1_000_000_000 }
        var whole = model.initialState()
        let expected = try SequenceEncoder(model, tokens: 64, sequences: 1).advance(
            &whole, by: history, times: nanoseconds)
        for size in [1, 2, 5, 22] {
            let encoder = SequenceEncoder(model, tokens: size, sequences: 1)
            var state = model.initialState()
            for start in stride(from: 0, to: history.count, by: 7) {
                let piece = start..<min(start + 7, history.count)
                let hidden = try encoder.advance(
                    &state, by: Array(history[piece]), times: Array(nanoseconds[piece]))
                let again = try encoder.hidden(reading: [state], at: [nil])
                #expect(bits(model.backend.download(again)) == bits(hidden), "a read is the pass again")
                state = try #require(RecurrentState(values: state.values, for: shape))
                if piece.upperBound == history.count { #expect(bits(hidden) == bits(expected)) }
            }
            #expect(bits(state.values) == bits(whole.values))
        }
    }

    @Test func missingTimesAreAnError() throws {
        let model = SequenceModel.perturbed(Self.shapes[0], on: CPUBackend())
        let encoder = SequenceEncoder(model, tokens: 8, sequences: 2)
        var state = model.initialState()
        #expect(throws: HistoryError.noTimes) { try encoder.step(&state, item: 1) }
        #expect(throws: HistoryError.noTimes) { try encoder.advance(&state, by: [1, 2], times: [0]) }
        #expect(throws: HistoryError.noTimes) { try encoder.encode([[1]]) }
        #expect(throws: HistoryError.noTimes) { _ = try model.attributions(of: [1], after: [1, 2]) }
        #expect(state == model.initialState())
        let plain = SequenceModel.perturbed(variants(itemCount: 30)[0], on: CPUBackend())
        #expect(throws: HistoryError.noTimes) {
            try SequenceEncoder(plain, tokens: 1, sequences: 1).read(plain.initialState(), at: 0)
        }
    }

    // MARK: Explanations

    @Test(arguments: shapes, [nil, 3_000_000] as [Int64?])
    func termsAddUpToTheScore(shape: ModelConfiguration, wait: Int64?) throws {
        let model = SequenceModel.perturbed(shape, on: CPUBackend())
        let nanoseconds = times.map { $0.event * 1_000_000_000 }
        let question = wait.map { nanoseconds.last! + $0 * 1_000_000_000 }
        let encoder = SequenceEncoder(model, tokens: 8, sequences: 1)
        for cut in [0, 9] {
            var start = model.initialState()
            if cut > 0 {
                _ = try encoder.advance(&start, by: Array(history[..<cut]), times: Array(nanoseconds[..<cut]))
            }
            let rest = Array(history[cut...])
            let explained = try model.attributions(
                of: [1, 7, 30], after: rest, from: cut > 0 ? start : nil, times: Array(nanoseconds[cut...]),
                askedAt: question)
            var state = model.initialState()
            let hidden = try encoder.advance(&state, by: history, times: nanoseconds, askedAt: question)
            for attribution in explained {
                let sum =
                    attribution.events.reduce(0, +) + attribution.earlier + attribution.constant + attribution.repeats
                #expect(abs(sum - attribution.score) < 1e-9 * max(1, abs(attribution.score)))
                let score = model.score(of: attribution.item, hidden, after: rest)
                #expect(abs(score - attribution.score) < 1e-4 * max(1, abs(score)))
            }
        }
    }
}
