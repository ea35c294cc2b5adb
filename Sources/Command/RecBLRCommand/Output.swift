import Evaluation
import FileSupport
import Foundation
import Report

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

private let settings: [(String, KeyPath<SettingMetrics, RankMetrics> & Sendable)] = [
    ("unmasked", \.unmasked), ("masked", \.masked),
]

private func cells(_ metrics: RankMetrics) -> [String] {
    [metrics.at10, metrics.at20].flatMap { [$0.hr, $0.ndcg, $0.mrr].map { fixed($0, 4) } }
}
