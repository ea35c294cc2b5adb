import ArgumentParser
import CPUBackend
import FileSupport
import Foundation
import Interactions
import ModelStore
import RecBLR
import Serving

struct Recommend: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say what comes next for a user or a history.",
        discussion: """
            A history is a known user's, a list of item ids or titles in order of time, or a file with one history a line \
            (item ids separated by white space).

            Example:

              recblr recommend models/ml-100k --data data/ml-100k --user 42
              recblr recommend models/ml-100k --history 50,181,172 -k 5
              recblr recommend models/ml-100k --title "Toy Story" --title "Aladdin"
              recblr recommend models/ml-100k --histories histories.txt --json
            """)

    @Argument(help: "The model's folder.") var model: String
    @Option(help: "A user of --data; may be given several times.") var user: [String] = []
    @Option(help: "The dataset's folder, for --user.") var data: String?
    @Option(help: "Item ids in order of time, separated by commas.") var history: String?
    @Option(help: "Title of the next item of the history; may be given several times.") var title: [String] = []
    @Option(help: "File with one history a line.") var histories: String?
    @Option(name: .short, help: "How many items to recommend.") var k = 10
    @Flag(inversion: .prefixedNo, help: "Leave out items of the history.") var excludeSeen = true
    @Option(help: "Item ids to leave out, separated by commas.") var exclude: String?
    @Option(help: "Recommend only these item ids, separated by commas.") var only: String?
    @OptionGroup var json: JSONFlag

    func validate() throws {
        if k < 1 { throw ValidationError("-k must be at least 1.") }
        let ways = [!user.isEmpty, history != nil, !title.isEmpty, histories != nil].count { $0 }
        if ways != 1 { throw ValidationError("Give one of --user, --history, --title and --histories.") }
        if !user.isEmpty, data == nil { throw ValidationError("--user needs --data.") }
    }

    func run() throws {
        try reportingErrors {
            let folder = try ModelFolder.open(fileURL(model))
            let questions = try self.questions(folder.items)
            var choice = Recommender.Choice()
            choice.excludesSeen = excludeSeen
            choice.excluded = try exclude.map { try numbers(list($0), folder.items) } ?? []
            choice.only = try only.map { try numbers(list($0), folder.items) }
            // One long history may occupy every core.
            let backend = CPUBackend(scanThreads: ProcessInfo.processInfo.activeProcessorCount)
            let recommender = Recommender(Catalogue(try folder.model(on: backend), items: folder.items))
            let answers = try questions.map { question in
                Answer(
                    name: question.name, history: question.items.map { folder.items.ids[Int($0) - 1] },
                    recommendations: try recommender.recommend(after: question.items, k: k, choice))
            }
            if json.isOn { return try printJSON(answers) }
            try printOutput(answers.map { describe($0, folder.items) }.joined(separator: "\n\n"))
        }
    }

    struct Answer: Encodable {
        var name: String
        var history: [String]
        var recommendations: [Recommender.Recommendation]
    }

    private func questions(_ items: Vocabulary) throws -> [(name: String, items: [Int32])] {
        if let history { return [("History", try numbers(list(history), items))] }
        if let histories { return try readHistories(fileURL(histories), items) }
        if !title.isEmpty { return [("History", try title.map { try number(ofTitle: $0, items) })] }
        let dataset = try Dataset.open(fileURL(data ?? ""))
        return try user.map { id in
            guard let index = dataset.users?.position(of: id) else {
                throw fail(.badData, "there is no user \(id) in \(data ?? "")")
            }
            let raw = dataset.sequence(ofUser: index).compactMap { dataset.items?.ids[Int($0) - 1] }
            return ("User \(id)", try numbers(raw, items))
        }
    }

    private func readHistories(_ url: URL, _ items: Vocabulary) throws -> [(name: String, items: [Int32])] {
        var reader = try LineReader(url)
        var questions: [(name: String, items: [Int32])] = []
        while let line = try reader.next() {
            guard let text = String(validating: line, as: UTF8.self) else {
                throw DatasetError.line(path: url.path, number: reader.lineNumber, reason: "not UTF-8")
            }
            let ids = text.split(whereSeparator: \.isWhitespace).map(String.init)
            if ids.isEmpty { continue }
            if let unknown = ids.first(where: { items.position(of: $0) == nil }) {
                throw DatasetError.line(
                    path: url.path, number: reader.lineNumber, reason: "the model knows no item \(unknown)")
            }
            questions.append(("Line \(reader.lineNumber)", try numbers(ids, items)))
        }
        guard !questions.isEmpty else { throw fail(.badData, "\(url.path): no histories") }
        return questions
    }

    private func list(_ text: String) -> [String] {
        text.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
    }

    private func numbers(_ ids: [String], _ items: Vocabulary) throws -> [Int32] {
        guard !ids.isEmpty else { throw fail(.usage, "a list of items is empty") }
        return try ids.map { id in
            guard let position = items.position(of: id) else { throw fail(.badData, "the model knows no item \(id)") }
            return Int32(position + 1)
        }
    }

    private func number(ofTitle title: String, _ items: Vocabulary) throws -> Int32 {
        let exact = items.positions(ofTitle: title)
        if exact.count == 1 { return Int32(exact[0] + 1) }
        let like = items.titles.indices.filter { items.titles[$0].localizedCaseInsensitiveContains(title) }
        if exact.isEmpty, like.count == 1 { return Int32(like[0] + 1) }
        let found = (exact.isEmpty ? like : exact).prefix(5).map { "\(items.ids[$0]) (\(items.titles[$0]))" }
        let hint = found.isEmpty ? "no title is like it" : "it may mean \(found.joined(separator: ", ")): use --history"
        throw fail(.badData, "the title '\(title)' names no single item; \(hint)")
    }

    private func describe(_ answer: Answer, _ items: Vocabulary) -> String {
        func name(_ id: String) -> String { items.position(of: id).flatMap { items.title(at: $0) } ?? id }
        var lines = [
            "\(answer.name), last of \(answer.history.count) events: "
                + answer.history.suffix(5).map(name).joined(separator: " · ")
        ]
        let hasTitles = answer.recommendations.contains { $0.title != nil }
        var table = TextTable(hasTitles ? ["   Next", "id", "score"] : ["   Next", "score"])
        for (index, item) in answer.recommendations.enumerated() {
            let place = index + 1 < 10 ? " \(index + 1)" : "\(index + 1)"
            let score = fixed(Double(item.score), 2)
            table.add(
                hasTitles ? ["\(place) \(item.title ?? item.id)", item.id, score] : ["\(place) \(item.id)", score])
        }
        lines.append(table.text)
        return lines.joined(separator: "\n")
    }
}
