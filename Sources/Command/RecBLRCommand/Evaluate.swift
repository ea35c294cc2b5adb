import ArgumentParser
import ErrorSupport
import Evaluation
import Foundation
import Identifiers
import Interactions
import ModelStore
import Models
import Training

struct Evaluate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure a model on a dataset's held-out events.",
        discussion: """
            Ranks each target among all items, in both settings: unmasked (items already seen stay candidates, as in the \
            literature) and masked (they do not). Equal scores count against the target. Two counting baselines are \
            evaluated as well. Beside the ranks: how much of the catalogue the ten best items reach (coverage, novelty in \
            bits, Gini), the model's cross-entropy over all items, and the share of its probability on items already seen. Items are matched by id, so that a dataset may be prepared anew: items of a history that the \
            model does not know are skipped, a target that it does not know is a miss, and both are counted on \
            standard error.

            Example:

              recblr evaluate models/ml-100k data/ml-100k
              recblr evaluate models/shop data/shop --split global-time --json
            """)

    @Argument(help: "The model's folder.", transform: pathArgument) var model: String
    @Argument(help: "The dataset's folder.", transform: pathArgument) var dataset: String
    @OptionGroup var splitOptions: SplitOptions
    @Flag(help: "Use the validation cases instead of the test cases.") var validation = false
    @Option(help: "Use only a history's last events, this many. (default: all)") var maxLength: Int?
    @OptionGroup var threads: ThreadsOption
    @OptionGroup var place: DeviceOption
    @OptionGroup var json: JSONFlag

    func validate() throws {
        if splitOptions.split == SplitOptions.Kind.none {
            throw ValidationError("--split none holds nothing out that could be evaluated.")
        }
        if let maxLength, maxLength < 1 { throw ValidationError("--max-length must be at least 1.") }
    }

    func run() throws {
        let folder = try openModel(model)
        let data = try openDataset(dataset)
        let mapping = data.items.map { ItemMapping($0, to: folder.items) }
        if let mapping, mapping.unknownCount == data.itemCount {
            throw fail(.badData, "\(model) knows none of the \(counted(data.itemCount, "item")) of \(dataset)")
        }
        let trained = try folder.model(on: try place.backend())
        let record = try TrainingRecord.read(folder)
        let trainedOn = record?.split
        let kind =
            splitOptions.kind(like: trainedOn)
            ?? (trainedOn == .everything ? .leaveOneOut : trainedOn ?? .leaveOneOut)
        if trainedOn == .everything {
            let has = record?.dataset == data.summary.fingerprint ? "has" : "may have"
            printError(
                "recblr: warning: the model was trained on everything (--split none) and \(has) seen these targets: the "
                    + "metrics say nothing of events to come")
        } else if let trainedOn, trainedOn != kind {
            printError("recblr: warning: the model was trained with another split and may have seen these targets")
        }
        let split = try kind.split(data)
        let cases = validation ? split.validation : split.test
        if let mapping { sayWhatIsUnknown(mapping, cases, data) }
        let ranker = ModelRanker(
            trained, items: mapping.flatMap { $0.isIdentity ? nil : $0 }, maximumLength: maxLength,
            threads: try threads.count(on: trained.backend))
        let started = ContinuousClock.now
        let report = try EvaluationReport(ranker, cases, data, split)
        let seconds = (ContinuousClock.now - started) / .seconds(1)
        let reports = try baselines(cases, data, split) + [report]
        if let warning = warningOfFewCases(report.all.unmasked, validation ? "validation" : "test") {
            printError(warning)
        }
        if json.isOn { return try printJSON(reports) }
        try printOutput(
            "\(counted(cases.count, "case")), \(counted(data.itemCount, "item")), "
                + "\(counted(report.repeats, "target")) already seen, \(fixed(seconds, 2)) s\n")
        let parts = [metricsTable(reports), listsTable(reports), probabilityText(report), slicesTable(report)]
        try printOutput(parts.joined(separator: "\n\n"))
    }

    private func sayWhatIsUnknown(_ mapping: ItemMapping, _ cases: [EvaluationCase], _ data: Dataset) {
        guard mapping.unknownCount > 0 else { return }
        var (events, targets, histories) = (0, 0, 0)
        for each in cases {
            let history = data.sequence(ofUser: each.user, 0..<each.position)
            let known = mapping.known(history).count
            events += history.count - known
            if mapping[data.item(ofUser: each.user, at: each.position)] == nil {
                targets += 1
            } else if known == 0 {
                histories += 1
            }
        }
        printError(
            "recblr: note: the model does not know \(grouped(mapping.unknownCount)) of the \(counted(data.itemCount, "item")): "
                + "skipped \(counted(events, "event")) of histories; of \(counted(cases.count, "case")) "
                + "\(grouped(targets)) missed for their target, \(grouped(histories)) for a history without known items"
        )
    }
}
