import Evaluation
import Foundation
import Identifiers
import Interactions
import Models
import Report

@testable import Training

#if canImport(FoundationXML)
    import FoundationXML
#endif

/// Texts that are markup to whoever forgets to escape them.
let hostile = ["<script>alert(1)</script>", "\" onload='x", "A & B &amp; C", "]]>", "\u{1}\u{FFFE}", "é 🎬 ‮x"]

/// Whether a parser of XML accepts the text, and what it then finds.
final class Parsed: NSObject, XMLParserDelegate {
    private(set) var isWellFormed = false
    private(set) var elements: [String: Int] = [:]
    /// Names of all attributes, with the values of all.
    private(set) var attributes: [(name: String, value: String)] = []
    /// All characters between tags.
    private(set) var text = ""

    init(_ source: String) {
        super.init()
        let parser = XMLParser(data: Data(source.utf8))
        parser.delegate = self
        isWellFormed = parser.parse()
    }

    func parser(
        _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
        attributes: [String: String] = [:]
    ) {
        elements[name, default: 0] += 1
        self.attributes += attributes.map { ($0, $1) }
    }

    func parser(_ parser: XMLParser, foundCharacters string: String) { text += string }
}

/// Metrics of some ranks.
func metrics(_ ranks: [Int]) -> SettingMetrics { SettingMetrics(ranks.map { CaseRanks(unmasked: $0, masked: $0) }) }

/// What a run of these losses would have left; without validation and test where `isMeasured` is not.
func report(losses: [Double], isMeasured: Bool = true, text: String = "plain") throws -> TrainingReport {
    let dataset = Dataset(sequences: [[1, 2, 3], [3, 2, 1]], itemCount: 3)
    let epochs = losses.enumerated().map { index, loss in
        EpochRecord(
            epoch: index + 1, step: index, loss: loss, learningRate: 0.1, tokensPerSecond: 12_345 + Double(index),
            seconds: Double(index + 1) * 100, validation: isMeasured ? metrics([1, index + 2]) : nil, isBest: true)
    }
    var record = TrainingRecord(
        version: text, options: TrainingOptions(), dataset: text, backend: text, epochs: epochs, bestEpoch: losses.count
    )
    if isMeasured {
        let split = Split.leaveOneOut(dataset)
        let popularity = try EvaluationReport(PopularityRanker(dataset, split), split.test, dataset, split)
        record.test = popularity
        record.test?.name = text
        record.baselines = [popularity, popularity]
    }
    var summary = dataset.summary
    summary.source = text
    let example = TrainingReport.Example(
        user: text, events: 1234, history: [text, "b"], recommendations: ["c", text], hit: 1, next: text, rank: 2)
    return TrainingReport(
        name: text, dataset: summary, configuration: ModelConfiguration(itemCount: 3), reasons: [text, text],
        record: record,
        examples: isMeasured ? [example] : [])
}
