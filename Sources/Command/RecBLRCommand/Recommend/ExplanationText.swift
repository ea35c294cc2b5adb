import FileSupport
import Identifiers
import Report
import Serving

/// Formats explanations of one answer's items.
struct ExplanationText {
    let items: Vocabulary
    let answer: Recommender.Answer
    let history: [ItemID]

    /// For each item the events that weigh most and, as one line each, everything else: lines that add up to the score.
    func table(_ explanations: [Recommender.Explanation]) -> String {
        var table = TextTable(["   Why", "events ago", "adds", "score without"])
        for (index, (item, explanation)) in zip(answer.recommendations, explanations).enumerated() {
            let place = index + 1 < 10 ? " \(index + 1)" : "\(index + 1)"
            table.add(["\(place) \(printable(item.title ?? item.id))", "", fixed(explanation.score, 2), ""])
            for row in rows(explanation) { table.add(["     " + row[0]] + row[1...]) }
        }
        return table.text
    }

    /// The three largest terms, what speaks for the item first, and the rest.
    private func rows(_ explanation: Recommender.Explanation) -> [[String]] {
        let byWeight = explanation.terms.sorted { $0.contribution.magnitude > $1.contribution.magnitude }
        let largest = byWeight.prefix(3).sorted { $0.contribution > $1.contribution }
        let others = byWeight.dropFirst(3)
        var rows = largest.map { term in
            [
                name(history[term.event]), grouped(history.count - term.event), signed(term.contribution),
                term.scoreWithout.map { fixed($0, 2) } ?? "",
            ]
        }
        func add(_ name: String, _ value: Double) { rows.append([name, "", signed(value), ""]) }
        if !others.isEmpty {
            add(counted(others.count, "other event"), others.reduce(0) { $0 + $1.contribution })
        }
        let earlier = history.count - explanation.terms.count
        if earlier > 0 { add(counted(earlier, "earlier event"), explanation.earlier) }
        if explanation.repeats != 0 { add("an item met before", explanation.repeats) }
        if explanation.transitions != 0 { add("often comes next", explanation.transitions) }
        add("the model's constants", explanation.constant)
        return rows
    }

    private func name(_ item: ItemID) -> String { printable(items.title(at: item.row) ?? items.ids[item.row]) }
    private func signed(_ value: Double) -> String { (value < 0 ? "" : "+") + fixed(value, 2) }

    /// The terms of one item as a JSON object.
    func object(_ explanation: Recommender.Explanation) -> String {
        let terms = explanation.terms.map { term in
            let without = term.scoreWithout.map { ",\"scoreWithout\":\($0)" } ?? ""
            return
                "{\"item\":\(jsonString(items.ids[history[term.event].row])),\"contribution\":\(term.contribution)\(without)}"
        }
        return "{\"terms\":[\(terms.joined(separator: ","))],\"earlier\":\(explanation.earlier)"
            + ",\"constant\":\(explanation.constant),\"repeats\":\(explanation.repeats),\"transitions\":\(explanation.transitions)}"
    }
}
