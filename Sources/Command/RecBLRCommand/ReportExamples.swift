import Evaluation
import FileSupport
import Identifiers
import Interactions
import Report
import Serving

/// Some test cases, evenly spread over the users: the last five events, the five best items, the item that came next and its rank.
func examplesForReport(
    _ ranker: ModelRanker, _ recommender: Recommender, _ cases: [EvaluationCase], _ data: Dataset
) throws -> [TrainingReport.Example] {
    let count = min(6, cases.count)
    let chosen = (0..<count).map { cases[$0 * cases.count / count] }
    let ranks = try ranker.rank(chosen, in: data)
    let items = recommender.catalogue.items
    return try zip(chosen, ranks).map { question, rank in
        let history = data.sequence(ofUser: question.user, 0..<question.position)
        let next = data.item(ofUser: question.user, at: question.position)
        let best = try recommender.recommend(
            after: history, times: data.timestamps(ofUser: question.user, 0..<question.position) ?? [], k: 5)
        func name(_ item: ItemID) -> String { items.title(at: item.row) ?? items.ids[item.row] }
        return TrainingReport.Example(
            user: data.users?.ids[question.user] ?? String(question.user + 1), events: history.count,
            history: history.suffix(5).map(name), recommendations: best.map { $0.title ?? $0.id },
            hit: best.firstIndex { $0.id == items.ids[next.row] }, next: name(next),
            rank: history.contains(next) ? nil : rank.masked)
    }
}
