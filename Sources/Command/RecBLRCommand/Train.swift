import ArgumentParser
import ErrorSupport
import Evaluation
import FileSupport
import Foundation
import Identifiers
import Interactions
import ModelStore
import Models
import Report
import Serving
import Tensors
import Training

struct Train: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Train a model on a dataset.",
        discussion: """
            Trains with early choice of the best epoch by validation NDCG@10, then evaluates on the test events beside \
            two counting baselines; report.html in the model's folder shows how it went. Ctrl-C writes a checkpoint; --resume goes on from it (or from the last epoch after \
            a crash) with the same bits as if nothing had happened.

            --preset best takes its time: on a CPU three models of other seeds first, the teachers, then one that learns half of \
            each target from what they predict. It serves as fast as any other.

            For production, train once more on everything: with --split none nothing is held out, and --epochs-from takes \
            the epoch that validation chose for a model before, and its schedule: the learning rate of epoch 12 of 25 is not \
            that of epoch 12 of 12, so --epochs 12 would be another training. Give the other options as for that model.

            Example:

              recblr train data/ml-100k --model models/ml-100k
              recblr train data/shop --model models/shop --epochs 40 --patience 5 --resume
              recblr train data/shop --model models/shop-all --split none --epochs-from models/shop
            """)

    @Argument(help: "The dataset's folder, made by prepare.", transform: pathArgument) var dataset: String
    @Option(
        name: .shortAndLong,
        help: "The model's folder. A model that is there is replaced when training is done, anything else refused.",
        transform: pathArgument)
    var model: String
    @OptionGroup(title: "Shape") var shape: ShapeOptions
    @OptionGroup(title: "Learning") var learning: LearningOptions
    @OptionGroup var splitOptions: SplitOptions
    @Option(
        help: "Train as many epochs, on the same schedule, as validation chose for this model.", transform: pathArgument
    )
    var epochsFrom: String?
    @Option(
        help: """
            Continue the weights of this model on a dataset prepared anew: items are matched by id, new ones start at random. \
            Its shape is kept, and a training takes a tenth of the epochs.
            """,
        transform: pathArgument)
    var from: String?
    @OptionGroup var threads: ThreadsOption
    @OptionGroup var compute: ComputeOptions
    @Flag(
        help: """
            Go on from a checkpoint, if there is one; a finished model, too, can get more --epochs where the --schedule is \
            constant, and more --patience where patience ended it.
            """) var resume = false
    @Flag(help: "Throw an unfinished run of the same name away.") var restart = false
    @OptionGroup var json: JSONFlag

    func validate() throws {
        if from == nil {
            try splitOptions.validateWithoutModel()
            try shape.check(ModelConfiguration(itemCount: 1))
        }
        if resume, restart { throw ValidationError("Give --resume or --restart, not both.") }
        if epochsFrom != nil, learning.epochs != nil {
            throw ValidationError("Give --epochs or --epochs-from, not both.")
        }
        guard splitOptions.split == SplitOptions.Kind.none else { return }
        if epochsFrom == nil, from == nil, learning.epochs == nil {
            throw ValidationError(
                "--split none has no validation that chooses the epoch: give --epochs-from MODEL (trained with validation) "
                    + "or --epochs.")
        }
        if learning.patience != nil {
            throw ValidationError("--patience needs validation, which --split none has not.")
        }
    }

    func run() throws {
        let destination = try self.destination()
        let task = try self.task()
        // Before anything is written, so that what cannot be trained leaves nothing.
        var trainer = try task.trainer(checkpointFolder: RunFolder.url(of: destination))
        let folder = try RunFolder(destination, task.recipe.options, resume: resume, restart: restart)
        defer { folder.tidy() }
        task.tell(trainer.origin)
        StopSignals.catchFromNowOn()
        if task.recipe.teachers > 0 {
            trainer = try task.trainer(try teachers(of: task, for: trainer, folder), checkpointFolder: folder.url)
        } else {
            try folder.refuseTeachers()
        }
        let progress = ProgressLine()
        var log = try EpochLog(folder.log, appending: resume)
        let outcome = try trainer.run(resuming: resume, shouldStop: Console.current.isStopped) { event in
            progress.show(event)
            if case .epoch(let record) = event { log.append(record) }
        }
        switch outcome {
        case .interrupted(let epoch, _):
            throw fail(.interrupted, "stopped in epoch \(epoch); go on with --resume")
        case .finished(let trained, let record):
            try finish(trained.on(task.backend.exact), record, task, folder)
        }
    }

    /// Where the model goes. Throws where that cannot be, or another training goes there.
    private func destination() throws -> FolderDestination {
        let url = try outputFolder(model, "--model")
        try checkApart(model, "--model", from: dataset)
        if let from { try checkApart(model, "--model", from: from) }
        let destination = try ModelFolder.destination(url)
        try RunFolder.checkIdle(destination)
        return destination
    }

    /// What the options ask for.
    private func task() throws -> TrainingTask {
        let data = try openDataset(dataset)
        let old = try from.map(openModel)
        if let old { try shape.check(old.configuration) }
        let backend = try compute.backend(for: [shape.mixer ?? old?.configuration.mixer ?? .bdlru])
        let start = try old.map { try StartingModel($0, on: ComputeDevice(backend)) }
        let kind = try splitOptions.kind(like: start?.trainings.last?.split.flatMap { $0 == .everything ? nil : $0 })
        let split = try divided(data, dataset, by: kind)
        if shape.time || old?.configuration.usesTime == true { try checkDates(data, dataset) }
        if let from, let start { warn(of: start, from, kind) }
        let (recipe, configuration) = try recipe(data, split, start, backend)
        return TrainingTask(
            data: data, split: split, kind: kind, recipe: recipe, configuration: configuration,
            start: start.map { ($0, from!) }, backend: backend)
    }

    /// The preset's recipe with the options that were given, and the shape of the model.
    private func recipe(
        _ data: Dataset, _ split: Split, _ start: StartingModel?, _ backend: any Backend
    ) throws -> (Recipe, ModelConfiguration) {
        var recipe = learning.recipe(
            for: data, continuing: start != nil, threads: try threads.count(on: backend))
        try learning.refuseIgnored(recipe, hasValidation: !split.validation.isEmpty)
        if backend.isQueued { recipe.removeTeachers() }
        if learning.preset == .best, recipe.teachers == 0 {
            let why =
                if start != nil { "models that continue one are too much alike" } else if backend.isQueued {
                    "a GPU cannot learn from them yet"
                } else { "they are for the full loss of up to 100,000 items" }
            printError("no teachers: \(why)")
        }
        let configuration = configuration(recipe, start, itemCount: data.itemCount)
        if start != nil { recipe.reasons[.repeats] = nil }  // the model says so, not the preset
        if learning.patience == nil, epochsFrom != nil || split.validation.isEmpty { recipe.removePatience() }
        if learning.warmupSteps == nil { recipe.options.shortenWarmup(data, split) }
        if let epochsFrom {
            try recipe.takeEpochs(
                from: epochsFrom, configuration, takesWarmup: start == nil && learning.warmupSteps == nil)
        }
        return (recipe, configuration)
    }

    /// That of the options, or of the model that the training starts from with the options that were given.
    private func configuration(_ recipe: Recipe, _ start: StartingModel?, itemCount: Int) -> ModelConfiguration {
        var base = start?.configuration(itemCount: itemCount) ?? ModelConfiguration(itemCount: itemCount)
        base.repeatAware = start == nil ? recipe.repeatAware : learning.repeatAware ?? base.repeatAware
        if let transitions = learning.transitions { base.transitions = transitions }
        return shape.configuration(basedOn: base)
    }

    /// The teachers of the task, trained, or read where an earlier process trained them. Throws where a trainer that would go on from a
    /// checkpoint cannot.
    private func teachers(
        of task: TrainingTask, for trainer: consuming Trainer, _ folder: RunFolder
    ) throws -> [Teacher] {
        let (count, backendName) = (task.recipe.teachers, trainer.backendName)
        if resume { try trainer.checkCheckpoint(teachers: count) }
        let teachers = try TeacherTrainings(task: task, backendName: backendName, folder: folder.teachers).teachers(
            count)
        printError("The model itself:")
        return teachers
    }

    /// Tests the model, writes it with its record and its report, and shows the record.
    private func finish(
        _ trained: SequenceModel, _ finished: TrainingRecord, _ task: TrainingTask, _ folder: RunFolder
    ) throws {
        var record = finished
        record.split = task.kind
        let examples = try task.test(trained, &record, threads: try threads.count(on: trained.backend))
        warnOfMetrics(record)
        if Console.current.isStopped() {
            throw fail(.interrupted, "stopped before the model was written; go on with --resume")
        }
        let url = fileURL(model)
        let report = TrainingReport(
            name: url.standardizedFileURL.lastPathComponent, dataset: task.data.summary,
            configuration: trained.configuration, reasons: task.reasons, record: record, examples: examples)
        try folder.keepingRun {
            try ModelFolder.write(
                trained, items: task.data.identifiers, popularity: trainingCounts(task.data, task.split),
                trainingRecord: Array(try jsonText(record).utf8), report: report.html,
                log: record.epochs.flatMap(EpochLog.line),
                checkpoint: canBeLengthened(record) ? folder.checkpoint : nil, to: url)
        }
        folder.clear()
        if json.isOn { try printJSON(record) } else { try show(record) }
    }

    /// Where its metrics say little, or counting says more.
    private func warnOfMetrics(_ record: TrainingRecord) {
        let best = record.epochs.first { $0.epoch == record.bestEpoch }?.validation
        for (metrics, name) in [(best?.unmasked, "validation"), (record.test?.all.unmasked, "test")] {
            if let metrics, let warning = warningOfFewCases(metrics, name) { printError(warning) }
        }
        let own = [record.test, record.testAtRequest].compactMap(\.self)
        if let warning = warningOfCounting(record.baselines ?? [], own) { printError(warning) }
    }

    /// Not one that had teachers, which are not kept.
    private func canBeLengthened(_ record: TrainingRecord) -> Bool {
        record.teachers == nil && record.options.canBeLengthened(after: record.epochs)
    }

    private func show(_ record: TrainingRecord) throws {
        if let test = record.test {
            let cases = counted(test.all.unmasked.cases, "case")
            try printOutput("\nTest, \(cases), epoch \(record.bestEpoch) of \(record.epochs.count):\n")
            try printOutput(metricsTable(record.reports))
        } else {
            try printOutput(
                record.split == .everything
                    ? "\nEverything trained: there is no test." : "\nNo user has enough events for a test case.")
        }
        let path = (model as NSString).appendingPathComponent(ModelFolder.File.report)
        try printOutput("\nThe model is in \(printable(model)), its report in \(printable(path))")
    }
}
