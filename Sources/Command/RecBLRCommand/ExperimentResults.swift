import ErrorSupport
import Evaluation
import FileSupport
import Foundation
import Layers
import Models
import Report
import Training

/// The runs of one experiment, including those with other settings: `results.json`.
struct ExperimentResults: Codable {
    var experiment: ExperimentKind
    var runs: [Run] = []

    /// Everything that determines the outcome of a run.
    struct Settings: Codable, Equatable {
        var variant: String
        var configuration: ModelConfiguration
        var options: TrainingOptions
        var dataset: String
        var backend: String
        var version: String
    }

    /// One trained and tested model.
    struct Run: Codable {
        var settings: Settings
        var bestEpoch: Int
        var tokensPerSecond: Double
        var test: EvaluationReport

        /// Whether all numbers are in their valid ranges.
        var isValid: Bool {
            guard (try? settings.options.validate()) != nil,
                (try? settings.configuration.validate()) != nil
            else {
                return false
            }
            return (1...settings.options.epochs).contains(bestEpoch)
                && (0..<1e15).contains(tokensPerSecond)
                && test.isValid
        }
    }

    /// The folder's files.
    static let folder = FolderKind(
        name: "experiment", files: ["results.json", "table.md", "chart.svg"], marker: "results.json",
        markerKeys: ["experiment", "runs"])

    /// The results of earlier calls in the folder.
    init(_ experiment: ExperimentKind, in folder: URL) throws {
        self.experiment = experiment
        let url = folder.appendingPathComponent("results.json")
        guard FileManager.default.fileExists(atPath: url.path) else { return }
        guard let before = try? JSONDecoder().decode(Self.self, from: Data(try readFile(url))) else {
            throw fail(.badData, "\(url.path): not the results of an experiment of this program")
        }
        guard before.experiment == experiment else {
            throw fail(.cannotCreate, "\(folder.path) holds the experiment \(before.experiment.rawValue)")
        }
        guard before.runs.allSatisfy(\.isValid) else {
            throw fail(.badData, "\(url.path): a run in it has a number that cannot be")
        }
        runs = before.runs
    }

    /// Whether there is a run with these settings.
    func holds(_ settings: Settings) -> Bool { runs.contains { $0.settings == settings } }

    /// Writes each file atomically.
    func write(to folder: URL) throws {
        try writeFile(try jsonText(self).utf8, to: folder.appendingPathComponent("results.json"))
    }
}

/// The runs of one variant with different seeds.
struct VariantSummary {
    let variant: Variant
    let runs: [ExperimentResults.Run]

    /// Mean and sample standard deviation (0 for one run) of a number of each run.
    func spread(_ number: (ExperimentResults.Run) -> Double) -> (mean: Double, deviation: Double) {
        let values = runs.map(number)
        let mean = values.reduce(0, +) / Double(values.count)
        guard values.count > 1 else { return (mean, 0) }
        let squares = values.map { ($0 - mean) * ($0 - mean) }.reduce(0, +)
        return (mean, (squares / Double(values.count - 1)).squareRoot())
    }
}

/// One row for each variant: HR and NDCG in both settings, weights and speed; in experiments of the paper on a dataset of the paper, its own
/// figures.
func table(_ summaries: [VariantSummary], beside paper: PaperResults?) -> TextTable {
    let paper = summaries.contains { $0.variant.ablation != nil } ? paper : nil
    var table = TextTable(
        ["", "HR@10", "NDCG@10", "masked HR@10", "masked NDCG@10", "weights", "events/s"]
            + (paper == nil ? [] : ["paper HR@10", "paper NDCG@10"]))
    for summary in summaries {
        let metrics = [\SettingMetrics.unmasked, \.masked].flatMap { setting in
            [\CutoffMetrics.hr, \.ndcg].map { metric in
                let (mean, deviation) = summary.spread { $0.test.all[keyPath: setting].at10[keyPath: metric] }
                return fixed(mean, 4) + (summary.runs.count > 1 ? " ± \(fixed(deviation, 4))" : "")
            }
        }
        let weights = summary.runs[0].settings.configuration.layout.count
        let rate = Int(summary.spread(\.tokensPerSecond).mean)
        let published = paper.map { paper in
            summary.variant.ablation.flatMap { paper.ablations[$0] }.map { [fixed($0.hr, 4), fixed($0.ndcg, 4)] } ?? [
                "", "",
            ]
        }
        table.add([summary.variant.name] + metrics + [grouped(weights), grouped(rate)] + (published ?? []))
    }
    return table
}

/// NDCG@10: bars where variants have names, one curve for each setting where they are numbers.
func charts(_ summaries: [VariantSummary], axis: String?) -> [any Chart] {
    let settings: [(String, KeyPath<SettingMetrics, RankMetrics>)] = [("unmasked", \.unmasked), ("masked", \.masked)]
    func ndcg(_ summary: VariantSummary, _ setting: KeyPath<SettingMetrics, RankMetrics>) -> (Double, Double) {
        summary.spread { $0.test.all[keyPath: setting].at10.ndcg }
    }
    guard let axis else {
        let groups = summaries.map { summary in
            let bars = settings.map { setting in
                let (mean, deviation) = ndcg(summary, setting.1)
                return BarChart.Bar(mean, deviation: deviation)
            }
            return (name: summary.variant.name, bars: bars)
        }
        return [BarChart("Test NDCG@10", series: settings.map(\.0), groups, digits: 4)]
    }
    return settings.map { name, setting in
        let points = summaries.map { summary in
            let (mean, deviation) = ndcg(summary, setting)
            return LineChart.Point(summary.variant.value ?? 0, mean, deviation: deviation)
        }
        return LineChart(
            "Test NDCG@10, \(name)", xLabel: axis, [.init(name, points)], digits: 4,
            wholeNumbers: points.allSatisfy { $0.x == $0.x.rounded() })
    }
}
