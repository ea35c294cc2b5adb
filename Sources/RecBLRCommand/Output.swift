import Evaluation
import Foundation

/// A table whose columns line up: the first to the left, the others to the right.
struct TextTable {
    private var rows: [[String]] = []

    init(_ header: [String]) { rows.append(header) }

    mutating func add(_ row: [String]) { rows.append(row) }

    /// Lines with a rule below the header.
    var text: String {
        let widths = (rows.first ?? []).indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        func line(_ row: [String]) -> String {
            row.indices.map { column in
                let space = String(repeating: " ", count: widths[column] - row[column].count)
                return column == 0 ? row[column] + space : space + row[column]
            }.joined(separator: "  ")
        }
        let rule = widths.map { String(repeating: "-", count: $0) }.joined(separator: "  ")
        return ([line(rows[0]), rule] + rows.dropFirst().map(line)).joined(separator: "\n")
    }
}

func fixed(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }

func grouped(_ value: Int) -> String {
    var text = ""
    for (index, digit) in String(value).reversed().enumerated() {
        if index > 0, index % 3 == 0, digit != "-" { text = "," + text }
        text = String(digit) + text
    }
    return text
}

/// "2 min 05 s", "14 s".
func duration(_ seconds: Double) -> String {
    let whole = Int(seconds.rounded())
    if whole < 60 { return "\(whole) s" }
    if whole < 3600 { return "\(whole / 60) min \(whole % 60 < 10 ? "0" : "")\(whole % 60) s" }
    return "\(whole / 3600) h \(whole / 60 % 60 < 10 ? "0" : "")\(whole / 60 % 60) min"
}

func printJSON(_ value: some Encodable) throws { print(try jsonText(value), terminator: "") }

/// Indented, keys in order, a newline at the end.
func jsonText(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self) + "\n"
}

/// One row a ranker and setting.
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

/// One row a slice and setting.
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
