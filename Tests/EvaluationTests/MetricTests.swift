import Evaluation
import Foundation
import Identifiers
import Interactions
import Testing

@Suite struct MetricTests {
    /// The example of the documentation.
    @Test func ranksOneThreeAndTwelve() {
        let metrics = CutoffMetrics(ranks: [1, 3, 12], cutoff: 10)
        #expect(abs(metrics.hr - 2.0 / 3) < 1e-12)
        #expect(abs(metrics.ndcg - 0.5) < 1e-12)
        #expect(abs(metrics.mrr - 4.0 / 9) < 1e-12)
    }

    @Test func theCutoffItselfCounts() {
        let at10 = CutoffMetrics(ranks: [10, 11], cutoff: 10)
        #expect(at10.hr == 0.5 && abs(at10.ndcg - 0.5 / log2(11)) < 1e-12 && abs(at10.mrr - 0.05) < 1e-12)
        let metrics = RankMetrics(ranks: [10, 11])
        #expect(metrics.cases == 2 && metrics.at10 == at10 && metrics.at20.hr == 1)
    }

    @Test func bothCutoffsAndMisses() {
        let metrics = RankMetrics(ranks: [2, 15, 20, 21, CaseRanks.miss.unmasked, CaseRanks.miss.masked])
        #expect(metrics.cases == 6 && metrics.at10.cutoff == 10 && metrics.at20.cutoff == 20)
        #expect(metrics.at10.hr == 1.0 / 6 && metrics.at20.hr == 0.5)
        #expect(abs(metrics.at10.ndcg - 1 / log2(3.0) / 6) < 1e-12 && abs(metrics.at10.mrr - 0.5 / 6) < 1e-12)
        let gain: Double = 1 / log2(3.0) + 1 / log2(16.0) + 1 / log2(21.0)
        #expect(abs(metrics.at20.ndcg - gain / 6) < 1e-12)
        #expect(abs(metrics.at20.mrr - (0.5 + 1.0 / 15 + 1.0 / 20) / 6) < 1e-12)
    }

    /// What a damaged file could claim.
    @Test func impossibleMetricsAreSeen() throws {
        let good = SettingMetrics([CaseRanks(unmasked: 1, masked: 1), CaseRanks(unmasked: 30, masked: 12)])
        #expect(good.isValid && SettingMetrics([]).isValid)
        func changed(_ change: (inout SettingMetrics) -> Void) -> Bool {
            var copy = good
            change(&copy)
            return copy.isValid
        }
        let settings: [WritableKeyPath<SettingMetrics, RankMetrics>] = [\.unmasked, \.masked]
        let cutoffs: [WritableKeyPath<RankMetrics, CutoffMetrics>] = [\.at10, \.at20]
        let shares: [WritableKeyPath<CutoffMetrics, Double>] = [\.hr, \.ndcg, \.mrr]
        for path in settings {
            #expect(!changed { $0[keyPath: path].cases = 3 } && !changed { $0[keyPath: path].cases = -2 })
            for cutoff in cutoffs {
                let own = path.appending(path: cutoff)
                #expect(!changed { $0[keyPath: own].cutoff = 0 })
                for value in shares {
                    for wrong in [-0.01, 1.01, .nan, .infinity] {
                        #expect(!changed { $0[keyPath: own.appending(path: value)] = wrong })
                    }
                    for right in [0, 0.5, 1] { #expect(changed { $0[keyPath: own.appending(path: value)] = right }) }
                }
            }
        }
        #expect(!changed { ($0.unmasked.cases, $0.masked.cases) = (-1, -1) })
        #expect(changed { ($0.unmasked.cases, $0.masked.cases) = (0, 0) })

        let data = Dataset(sequences: [[1, 2, 1, 2, 1]], itemCount: 2)
        let split = Split.leaveOneOut(data)
        let report = try EvaluationReport(PopularityRanker(data, split), split.test, data, split)
        #expect(report.isValid && report.repeats == 1 && report.name == "Popularity")
        for (repeats, items, isValid) in [(0, 0, true), (2, 0, false), (-1, 0, false), (1, -1, false)] {
            var copy = report
            copy.repeats = repeats
            copy.slices[1].items = items
            #expect(copy.isValid == isValid, "\(repeats) repeats, \(items) items")
        }
        var copy = report
        copy.slices[2].metrics.masked.at10.hr = 2
        #expect(!copy.isValid)
        copy = report
        copy.all.unmasked.at20.mrr = -1
        #expect(!copy.isValid)
    }

    @Test func noCasesAreZeroNotNaN() {
        let metrics = RankMetrics(ranks: [])
        #expect(metrics.cases == 0 && metrics.at10.hr == 0 && metrics.at20.ndcg == 0 && metrics.at20.mrr == 0)
    }

    @Test func bothSettingsStayApart() {
        let metrics = SettingMetrics([CaseRanks(unmasked: 11, masked: 1), CaseRanks(unmasked: 1, masked: 1)])
        #expect(metrics.unmasked.at10.hr == 0.5 && metrics.masked.at10.hr == 1)
    }

    @Test func leaveOneOutOfShortHistories() {
        let data = Dataset(sequences: [[1], [1, 2], [1, 2, 3], [1, 2, 3, 1]], itemCount: 3)
        let split = Split.leaveOneOut(data)
        #expect(split.trainingEnd == [1, 2, 1, 2])
        #expect(split.validation == [EvaluationCase(user: 2, position: 1), EvaluationCase(user: 3, position: 2)])
        #expect(split.test == [EvaluationCase(user: 2, position: 2), EvaluationCase(user: 3, position: 3)])
    }

    /// Twenty events: 1 has five, 2 five, 3 four, 4 two, 5 two, 6 one, 7 one. The head ends with half of them, the middle with 80 %;
    /// of equally popular items the one with the smaller number comes first.
    @Test func slicesEndWhereTheyAreFull() throws {
        let counts = [5, 5, 4, 2, 2, 1, 1]
        let events = counts.enumerated().flatMap { row, count in [ItemID](repeating: ItemID(row: row), count: count) }
        let data = Dataset(sequences: [events + [3, 1], [7, 6]], itemCount: 8)
        let split = Split(
            trainingEnd: [20, 0], validation: [],
            test: [
                EvaluationCase(user: 0, position: 20), EvaluationCase(user: 0, position: 21),
                EvaluationCase(user: 1, position: 1),
            ])
        let report = try EvaluationReport(PopularityRanker(data, split), split.test, data, split)
        #expect(report.slices.map(\.items) == [2, 2, 4], "items 1 and 2; 3 and 4; 5 to 8")
        #expect(report.slices.map(\.metrics.unmasked.cases) == [1, 1, 1])
        #expect(report.repeats == 2 && report.all.unmasked.cases == 3)
        // Equal counts rank before the target: item 1 is second, 3 third, 6 seventh of eight.
        let unmasked: [Double] = [1.0 / 2, 1.0 / 3, 1.0 / 7]
        #expect(report.slices.map(\.metrics.unmasked.at10.mrr) == unmasked)
        // Whoever has seen items 1 to 7 is asked for the target and item 8; of the second user's only item 7 was seen.
        let masked: [Double] = [1, 1, 1.0 / 6]
        #expect(report.slices.map(\.metrics.masked.at10.mrr) == masked)
    }

    /// Training events: item 1 five times, 2 three times, 3 and 4 once each, 5 never. Half of the ten events are item 1's,
    /// the next 30 % item 2's.
    @Test func popularitySlices() throws {
        let data = Dataset(
            sequences: [[1, 1, 1, 1, 1, 2, 2, 2, 3, 4, 1, 5]], itemCount: 5)
        let split = Split(
            trainingEnd: [10], validation: [],
            test: [EvaluationCase(user: 0, position: 10), EvaluationCase(user: 0, position: 11)])
        let report = try EvaluationReport(PopularityRanker(data, split), split.test, data, split)
        #expect(report.slices.map(\.popularity) == [.head, .middle, .tail])
        #expect(report.slices.map(\.items) == [1, 1, 3])
        #expect(report.slices.map(\.metrics.unmasked.cases) == [1, 0, 1])
        #expect(report.repeats == 1)
        let json = String(decoding: try JSONEncoder().encode(report), as: UTF8.self)
        for key in ["\"name\"", "\"unmasked\"", "\"masked\"", "\"at10\"", "\"ndcg\"", "\"slices\"", "\"popularity\""] {
            #expect(json.contains(key))
        }
        #expect(throws: EvaluationError.noCases) {
            _ = try EvaluationReport(PopularityRanker(data, split), [], data, split)
        }
    }
}
