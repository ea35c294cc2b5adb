import FileSupport
import Foundation
import Identifiers
import Report
import Serving

/// Formats answers.
struct AnswerText: Sendable {
    let format: AnswerFormat
    /// Number of columns for items.
    let k: Int
    /// Name of the first column.
    let subjectColumn: String
    let items: Vocabulary
    /// Whether answers say which events speak for each item.
    let explains: Bool

    /// Text before all answers.
    var head: String {
        let columns = [subjectColumn, "basis"] + (0..<k).map { "item_\($0 + 1)" }
        return switch format {
        case .text, .jsonl: ""
        case .json: "["
        case .tsv: columns.joined(separator: "\t") + "\n"
        case .csv: columns.joined(separator: ",") + "\n"
        }
    }

    /// Text between two answers.
    var separator: String {
        switch format {
        case .text: "\n"
        case .json: ","
        case .jsonl, .tsv, .csv: ""
        }
    }

    /// Text after all answers.
    var tail: String { format == .json ? "\n]\n" : "" }

    /// The answer to one request. `explanations` has one element for each recommended item, or none.
    func text(
        _ answer: Recommender.Answer, _ explanations: [Recommender.Explanation], to request: Request
    ) -> String {
        switch format {
        case .text: table(answer, explanations, request)
        case .json: "\n  " + object(answer, explanations, request)
        case .jsonl: object(answer, explanations, request) + "\n"
        case .tsv: row(answer, request, "\t", TableText.escaped)
        case .csv: row(answer, request, ",", csvField)
        }
    }

    private func row(
        _ answer: Recommender.Answer, _ request: Request, _ separator: String, _ field: (String) -> String
    ) -> String {
        let subject =
            switch request.subject {
            case .user(let id): field(id)
            case .line(let number): String(number)
            case .history: ""
            }
        var text = subject + separator + answer.basis.rawValue
        for item in answer.recommendations { text += separator + field(item.id) }
        for _ in answer.recommendations.count..<max(k, answer.recommendations.count) { text += separator }
        return text + "\n"
    }

    private func object(
        _ answer: Recommender.Answer, _ explanations: [Recommender.Explanation], _ request: Request
    ) -> String {
        let explanation = ExplanationText(items: items, answer: answer, history: request.items)
        var text = "{"
        switch request.subject {
        case .user(let id): text += "\"user\":\(jsonString(id)),"
        case .line(let number): text += "\"line\":\(number),"
        case .history: break
        }
        text += "\"basis\":\"\(answer.basis.rawValue)\",\"events\":\(request.items.count)"
        text += ",\"unknown\":\(request.unknownCount),\"recommendations\":["
        for (index, item) in answer.recommendations.enumerated() {
            text += index > 0 ? ",{\"id\":" : "{\"id\":"
            text += jsonString(item.id)
            if let title = item.title { text += ",\"title\":\(jsonString(title))" }
            text += ",\"score\":\(number(item.score, answer.basis))"
            if !explanations.isEmpty { text += ",\"explanation\":" + explanation.object(explanations[index]) }
            text += "}"
        }
        return text + "]}"
    }

    private func number(_ score: Float, _ basis: Recommender.Basis) -> String {
        basis == .popularity ? String(Int(score)) : "\(score)"
    }

    private func table(
        _ answer: Recommender.Answer, _ explanations: [Recommender.Explanation], _ request: Request
    ) -> String {
        let hasTitles = answer.recommendations.contains { $0.title != nil }
        let score = answer.basis == .popularity ? "events" : "score"
        var table = TextTable(hasTitles ? ["   Next", "id", score] : ["   Next", score])
        for (index, item) in answer.recommendations.enumerated() {
            let place = index + 1 < 10 ? " \(index + 1)" : "\(index + 1)"
            let value = answer.basis == .popularity ? grouped(Int(item.score)) : fixed(Double(item.score), 2)
            let (id, title) = (printable(item.id), item.title.map(printable))
            table.add(hasTitles ? ["\(place) \(title ?? id)", id, value] : ["\(place) \(id)", value])
        }
        let heading = heading(answer.basis, request) + "\n"
        if answer.recommendations.isEmpty { return heading }
        if explanations.isEmpty { return heading + table.text + "\n" }
        let explanation = ExplanationText(items: items, answer: answer, history: request.items)
        return heading + table.text + "\n\n" + explanation.table(explanations) + "\n"
    }

    private func heading(_ basis: Recommender.Basis, _ request: Request) -> String {
        let subject =
            switch request.subject {
            case .user(let id): "User \(printable(id))"
            case .line(let number): "Line \(number)"
            case .history: "History"
            }
        let given = request.items.count + request.unknownCount
        let nothing =
            !request.isInData
            ? "not in the data" : given > 0 ? "no event whose item the model knows" : "no events"
        switch basis {
        case .popularity: return "\(subject), \(nothing): popular items"
        case .none: return "\(subject), \(nothing): no answer"
        case .history:
            let last = request.items.suffix(5).map { items.title(at: $0.row) ?? items.ids[$0.row] }
            let unknown = request.unknownCount > 0 ? ", \(grouped(request.unknownCount)) more skipped" : ""
            return "\(subject), last of \(counted(request.items.count, "event"))\(unknown): "
                + last.map(printable).joined(separator: " · ")
        }
    }
}

/// A field of a CSV file (RFC 4180), in quotes where it needs them.
private func csvField(_ text: String) -> String {
    let special = text.utf8.contains { $0 == 0x22 || $0 == 0x2C || $0 == 0x0A || $0 == 0x0D }
    let blank = text.utf8.first.map(isBlank) ?? false || text.utf8.last.map(isBlank) ?? false
    return special || blank ? "\"" + text.replacing("\"", with: "\"\"") + "\"" : text
}

/// A JSON string in its quotes.
func jsonString(_ text: String) -> String {
    guard text.utf8.contains(where: { $0 < 0x20 || $0 == 0x22 || $0 == 0x5C || $0 == 0x7F }) else {
        return "\"\(text)\""
    }
    var result = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"": result += "\\\""
        case "\\": result += "\\\\"
        case "\n": result += "\\n"
        case "\r": result += "\\r"
        case "\t": result += "\\t"
        case _ where scalar.value < 0x20 || scalar.value == 0x7F:
            let digits = String(scalar.value, radix: 16)
            result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result + "\""
}
