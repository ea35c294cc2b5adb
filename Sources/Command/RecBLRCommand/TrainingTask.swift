import ErrorSupport
import Evaluation
import FileSupport
import Foundation
import Interactions
import Models
import Report
import Serving
import Tensors
import Training

/// What a training learns, and from what: everything but where its model is kept.
struct TrainingTask {
    let data: Dataset
    let split: Split
    let kind: SplitKind
    let recipe: Recipe
    let configuration: ModelConfiguration
    /// The model that is continued, and its path.
    let start: (model: StartingModel, path: String)?
    let backend: any Backend

    /// Why the recipe is as it is, a sentence each.
    var reasons: [String] { Recipe.Choice.allCases.compactMap { recipe.reasons[$0] } }

    func trainer(_ teachers: [Teacher] = [], checkpointFolder: URL) throws -> Trainer {
        try Trainer(
            data, split, configuration, recipe.options, from: start?.model, teachers: teachers, backend: backend,
            checkpointFolder: checkpointFolder)
    }

    /// Says on standard error what was chosen and what was taken over.
    func tell(_ origin: TrainingOrigin?) {
        if let start, let origin { printError("continues " + describe(origin, start.path)) }
        for reason in reasons { printError(reason) }
        if let advice = adviceOnSplit(kind, split, data) { printError(advice) }
    }

    /// Evaluates the model on the test cases, where there are any, beside the counting baselines. Returns examples for the report.
    func test(
        _ model: SequenceModel, _ record: inout TrainingRecord, threads: Int
    ) throws -> [TrainingReport.Example] {
        guard !split.test.isEmpty else { return [] }
        let known = knownItems(data, split)
        if let known { sayWhatIsUnknown(known, "the model", split.test, data) }
        if split.isStream { sayOfStream(split.test, data) }
        let ranker = ModelRanker(model, items: known, threads: threads)
        record.test = try EvaluationReport(ranker, split.test, data, split)
        if model.configuration.usesTime {
            let asked = ModelRanker(model, items: known, reading: .requestTime, threads: threads)
            record.testAtRequest = try EvaluationReport(asked, split.test, data, split)
        }
        record.baselines = try baselines(split.test, data, split)
        return try examplesForReport(ranker, Recommender(Catalogue(model, items: data.identifiers)), split.test, data)
    }
}

/// Evaluates the counting baselines on the same cases; in a stream those that go on counting.
func baselines(_ cases: [EvaluationCase], _ data: Dataset, _ split: Split) throws -> [EvaluationReport] {
    let rankers: [any Evaluation.Ranker] =
        split.isStream
        ? try streamBaselines(cases, data) : [PopularityRanker(data, split), TransitionRanker(data, split)]
    return try rankers.map { try EvaluationReport($0, cases, data, split) }
}
