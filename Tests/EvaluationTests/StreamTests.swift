import CPUBackend
import Identifiers
import Interactions
import Layers
import Models
import Tensors
import Testing

@testable import Evaluation

/// Predicting each event before it is learnt, against doing so one event after the other.
@Suite struct StreamTests {
    private let data: Dataset
    private let split: Split
    private static let hour: Int64 = 3_600_000_000_000

    /// 30 users over 30 days; some begin late, and times are tied.
    init() throws {
        var generator = SeededGenerator(seed: 11)
        var (sequences, times): ([[ItemID]], [[Int64]]) = ([], [])
        for _ in 0..<30 {
            let begin = Int64.random(in: 0...700, using: &generator)
            let own = (0..<Int.random(in: 1...25, using: &generator)).map { _ in
                Int64.random(in: begin...720, using: &generator) / 3 * 3 * Self.hour
            }.sorted()
            times.append(own)
            sequences.append(own.map { _ in ItemID(row: Int(Double(20) * generator.uniform() * generator.uniform())) })
        }
        data = Dataset(sequences: sequences, itemCount: 20, timestamps: times)
        split = try .stream(data, validationFraction: 0.1, testFraction: 0.4)
    }

    @Test func everyLaterEventWithAHistoryIsACase() throws {
        let global = try Split.globalTime(data, validationFraction: 0.1, testFraction: 0.4)
        #expect(split.trainingEnd == global.trainingEnd && split.isStream && !global.isStream)
        let all = (0..<data.userCount).flatMap { data.timestamps(ofUser: $0)! }.sorted()
        let cut = all[Int(Double(all.count) * 0.6)]
        let expected = (0..<data.userCount).flatMap { user in
            (1..<max(1, data.length(ofUser: user))).filter { data.timestamp(ofUser: user, at: $0)! >= cut }
                .map { EvaluationCase(user: user, position: $0) }
        }
        #expect(split.test == expected && expected.count > 50)
        #expect(split.test.contains { split.trainingEnd[$0.user] == 0 }, "also of users who begin after the cut")
        #expect(split.validation.allSatisfy { $0.position >= split.trainingEnd[$0.user] })
        #expect(
            Set(split.validation.map { [$0.user, $0.position] }).isDisjoint(
                with: split.test.map { [$0.user, $0.position] }))
    }

    @Test func needsTimes() {
        let without = Dataset(sequences: [[1, 2, 3]], itemCount: 3)
        #expect(throws: DatasetError.self) { _ = try Split.stream(without, validationFraction: 0.1, testFraction: 0.1) }
        #expect(
            SplitKind.stream(validationFraction: 0.1, testFraction: 0.2).trains(
                like: .globalTime(validationFraction: 0.1, testFraction: 0.2)))
        #expect(
            !SplitKind.stream(validationFraction: 0.1, testFraction: 0.2).trains(
                like: .globalTime(validationFraction: 0.1, testFraction: 0.1)))
        #expect(!SplitKind.leaveOneOut.trains(like: .everything))
    }

    /// One pass over a user's sequence is what a state says that moves on event by event.
    @Test(arguments: [false, true]) func theModelStepsOn(isRepeatAware: Bool) throws {
        var shape = ModelConfiguration(itemCount: data.itemCount)
        (shape.hiddenSize, shape.repeatAware) = (8, isRepeatAware)
        let model = try SequenceModel(initializing: shape, seed: 3, on: CPUBackend())
        if isRepeatAware {
            var generator = SeededGenerator(seed: 4)
            model.backend.upload(
                (0..<40).map { _ in Float(generator.normal()) / 10 }, to: model.weights[named: "repeat_bias"]!)
        }
        let encoder = SequenceEncoder(model, tokens: 1, sequences: 1)
        var expected: [CaseRanks] = []
        for user in 0..<data.userCount {
            var state = model.initialState()
            var (history, hidden): ([ItemID], Tensor?) = ([], nil)
            for (position, item) in data.sequence(ofUser: user).enumerated() {
                if split.test.contains(EvaluationCase(user: user, position: position)) {
                    let counts = try model.backend.rank(
                        #require(hidden), table: model.itemTable,
                        targets: model.backend.indices([Int32(item.row)]),
                        bias: model.headBias(after: [history]),
                        seen: [Set(history).map { Int32($0.row) }.sorted()])![0]
                    expected.append(CaseRanks(unmasked: Int(counts.all) + 1, masked: Int(counts.masked) + 1))
                }
                hidden = try encoder.hidden(stepping: &state, item: item)
                history.append(item)
            }
        }
        #expect(try ModelRanker(model, threads: 2).rank(split.test, in: data) == expected)
    }

    /// All events before one, in order of time, then user, then position.
    private func past(_ question: EvaluationCase) -> [(user: Int, position: Int, item: ItemID, time: Int64)] {
        let all = (0..<data.userCount).flatMap { user in
            data.sequence(ofUser: user).enumerated().map {
                (user: user, position: $0, item: $1, time: data.timestamp(ofUser: user, at: $0)!)
            }
        }
        let now = data.timestamp(ofUser: question.user, at: question.position)!
        return all.filter { ($0.time, $0.user, $0.position) < (now, question.user, question.position) }
    }

    private func expected(_ score: (EvaluationCase, ItemID) -> [Int]) -> (ranks: [CaseRanks], lists: ListCounts) {
        var lists = ListCounts(itemCount: data.itemCount)
        let items = (0..<data.itemCount).map(ItemID.init(row:))
        let ranks = split.test.map { question in
            let (history, target) = (
                data.sequence(ofUser: question.user, 0..<question.position),
                data.item(ofUser: question.user, at: question.position)
            )
            let scores = items.map { score(question, $0) }
            func beats(_ item: ItemID) -> Bool {
                item != target && !scores[item.row].lexicographicallyPrecedes(scores[target.row])
            }
            let order = items.sorted {
                scores[$0.row] == scores[$1.row]
                    ? $0 < $1 : scores[$1.row].lexicographicallyPrecedes(scores[$0.row])
            }
            lists.add(Array(order.prefix(10)), Array(order.filter { !history.contains($0) }.prefix(10)))
            return CaseRanks(
                unmasked: 1 + items.count(where: beats),
                masked: 1 + items.count { beats($0) && !history.contains($0) })
        }
        return (ranks, lists)
    }

    @Test func countsGoOn() throws {
        let pasts = Dictionary(
            uniqueKeysWithValues: split.test.map { ([$0.user, $0.position], past($0)) })
        func total(_ question: EvaluationCase, _ item: ItemID) -> Int {
            pasts[[question.user, question.position]]!.count { $0.item == item }
        }
        let references = [
            expected { question, item in
                let now = data.timestamp(ofUser: question.user, at: question.position)!
                let own = pasts[[question.user, question.position]]!
                return [own.count { $0.item == item && $0.time >= now - 24 * Self.hour }, total(question, item)]
            },
            expected { [total($0, $1)] },
            expected { question, item in
                let last = data.item(ofUser: question.user, at: question.position - 1)
                let pairs = pasts[[question.user, question.position]]!.count {
                    $0.item == item && $0.position > 0 && data.item(ofUser: $0.user, at: $0.position - 1) == last
                }
                return [pairs, total(question, item)]
            },
        ]
        let rankers = try streamBaselines(split.test, data)
        #expect(
            rankers.map(\.name) == ["Popularity of the last day", "Popularity so far", "Last-item transitions so far"])
        for (ranker, reference) in zip(rankers, references) {
            let found = try ranker.examine(split.test, in: data)
            #expect(found.ranks == reference.ranks, "\(ranker.name)")
            #expect(found.lists == reference.lists, "\(ranker.name)")
        }
        #expect(references[0].ranks != references[1].ranks)
    }

    @Test func tenPartsInOrderOfTime() throws {
        let ranker = try streamBaselines(split.test, data)[1]
        let report = try EvaluationReport(ranker.name, ranker.examine(split.test, in: data), split.test, data, split)
        let parts = try #require(report.parts)
        #expect(parts.count == 10 && zip(parts, parts.dropFirst()).allSatisfy { $0.begins <= $1.begins })
        #expect(parts.reduce(0) { $0 + $1.metrics.unmasked.cases } == split.test.count && report.isValid)
        let hits = parts.reduce(0.0) { $0 + $1.metrics.masked.at10.hr * Double($1.metrics.masked.cases) }
        #expect(abs(hits / Double(split.test.count) - report.all.masked.at10.hr) < 1e-12)
        var damaged = report
        damaged.parts?[3].metrics.unmasked.at10.hr = 2
        #expect(!damaged.isValid)
    }

    /// Numbers that only say the order may be as small as can be: there is no day before.
    @Test func aStreamMayBeginAtTheSmallestNumber() throws {
        let times = (0..<7).map { Int64.min + $0 }
        let data = Dataset(sequences: [[1, 2, 1, 2, 1, 2, 1]], itemCount: 2, timestamps: [times])
        let cases = (3..<7).map { EvaluationCase(user: 0, position: $0) }
        let stream = try #require(EventStream(before: cases, in: data))
        #expect(stream.events.count == 7)
    }

    @Test func itemsOfTheTestAloneAreMisses() throws {
        var shape = ModelConfiguration(itemCount: 4)
        shape.hiddenSize = 4
        let model = try SequenceModel(initializing: shape, seed: 3, on: CPUBackend())
        let data = Dataset(sequences: [[1, 2, 1, 2, 4, 2, 4]], itemCount: 4, timestamps: [[0, 1, 2, 3, 4, 5, 6]])
        let known = ItemMapping.identity.keeping(of: 4) { $0 != 4 }
        #expect(known.unknownCount == 1 && known[3] == 3 && known[4] == nil)
        #expect(ItemMapping.identity.keeping(of: 4) { _ in true }.isIdentity)
        let cases = [4, 5].map { EvaluationCase(user: 0, position: $0) }
        let ranks = try ModelRanker(model, items: known, threads: 1).rank(cases, in: data)
        #expect(ranks[0] == .miss && ranks[1] != .miss)
        // The unknown item before it is not read either.
        let without = Dataset(sequences: [[1, 2, 1, 2, 2]], itemCount: 4)
        #expect(try ModelRanker(model, threads: 1).rank([cases[0]], in: without) == [ranks[1]])
    }
}
