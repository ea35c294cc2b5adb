import Evaluation
import Foundation
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
