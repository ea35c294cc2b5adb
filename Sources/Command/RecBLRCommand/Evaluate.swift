import ArgumentParser
import ErrorSupport
import Evaluation
import FileSupport
import Foundation
import Interactions
import ModelStore
import Models

struct Evaluate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure a model on a dataset's held-out events, or compare two.",
        usage: "recblr evaluate <model> [<model>] <dataset> [<options>]",
        discussion: """
            Ranks each target among all items, in both settings: unmasked (items already seen stay candidates, as in the \
            literature) and masked (they do not, but for the target itself where it was seen before). Equal scores count against the target. Two counting baselines are \
            evaluated as well. Beside the ranks: how much of the catalogue the ten best items reach (coverage, novelty in \
            bits, Gini), the model's cross-entropy over all items, and the share of its probability on items already seen. Items \
            are matched by id, so that a dataset may be prepared anew: items of a history that the \
            model does not know are skipped, a target that it does not know is a miss, and both are counted on \
            standard error.

            Two models, A and B, are asked the same cases: B - A of each metric has a 95 % interval of a paired bootstrap \
            over users, if there are at least 20. Where it excludes 0, the difference is more than the chance of who was asked. Models that were \
            trained with different splits, or on what they would be asked, are refused. Where a model was trained with --time, a second \
            comparison tells it the time of the request.

            With --split stream every event after the cut is predicted before it is learnt, as a live service would: \
            beside counts that go on as well, popularity of the last 24 hours above all, in ten parts of the test period.

            Example:

              recblr evaluate models/ml-100k data/ml-100k
              recblr evaluate models/shop data/shop --split global-time --output metrics.json
              recblr evaluate models/seed-1 models/seed-2 data/ml-100k

            The last printed, of two trainings that differ in the seed: HR@10 +0.0244, from +0.0053 to +0.0435, excludes 0: \
            B is better; and NDCG@10 +0.0087, from -0.0003 to +0.0181, includes 0: undecided.
            """)

    @Argument(help: "The model's folder, or those of two, and then the dataset's.", transform: pathArgument)
    var folders: [String]
    @OptionGroup var splitOptions: SplitOptions
    @Flag(help: "Use the validation cases instead of the test cases.") var validation = false
    @Option(help: "Use only a history's last events, this many. (default: all)") var maxLength: Int?
    @OptionGroup var threads: ThreadsOption
    @OptionGroup var place: DeviceOption
    @OptionGroup var json: JSONFlag
    @Option(
        name: .shortAndLong, help: "Write all numbers as JSON to this file, too, whole or not at all.",
        transform: pathArgument)
    var output: String?

    private var dataset: String { folders[folders.count - 1] }

    func validate() throws {
        guard (2...3).contains(folders.count) else {
            throw ValidationError("Give the folder of a model, or of two, and then that of a dataset.")
        }
        if splitOptions.split == SplitOptions.Kind.none {
            throw ValidationError("--split none holds nothing out that could be evaluated.")
        }
        if let maxLength, maxLength < 1 { throw ValidationError("--max-length must be at least 1.") }
    }

    func run() throws {
        var file = try output.map(createdFile)
        if output != nil { StopSignals.catchFromNowOn(saying: "Stopping; nothing is written.\n") }
        let task = try self.task()
        let started = ContinuousClock.now
        let examinations = try examine(task)
        let seconds = (ContinuousClock.now - started) / .seconds(1)
        let results = try EvaluationResults(task.models, examinations, task.cases, task.data, task.split)
        let first = results.own[0]
        if let warning = warningOfFewCases(first.all.unmasked, validation ? "validation" : "test") {
            printError(warning)
        }
        if let warning = warningOfCounting(results.counting, results.own) { printError(warning) }
        if output != nil || json.isOn {
            let numbers = try results.json()
            try file?.append(numbers)
            if let file = file.take() { try file.commit() }
            if json.isOn { return try printOutput(numbers, terminator: "") }
        }
        try printOutput(
            "\(counted(task.cases.count, "case")), \(counted(task.data.itemCount, "item")), "
                + "\(counted(first.repeats, "target")) already seen, \(fixed(seconds, 2)) s\n")
        try printOutput(results.text(task.data))
    }

    /// One model or two, and what they are asked.
    private struct EvaluationTask {
        let models: [EvaluatedModel]
        let data: Dataset
        let split: Split
        let cases: [EvaluationCase]
        let threads: Int
    }

    private func task() throws -> EvaluationTask {
        let opened = try folders.dropLast().map { ($0, try openModel($0)) }
        let data = try openDataset(dataset)
        let backend = try place.backend(for: opened.map(\.1.configuration.mixer))
        if opened.contains(where: { $1.configuration.usesTime }) { try checkDates(data, dataset) }
        let models = try opened.map { try EvaluatedModel($0, $1, data, backend) }
        // The split that was asked for, else that of the training.
        let kind = try splitOptions.kind(like: models.compactMap(\.trainedOn).first { $0 != .everything })
        let split = try divided(data, dataset, by: kind)
        let cases = validation ? split.validation : split.test
        if models.count == 2 {
            try checkComparable(models, kind, cases, data)
        } else {
            try models[0].warn(cases, of: kind, data)
        }
        if split.isStream { sayOfStream(cases, data) }
        return EvaluationTask(
            models: models, data: data, split: split, cases: cases, threads: try threads.count(on: backend))
    }

    /// Asks each model, by each of its readings. Says what it does not know.
    private func examine(_ task: EvaluationTask) throws -> [[(name: String, result: Examination)]] {
        let areTwo = task.models.count == 2
        return try zip(task.models, ["A", "B"]).map { model, letter in
            let items = model.items(in: task.split, task.data)
            if let items { sayWhatIsUnknown(items, areTwo ? model.path : "the model", task.cases, task.data) }
            return try model.readings.map { reading in
                let ranker = model.ranker(items, maximumLength: maxLength, reading: reading, threads: task.threads)
                let own = model.readings.count > 1 ? "\(letter), \(reading.rawValue)" : letter
                return (
                    name: areTwo ? own : ranker.name,
                    result: try ranker.examine(task.cases, in: task.data, shouldStop: Console.current.isStopped)
                )
            }
        }
    }
}
