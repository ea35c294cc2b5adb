import Dispatch
import ErrorSupport
import Report
import Serving
import Synchronization

/// A worker thread with its own recommender, which answers batches of requests.
final class AnswerWorker: Sendable {
    struct Answers: Sendable {
        var text = ""
        var tally = AnswerTally()
    }

    /// The future answers of one batch.
    final class Pending: Sendable {
        private let result = Mutex<Result<Answers, any Error>?>(nil)
        private let isDone = DispatchSemaphore(value: 0)

        fileprivate func complete(_ answers: Result<Answers, any Error>) {
            result.withLock { $0 = answers }
            isDone.signal()
        }

        /// Waits for the answers. May be called once only.
        func wait() throws -> Answers {
            isDone.wait()
            return try result.withLock { $0! }.get()
        }
    }

    /// Used on the queue only, which makes it safe to send.
    private struct Confined: @unchecked Sendable { let recommender: Recommender }

    private let queue = DispatchQueue(label: "recblr.answers")
    private let confined: Confined
    private let parse: @Sendable (RequestBatch) throws -> [Request]
    private let choice: Recommender.Choice
    /// When a model with time is asked, in nanoseconds since 1970; nil: at the time of each history's last event.
    private let question: Int64?
    private let text: AnswerText

    init(
        _ catalogue: Catalogue, _ choice: Recommender.Choice, at question: Int64?, _ text: AnswerText,
        _ parse: @escaping @Sendable (RequestBatch) throws -> [Request]
    ) {
        confined = Confined(recommender: Recommender(catalogue))
        (self.choice, self.question, self.text, self.parse) = (choice, question, text, parse)
    }

    func start(_ batch: RequestBatch) -> Pending {
        let pending = Pending()
        queue.async { [self] in pending.complete(Result { try answers(batch) }) }
        return pending
    }

    private func answers(_ batch: RequestBatch) throws -> Answers {
        let requests = try parse(batch)
        if let question, let late = requests.firstWithEvent(after: question) {
            throw tooEarly(question, for: late)
        }
        var answers = Answers()
        let lists = try confined.recommender.answer(
            requests.map(\.items), times: requests.map(\.times), askedAt: question, k: text.k, choice)
        for (request, answer) in zip(requests, lists) {
            let explanations = try text.explains ? explanations(answer, request) : []
            answers.text += text.separator + text.text(answer, explanations, to: request)
            answers.tally.add(request, answer)
        }
        return answers
    }

    /// One for each recommended item; none where they are only popular.
    private func explanations(
        _ answer: Recommender.Answer, _ request: Request
    ) throws -> [Recommender.Explanation] {
        guard answer.basis == .history else { return [] }
        let items = answer.recommendations.compactMap { text.items.item(of: $0.id) }
        return try confined.recommender.explain(
            items, after: request.items, times: request.times, askedAt: question)
    }
}
