import Dispatch
import Serving
import Synchronization

/// One thread that answers questions, piece by piece, with a recommender of its own.
final class AnswerLane: Sendable {
    struct Answers: Sendable {
        var text = ""
        var tally = AnswerTally()
    }

    /// Answers that are being worked out.
    final class Pending: Sendable {
        private let result = Mutex<Result<Answers, any Error>?>(nil)
        private let isDone = DispatchSemaphore(value: 0)

        fileprivate func fulfil(_ answers: Result<Answers, any Error>) {
            result.withLock { $0 = answers }
            isDone.signal()
        }

        /// Waits for them. Not to be called twice.
        func wait() throws -> Answers {
            isDone.wait()
            return try result.withLock { $0! }.get()
        }
    }

    /// Nobody but the queue touches it.
    private struct Own: @unchecked Sendable { let recommender: Recommender }

    private let queue = DispatchQueue(label: "recblr.answers")
    private let own: Own
    private let understand: @Sendable (QuestionPiece) throws -> [Question]
    private let choice: Recommender.Choice
    private let text: AnswerText

    init(
        _ catalogue: Catalogue, _ choice: Recommender.Choice, _ text: AnswerText,
        _ understand: @escaping @Sendable (QuestionPiece) throws -> [Question]
    ) {
        own = Own(recommender: Recommender(catalogue))
        (self.choice, self.text, self.understand) = (choice, text, understand)
    }

    func start(_ piece: QuestionPiece) -> Pending {
        let pending = Pending()
        queue.async { [self] in pending.fulfil(Result { try answers(piece) }) }
        return pending
    }

    private func answers(_ piece: QuestionPiece) throws -> Answers {
        let questions = try understand(piece)
        var answers = Answers()
        let lists = try own.recommender.answer(questions.map(\.items), k: text.k, choice)
        for (question, answer) in zip(questions, lists) {
            answers.text += text.separator + text.text(answer, to: question)
            answers.tally.add(question, answer)
        }
        return answers
    }
}
