import Evaluation
import FileSupport
import Foundation
import Report
import Training

// The same number formats as in the report.
func fixed(_ value: Double, _ digits: Int) -> String { Report.fixed(value, digits) }
func grouped(_ value: Int) -> String { FileSupport.grouped(value) }
func counted(_ count: Int, _ noun: String) -> String { FileSupport.counted(count, noun) }
func duration(_ seconds: Double) -> String { Report.duration(seconds) }

func printJSON(_ value: some Encodable) throws { try printOutput(try jsonText(value), terminator: "") }

/// Indented, keys in order, a newline at the end.
func jsonText(
    _ value: some Encodable, keys: JSONEncoder.KeyEncodingStrategy = .useDefaultKeys
) throws -> String {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = keys
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self) + "\n"
}

/// One row for each ranker and setting.
func metricsTable(_ reports: [EvaluationReport]) -> String {
    var table = TextTable(["", "HR@10", "NDCG@10", "MRR@10", "HR@20", "NDCG@20", "MRR@20"])
    for (setting, path) in settings {
        for report in reports {
            let metrics = report.all[keyPath: path]
            table.add(["\(report.name), \(setting)"] + cells(metrics))
        }
    }
    return table.text
}

/// A warning where counting ranks better than any model by NDCG@10; nil where it does not.
func warningOfCounting(_ counting: [EvaluationReport], _ models: [EvaluationReport]) -> String? {
    let ahead = settings.compactMap { setting, path -> String? in
        func ndcg(_ report: EvaluationReport) -> Double { report.all[keyPath: path].at10.ndcg }
        guard let best = counting.max(by: { ndcg($0) < ndcg($1) }), let own = models.map(ndcg).max(), ndcg(best) > own
        else { return nil }
        return "\(best.name), \(setting): \(fixed(ndcg(best), 4)), the model: \(fixed(own, 4))"
    }
    guard !ahead.isEmpty else { return nil }
    return
        "recblr: warning: counting has a higher NDCG@10 (\(ahead.joined(separator: "; "))): a longer training, --preset best or "
        + "--transitions may learn more"
}

/// How the ten best items spread over the catalogue: one row for each ranker and setting.
func listsTable(_ reports: [EvaluationReport]) -> String {
    var table = TextTable(["The ten best", "coverage@10", "novelty@10", "Gini@10"])
    for (setting, path) in [("unmasked", \ListSettings.unmasked), ("masked", \.masked)] {
        for report in reports {
            guard let lists = report.lists?[keyPath: path] else { continue }
            let isEmpty = lists.coverage == 0  // no item was left to recommend
            table.add(
                ["\(report.name), \(setting)", fixed(lists.coverage, 4)]
                    + (isEmpty ? ["–", "–"] : [fixed(lists.novelty, 2), fixed(lists.gini, 4)]))
        }
    }
    return table.text
}

/// What a model believes, in a sentence.
func probabilityText(_ report: EvaluationReport) -> String {
    let ratio = report.maskedToUnmasked.map { fixed($0, 3) } ?? "no number"
    let probability = report.probability.map {
        "cross-entropy \(fixed($0.crossEntropy, 4)) nats, \(fixed(100 * $0.seenShare, 1)) % of the probability on items "
            + "already seen,\n"
    }
    return "\(report.name): \(probability ?? "")masked ÷ unmasked NDCG@10 \(ratio)"
}

/// One row for each slice and setting.
func slicesTable(_ report: EvaluationReport) -> String {
    var table = TextTable(["By popularity", "items", "cases", "HR@10", "NDCG@10", "MRR@10"])
    for (setting, path) in settings {
        for slice in report.slices {
            let metrics = slice.metrics[keyPath: path]
            table.add(
                ["\(slice.popularity.rawValue), \(setting)", grouped(slice.items), grouped(metrics.cases)]
                    + cells(metrics).prefix(3))
        }
    }
    return table.text
}

/// Metrics by the time between the target and the event before it, for reports of the same cases; nil where there are no times.
func gapsTable(_ reports: [EvaluationReport]) -> String? {
    guard reports.contains(where: { $0.gaps != nil }) else { return nil }
    var table = TextTable(["By gap before the target, unmasked", "cases", "HR@10", "NDCG@10", "MRR@10"])
    for report in reports {
        for slice in report.gaps ?? [] where slice.metrics.unmasked.cases > 0 {
            let metrics = slice.metrics.unmasked
            table.add(["\(report.name): \(slice.gap.rawValue)", grouped(metrics.cases)] + cells(metrics).prefix(3))
        }
    }
    return table.text
}

private let settings: [(String, KeyPath<SettingMetrics, RankMetrics> & Sendable)] = [
    ("unmasked", \.unmasked), ("masked", \.masked),
]

private func cells(_ metrics: RankMetrics) -> [String] {
    [metrics.at10, metrics.at20].flatMap { [$0.hr, $0.ndcg, $0.mrr].map { metrics.cases > 0 ? fixed($0, 4) : "–" } }
}
