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
    /// Its trainings, the earliest first; empty where nothing is known of them.
    let trainings: [PastTraining]
    /// The split of the last; nil where that is not known.
    var trainedOn: SplitKind? { trainings.last?.split }
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
        trainings = try TrainingRecord.read(folder)?.trainings ?? []
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

/// Says on standard error what a stream leaves out: popularity of the last day where times are only an order, and the first events of users who begin
/// within it, which have no history and are no cases.
func sayOfStream(_ cases: [EvaluationCase], _ data: Dataset) {
    if !data.hasDates {
        printError("recblr: note: times are numbers that only say the order: there is no popularity of the last day")
    }
    guard let first = cases.compactMap({ data.timestamp(ofUser: $0.user, at: $0.position) }).min() else { return }
    let asked = Set(cases.map(\.user))
    let count = asked.count { data.timestamp(ofUser: $0, at: 0)! >= first }
    guard count > 0 else { return }
    printError(
        "recblr: note: \(counted(count, "user")) of \(grouped(asked.count)) begin within the period: their first events have no "
            + "history, are no cases, and are learnt from")
}
