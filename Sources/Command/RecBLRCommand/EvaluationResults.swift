import Evaluation
import Interactions
import Report

/// What `evaluate` found: metrics of the counting baselines and of one or two models.
struct EvaluationResults {
    let models: [String]
    let counting: [EvaluationReport]
    /// The models'; of a model with time one for each reading.
    let own: [EvaluationReport]
    /// Of two models, none of which is told the time of the request.
    let comparison: Comparison?
    /// Where those with time are told it; nil where none has time.
    let comparisonAtRequest: Comparison?
    /// Whether each model has time.
    private let haveTime: [Bool]
    private var reports: [EvaluationReport] { counting + own }

    /// From the examinations of each model, one for each of its readings, with what they are called.
    init(
        _ models: [EvaluatedModel], _ examinations: [[(name: String, result: Examination)]], _ cases: [EvaluationCase],
        _ data: Dataset, _ split: Split
    ) throws {
        self.models = models.map(\.path)
        counting = try baselines(cases, data, split)
        own = try examinations.joined().map { try EvaluationReport($0.name, $0.result, cases, data, split) }
        haveTime = models.map { $0.readings.count > 1 }
        func compare(_ reading: ([(name: String, result: Examination)]) -> Examination) throws -> Comparison {
            let ranks = examinations.map { reading($0).ranks }
            return try Comparison(ranks[0], ranks[1], cases, data, split)
        }
        comparison = models.count == 2 ? try compare { $0[0].result } : nil
        comparisonAtRequest =
            models.count == 2 && haveTime.contains(true) ? try compare { $0[$0.count - 1].result } : nil
    }

    /// Of one model the reports; of two also which they are, and their comparison.
    func json() throws -> String {
        guard let comparison else { return try jsonText(reports) }
        struct Comparing: Encodable {
            var a, b: String
            var reports: [EvaluationReport]
            var comparison: Comparison
            var comparisonAtRequest: Comparison?
        }
        return try jsonText(
            Comparing(
                a: models[0], b: models[1], reports: reports, comparison: comparison,
                comparisonAtRequest: comparisonAtRequest))
    }

    /// Tables, for people.
    func text(_ data: Dataset) -> String {
        var parts = [metricsTable(reports), listsTable(reports)]
        parts.append(own.map(probabilityText).joined(separator: "\n"))
        if own.allSatisfy({ $0.parts != nil }) { parts.append(partsText(reports, own.count, data)) }
        if let comparison {
            parts.insert("A  \(printable(models[0]))\nB  \(printable(models[1]))", at: 0)
            if comparisonAtRequest != nil { parts.append("\(ModelRanker.Reading.pastTimes.heading):") }
            parts += [differencesTable(comparison), groupsTable(comparison)]
            if let comparisonAtRequest {
                let without = zip(["A", "B"], haveTime).first { !$0.1 }.map { ", which \($0.0) does not know" } ?? ""
                parts.append("\(ModelRanker.Reading.requestTime.heading)\(without):")
                parts += [differencesTable(comparisonAtRequest), groupsTable(comparisonAtRequest)]
            }
        } else {
            parts.append(slicesTable(own[0]))
            if own.count > 1, let gaps = gapsTable(own) { parts.append(gaps) }
        }
        return parts.joined(separator: "\n\n")
    }
}

extension ModelRanker.Reading {
    /// The words at the beginning of a sentence.
    fileprivate var heading: String { rawValue.prefix(1).uppercased() + rawValue.dropFirst() }
}

private let settings: [(String, KeyPath<Comparison.Group, Comparison.Setting> & Sendable)] = [
    ("unmasked", \.unmasked), ("masked", \.masked),
]

/// B − A and B ÷ A of each metric at 10, with their intervals and what those mean.
func differencesTable(_ comparison: Comparison) -> String {
    var table = TextTable(["B beside A", "B − A", "from", "to", "B ÷ A", "from", "to", "the 95 % interval of B − A"])
    for (setting, path) in settings {
        let own = comparison.all[keyPath: path]
        for (name, metric) in [("HR@10", own.hr), ("NDCG@10", own.ndcg), ("MRR@10", own.mrr)] {
            table.add(
                ["\(name), \(setting)"] + [metric.difference, metric.low, metric.high].map(signed)
                    + ratioCells(metric) + [verdict(metric)])
        }
    }
    let users = comparison.all.users
    guard users >= Difference.fewestUsers else {
        return table.text
            + "\nNo intervals: \(counted(users, "user")), and a bootstrap needs \(Difference.fewestUsers)."
    }
    return table.text
        + "\nIntervals of a paired bootstrap: \(grouped(comparison.resamples)) resamples of \(counted(users, "user")), "
        + "seed \(comparison.seed)."
}

/// NDCG@10 of all cases, of those of each class of popularity and of each class of gap, with the number of cases in which each model does better.
func groupsTable(_ comparison: Comparison) -> String {
    var table = TextTable([
        "NDCG@10", "cases", "B − A", "from", "to", "B ÷ A", "from", "to", "B wins", "A wins", "equal",
    ])
    let groups =
        [("all", Optional(comparison.all))] + comparison.slices.map { ($0.popularity.rawValue, $0.group) }
        + (comparison.gaps ?? []).map { ("gap \($0.gap.rawValue)", $0.group) }
    for (setting, path) in settings {
        for (name, group) in groups {
            guard let group else { continue }
            let own = group[keyPath: path]
            table.add(
                ["\(name), \(setting)", grouped(group.cases)]
                    + [own.ndcg.difference, own.ndcg.low, own.ndcg.high].map(signed) + ratioCells(own.ndcg)
                    + [own.winsOfB, own.winsOfA, own.ties].map(grouped))
        }
    }
    return table.text
}

private func signed(_ value: Double?) -> String {
    guard let value else { return "–" }
    let text = fixed(value, 4)
    return text.hasPrefix("-") || text == fixed(0, 4) ? text : "+" + text
}

private func ratioCells(_ difference: Difference) -> [String] {
    [difference.ratio, difference.ratioLow, difference.ratioHigh].map { $0.map { fixed($0, 3) } ?? "–" }
}

private func verdict(_ difference: Difference) -> String {
    guard let excludesZero = difference.excludesZero else { return "too few users" }
    guard excludesZero else { return "includes 0: undecided" }
    return "excludes 0: \((difference.low ?? 0) > 0 ? "B" : "A") is better"
}

/// NDCG@10 in ten parts of the test period, and in how many of them counting is ahead.
func partsText(_ reports: [EvaluationReport], _ modelCount: Int, _ data: Dataset) -> String {
    let models = reports.suffix(modelCount)
    let counting = (data.hasDates ? ["last day"] : []) + ["so far", "transitions"]
    var table = TextTable(["NDCG@10 from", "cases"] + counting + models.map(\.name))
    var lines: [String] = []
    for (setting, path) in [("unmasked", \SettingMetrics.unmasked), ("masked", \.masked)] {
        let values = reports.map { ($0.parts ?? []).map { $0.metrics[keyPath: path].at10.ndcg } }
        for (index, part) in (reports[0].parts ?? []).enumerated() {
            table.add(
                ["\(timeText(part.begins, data)), \(setting)", grouped(part.metrics.unmasked.cases)]
                    + values.map { fixed($0[index], 4) })
        }
        for (model, own) in zip(models, values.suffix(modelCount)) {
            let ahead = own.indices.count { index in values.dropLast(modelCount).contains { $0[index] > own[index] } }
            lines.append("\(setting): some counting is ahead of \(model.name) in \(ahead) of \(own.count) parts")
        }
    }
    return table.text + "\n" + lines.joined(separator: "\n")
}

/// A minute in UTC, or a number where the data's times are no dates. (Datasets of version 0.3.0 do not say: numbers of 1973 and later are dates.)
private func timeText(_ time: Int64, _ data: Dataset) -> String {
    let seconds = time.flooredQuotient(1_000_000_000)
    guard data.summary.times?.areDates ?? (seconds > 100_000_000) else { return grouped(Int(seconds)) }
    let day = seconds.flooredQuotient(86_400)
    let minutes = Int(seconds - 86_400 * day) / 60
    let clock = [minutes / 60, minutes % 60].map { ($0 < 10 ? "0" : "") + String($0) }.joined(separator: ":")
    return "\(CivilDay(daysSinceEpoch: Int(day))) \(clock)"
}
