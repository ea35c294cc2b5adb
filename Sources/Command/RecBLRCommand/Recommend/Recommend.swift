import ArgumentParser
import CPUBackend
import ErrorSupport
import FileSupport
import Foundation
import Identifiers
import Interactions
import ModelStore
import Models
import Serving

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

struct Recommend: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say what comes next for users or histories.",
        discussion: """
            Give users of a dataset (--user, --users, --all-users), one history (--history, --title) or a file of \
            histories (--histories). Items that the model does not know are skipped and counted on standard error. \
            Users without a history that the model knows get popular items; the answer's basis says so.

            Answers are in the order of the users or histories, one line each except as text. JSON Lines hold id, title and score of \
            each item, TSV and CSV the ids only, best first.

            --explain adds to each item what adds up to its score: a term for each of the last 1,024 events, one for all earlier \
            ones, one for the repeat-aware head and one that any history has. The terms tell how the score came about, with the \
            gates and deviations that the model computed from this history; without an event those would be others, so the score would \
            not change by the event's term. "score without" is the model's answer to that, for the three largest terms.

            Example:

              recblr recommend models/ml-100k --data data/ml-100k --user 42
              recblr recommend models/ml-100k --history 50,181 --history 172 -k 5
              recblr recommend models/ml-100k --data data/ml-100k --user 42 -k 3 --explain
              recblr recommend models/ml-100k --title "Toy Story" --title "Aladdin"
              recblr recommend models/ml-100k --data data/ml-100k --all-users --output answers.csv
              recblr recommend models/ml-100k --histories histories.jsonl > answers.jsonl

            A line of histories.jsonl is {"user": "42", "history": ["50", "181"]} or ["50", "181"]; for a model that was trained with \
            --time it is \(JSONHistory.exampleWithTimes), and with a user of --data \
            the times are the dataset's. Such a model is asked at the time of the last event unless --at says when.
            """)

    @Argument(help: "The model's folder.", transform: pathArgument) var model: String
    @OptionGroup(title: "Users or histories") var requests: RequestOptions
    @OptionGroup(title: "Items") var choice: ChoiceOptions
    @OptionGroup(title: "Answers") var answers: AnswerOptions
    @OptionGroup var threads: ThreadsOption

    func validate() throws {
        guard let output = answers.output else { return }
        for (name, input) in [("--histories", requests.histories), ("--users", requests.users)] {
            guard let input, inputURL(input).resolvingSymlinksInPath() == fileURL(output).resolvingSymlinksInPath()
            else {
                continue
            }
            throw ValidationError("--output and \(name) are the same file: the answers would take its place.")
        }
    }

    /// Requests of one batch: their answers must not need much memory.
    private func batchSize(_ items: Int) -> Int {
        let terms = answers.explain ? 128 : 1
        return max(1, min(512, 65_536 / (min(choice.k, items) * terms)))
    }

    func run() throws {
        try answers.output.map(checkPlace)
        let folder = try openModel(model)
        let question = try requests.question(folder.configuration)
        let source = try requests.requests(
            folder.items, isWithTime: folder.configuration.usesTime, askedAt: question,
            batchSize: batchSize(folder.items.count))
        let choice = try choice.choice(folder.items)
        let output = try AnswerOutput(answers.output)
        if answers.output != nil { StopSignals.catchFromNowOn(saying: "Stopping; nothing is written.\n") }
        let text = AnswerText(
            format: answers.format(isBatch: requests.isBatch), k: min(self.choice.k, folder.items.count),
            subjectColumn: source.subjectColumn, items: folder.items, explains: answers.explain)
        let backend = CPUBackend()
        let threadCount = requests.isBatch ? threads.count : 1
        try requireThreads(threadCount, on: backend)
        let catalogue = Catalogue(
            try folder.model(on: backend), items: folder.items,
            popularity: folder.popularity.map(Popularity.init))
        let run = AnswerRun(
            catalogue: catalogue, source: source, choice: choice, question: question, text: text,
            threads: threadCount)
        // Answers on a terminal show the progress themselves.
        let showsProgress = requests.isBatch && (answers.output != nil || isatty(STDOUT_FILENO) == 0)
        do { try run.run(into: output, progress: showsProgress ? AnswerProgress() : nil) } catch RecommendError
            .notFinite
        {
            throw fail(.badData, "\(model): " + sentence(RecommendError.notFinite))
        }
    }
}
