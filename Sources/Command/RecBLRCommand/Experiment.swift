import ArgumentParser
import ErrorSupport
import Evaluation
import FileSupport
import Foundation
import Interactions
import Models
import Report
import Tensors
import Training

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

struct Experiment: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Repeat an experiment of the paper on a dataset.",
        discussion: """
            ablations (Table 3) takes parts of the model away, mixers puts an LRU and attention in the place of the BD-LRU (not \
            on a GPU), expansion (Figure 5) widens the recurrence, dropout (Figure 6) \
            drops more. Each variant is trained with the preset's recipe for the data, without teachers, and without the \
            repeat-aware head unless it is given, and tested on each user's last event in both settings. The output folder gets table.md, \
            results.json and chart.svg after every run; a run that results.json has with the same settings is not made \
            again, so that Ctrl-C costs one at most. For the paper's own datasets, recognised by their size, its figures stand beside.

            Example:

              recblr experiment ablations data/ml-100k --output experiments/ablations
              recblr experiment dropout data/shop --output experiments/dropout --preset fast --seeds 3
            """)

    @Argument(help: "What is varied.") var experiment: ExperimentKind
    @Argument(help: "The dataset's folder, made by prepare.", transform: pathArgument) var dataset: String
    @Option(name: .shortAndLong, help: "Folder for the results.", transform: pathArgument) var output: String
    @Option(help: "Runs a variant, with seeds that follow on --seed; more than one gives mean ± standard deviation.")
    var seeds = 1
    @OptionGroup(title: "Learning") var learning: LearningOptions
    @OptionGroup var threads: ThreadsOption
    @OptionGroup var compute: ComputeOptions

    func validate() throws {
        if !(1...1000).contains(seeds) { throw ValidationError("--seeds must lie in 1 ... 1000.") }
        if experiment == .dropout, learning.dropout != nil {
            throw ValidationError("--dropout is what this experiment varies.")
        }
    }

    func run() throws {
        let url = try outputFolder(output, "--output")
        try checkApart(output, "--output", from: dataset)
        let destination = try FolderDestination(url, ExperimentResults.folder)
        let data = try openDataset(dataset)
        let split = Split.leaveOneOut(data)
        guard !split.test.isEmpty else { throw EvaluationError.noCases }
        let backend = try compute.backend(for: experiment == .mixers ? ModelConfiguration.Mixer.allCases : [.bdlru])
        if let advice = adviceOnSplit(.leaveOneOut, split, data) { printError(advice) }
        let plan = try self.plan(data, split, backend)
        try learning.refuseIgnored(
            learning.recipe(for: data, threads: 1), hasValidation: !split.validation.isEmpty)
        for settings in plan {
            try settings.options.validate()
            try settings.configuration.validate(for: backend)
        }
        let isNew = !FileManager.default.fileExists(atPath: url.path)
        let lock = try lockedFolder(destination)
        defer {
            if isNew { rmdir(url.path) }  // nothing was written
            withExtendedLifetime(lock) {}
        }
        StopSignals.catchFromNowOn(saying: "Stopping; the runs that are done are kept.\n")
        var results = try ExperimentResults(experiment, in: url)
        try makeRuns(plan, &results, data, split, backend)
        if let run = results.runs.last, let warning = warningOfFewCases(run.test.all.unmasked, "test") {
            printError(warning)
        }
        let paper = PaperResults(for: DatasetShape(data))
        try printOutput("\n" + table(summaries(results, plan), beside: paper).text)
        try printOutput("\nTable, results and chart are in \(printable(output))")
    }

    /// Makes the runs of a plan that are not there, and writes results, table and chart after each.
    private func makeRuns(
        _ plan: [ExperimentResults.Settings], _ results: inout ExperimentResults, _ data: Dataset, _ split: Split,
        _ backend: any Backend
    ) throws {
        for (index, settings) in plan.enumerated() {
            let name = "\(settings.variant), seed \(settings.options.seed) (\(index + 1) of \(plan.count))"
            let isDone = results.holds(settings)
            printError(isDone ? "\(name): done before" : name)
            if !isDone {
                results.runs.append(try Self.run(settings, data, split, backend))
                try results.write(to: fileURL(output))
            }
            try writeTables(results, plan, data)
        }
    }

    /// Creates the folder where it does not exist and locks it, so that two experiments do not overwrite each other's runs.
    private func lockedFolder(_ destination: FolderDestination) throws -> FileLock? {
        try makeFolder(destination.url)
        switch FileLock.attempt(destination.url.path) {
        case .held(let lock): return lock
        case .taken:
            throw fail(
                .cannotCreate,
                "another experiment is running and holds the lock on \(output): wait for its end or "
                    + "choose another --output")
        case .impossible:
            printError("recblr: warning: \(output) cannot be locked: see to it that no other experiment writes there")
            return nil
        }
    }

    /// Every variant with the first seed, then with the next, so that the results so far can be compared at any time.
    private func plan(_ data: Dataset, _ split: Split, _ backend: any Backend) throws -> [ExperimentResults.Settings] {
        var learning = learning
        learning.repeatAware = learning.repeatAware ?? false
        var recipe = learning.recipe(for: data, threads: try threads.count(on: backend))
        recipe.removeTeachers()
        if learning.patience == nil { recipe.removePatience() }
        if learning.warmupSteps == nil { recipe.options.shortenWarmup(data, split) }
        return (0..<UInt64(seeds)).flatMap { number in
            experiment.variants.map { variant in
                var (configuration, options) = (ModelConfiguration(itemCount: data.itemCount), recipe.options)
                configuration.repeatAware = recipe.repeatAware
                configuration.transitions = learning.transitions ?? false
                options.seed &+= number
                variant.change(&configuration, &options)
                return ExperimentResults.Settings(
                    variant: variant.name, configuration: configuration, options: options,
                    dataset: data.summary.mark, backend: backend.name, version: programVersion)
            }
        }
    }

    private static func run(
        _ settings: ExperimentResults.Settings, _ data: Dataset, _ split: Split, _ backend: any Backend
    ) throws -> ExperimentResults.Run {
        let trainer = try Trainer(data, split, settings.configuration, settings.options, backend: backend)
        let progress = ProgressLine()
        guard
            case .finished(let trained, let record) = try trainer.run(
                shouldStop: Console.current.isStopped, report: progress.show)
        else {
            throw fail(.interrupted, "stopped; the same command makes the runs that are missing")
        }
        let ranker = ModelRanker(
            trained.on(backend.exact), threads: settings.options.threads)
        let rates = record.epochs.map(\.tokensPerSecond).sorted()
        return ExperimentResults.Run(
            settings: settings, bestEpoch: record.bestEpoch, tokensPerSecond: rates[rates.count / 2],
            test: try EvaluationReport(ranker, split.test, data, split))
    }

    /// The variants that have a run of this plan.
    private func summaries(
        _ results: ExperimentResults, _ plan: [ExperimentResults.Settings]
    ) -> [VariantSummary] {
        let runs = results.runs.filter { plan.contains($0.settings) }
        return experiment.variants.compactMap { variant in
            let own = runs.filter { $0.settings.variant == variant.name }
            return own.isEmpty ? nil : VariantSummary(variant: variant, runs: own)
        }
    }

    private static let aboutThePaper = """
        The paper's figures are those of its Table 3 (seen items among the candidates; last positions only, up to 300 epochs, Adam with 1e-3).
        """

    private func writeTables(
        _ results: ExperimentResults, _ plan: [ExperimentResults.Settings], _ data: Dataset
    ) throws {
        let summaries = summaries(results, plan)
        let paper = PaperResults(for: DatasetShape(data))
        let text = """
            # \(experiment.rawValue.capitalized) on \(data.summary.source ?? dataset)

            \(counted(data.userCount, "user")), \(counted(data.itemCount, "item")), \(counted(data.eventCount, "event")). \
            Epochs: \(plan[0].options.epochs). Seeds: \(seeds)\(seeds > 1 ? " (mean ± standard deviation)" : "").

            \(table(summaries, beside: paper).markdown)
            \(paper == nil || experiment != .ablations ? "" : "\n" + Self.aboutThePaper + "\n")
            """
        let folder = fileURL(output)
        try writeFile(text.utf8, to: folder.appendingPathComponent("table.md"))
        try writeFile(
            svgFile(charts(summaries, axis: experiment.axis)).utf8, to: folder.appendingPathComponent("chart.svg"))
    }
}
