import ErrorSupport
import Evaluation
import Identifiers
import Interactions
import ModelStore
import Models
import Tensors
import Training

/// A model that is evaluated on a dataset.
struct EvaluatedModel {
    let path: String
    /// The split of its training; nil where that is not known.
    let trainedOn: SplitKind?
    /// The fingerprint of the data that it was trained on; nil where that is not known.
    let trainingData: String?
    private let model: SequenceModel
    private let mapping: ItemMapping?
    /// The training events of each of the model's items; nil where that is not known.
    private let popularity: [Int]?

    init(_ path: String, _ folder: ModelFolder, _ data: Dataset, _ backend: any Backend) throws {
        self.path = path
        mapping = data.items.map { ItemMapping($0, to: folder.items) }
        if let mapping, mapping.unknownCount == data.itemCount {
            throw fail(.badData, "\(path) knows none of the \(counted(data.itemCount, "item")) of the dataset")
        }
        let record = try TrainingRecord.read(folder)
        (trainedOn, trainingData) = (record?.split, record?.dataset)
        popularity = folder.popularity
        model = try folder.model(on: backend)
    }

    /// The model's items for the dataset's. In a stream those that had no training event are not known: their rows of the table are as
    /// they were before training.
    func items(in split: Split, _ data: Dataset) -> ItemMapping? {
        guard split.isStream, let mapping, let popularity else { return mapping }
        return mapping.keeping(of: data.itemCount) { popularity[$0.row] > 0 }
    }

    /// What the model can be told of the time of a case: each is a row of its own. One for a model without time.
    var readings: [ModelRanker.Reading] { model.configuration.usesTime ? ModelRanker.Reading.allCases : [.pastTimes] }

    func ranker(
        _ items: ItemMapping?, maximumLength: Int?, reading: ModelRanker.Reading, threads: Int
    ) -> ModelRanker {
        ModelRanker(
            model, items: items.flatMap { $0.isIdentity ? nil : $0 }, maximumLength: maximumLength, reading: reading,
            threads: threads)
    }

    /// What to say of a model that was trained on everything; nil of others.
    func seenEverything(_ data: Dataset) -> String? {
        guard trainedOn == .everything else { return nil }
        let has = trainingData == data.summary.fingerprint ? "has" : "may have"
        return "was trained on everything (--split none) and \(has) seen these targets"
    }

    /// Warns where the model may have seen the targets.
    func warn(_ kind: SplitKind, _ data: Dataset) {
        if let seen = seenEverything(data) {
            printError("recblr: warning: the model \(seen): the metrics say nothing of events to come")
        } else if let trainedOn, !trainedOn.trains(like: kind) {
            printError("recblr: warning: the model was trained with another split and may have seen these targets")
        }
    }
}

/// Throws where one of two models has an advantage that the other has not: where it was, or may have been, trained on the targets.
func checkComparable(
    _ models: [EvaluatedModel], _ kind: SplitKind, _ cases: [EvaluationCase], _ data: Dataset
) throws {
    for model in models {
        guard let seen = model.seenEverything(data) else { continue }
        throw fail(.badData, "\(model.path) \(seen): compare models that were trained with the same split")
    }
    if let a = models[0].trainedOn, let b = models[1].trainedOn, !a.trains(like: b) {
        throw fail(
            .badData,
            "\(models[0].path) was trained with \(a.options), \(models[1].path) with \(b.options): their held-out cases differ, and "
                + "one may have seen what the other is asked")
    }
    for model in models {
        guard let trainedOn = model.trainedOn else {
            printError(
                "recblr: note: \(model.path) does not say how it was trained: whether it has seen these targets is not known"
            )
            continue
        }
        guard model.trainingData == data.summary.fingerprint else {
            guard trainedOn.trains(like: kind) else {
                throw fail(
                    .badData,
                    "\(model.path) was trained with \(trainedOn.options) and may have seen these targets, which are those of \(kind.options)"
                )
            }
            printError(
                "recblr: note: \(model.path) was trained on other data: whether these targets were among it is not known"
            )
            continue
        }
        if trainedOn.trains(like: kind) { continue }
        let ends = try trainedOn.split(data).trainingEnd
        let seen = cases.count { $0.position < ends[$0.user] }
        if seen > 0 {
            throw fail(
                .badData,
                "\(model.path) was trained with \(trainedOn.options) on \(grouped(seen)) of these \(counted(cases.count, "target"))"
            )
        }
    }
}

/// Counts on standard error what a model does not know.
func sayWhatIsUnknown(_ mapping: ItemMapping, _ model: String, _ cases: [EvaluationCase], _ data: Dataset) {
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
        "recblr: note: \(model) does not know \(grouped(mapping.unknownCount)) of the \(counted(data.itemCount, "item")): "
            + "skipped \(counted(events, "event")) of histories; of \(counted(cases.count, "case")) "
            + "\(grouped(targets)) missed for their target, \(grouped(histories)) for a history without known items"
    )
}

/// Counts on standard error the users who begin within a stream: their first events have no history, and are no cases.
func sayWhoBegins(_ cases: [EvaluationCase], _ data: Dataset) {
    guard let first = cases.compactMap({ data.timestamp(ofUser: $0.user, at: $0.position) }).min() else { return }
    let asked = Set(cases.map(\.user))
    let count = asked.count { data.timestamp(ofUser: $0, at: 0)! >= first }
    guard count > 0 else { return }
    printError(
        "recblr: note: \(counted(count, "user")) of \(grouped(asked.count)) begin within the period: their first events have no "
            + "history, are no cases, and are learnt from")
}
