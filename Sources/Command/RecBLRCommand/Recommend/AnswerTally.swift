import Serving

/// What is to be said of the answers when all are given.
struct AnswerTally: Sendable {
    private(set) var questions = 0
    private var unknownEvents = 0
    private var unknownExamples: [String] = []
    private var strangers = 0
    private var strangerExamples: [String] = []
    private var popular = 0
    private(set) var unanswered = 0
    private var withoutChoice = 0

    mutating func add(_ question: Question, _ answer: Recommender.Answer) {
        questions += 1
        unknownEvents += question.unknownCount
        if let example = question.unknownExample { Self.add(example, to: &unknownExamples) }
        if !question.isInData, case .user(let id) = question.asker {
            strangers += 1
            Self.add(id, to: &strangerExamples)
        }
        switch answer.basis {
        case .history, .popularity:
            popular += answer.basis == .popularity ? 1 : 0
            withoutChoice += answer.recommendations.isEmpty ? 1 : 0
        case .none: unanswered += 1
        }
    }

    /// Adds what comes after it.
    mutating func add(_ other: AnswerTally) {
        questions += other.questions
        unknownEvents += other.unknownEvents
        strangers += other.strangers
        popular += other.popular
        unanswered += other.unanswered
        withoutChoice += other.withoutChoice
        for example in other.unknownExamples { Self.add(example, to: &unknownExamples) }
        for example in other.strangerExamples { Self.add(example, to: &strangerExamples) }
    }

    private static func add(_ example: String, to list: inout [String]) {
        if list.count < 3, !list.contains(example) { list.append(example) }
    }

    /// One sentence a matter, none where there is nothing to say.
    var sentences: [String] {
        var sentences: [String] = []
        func list(_ examples: [String], of count: Int) -> String {
            "(\(examples.joined(separator: ", "))\(count > examples.count ? ", …" : ""))"
        }
        if unknownEvents > 0 {
            sentences.append(
                "passed over \(events(unknownEvents)) of items that the model does not know "
                    + list(unknownExamples, of: unknownEvents))
        }
        if strangers > 0 {
            sentences.append("not in the data: \(users(strangers)) " + list(strangerExamples, of: strangers))
        }
        if popular > 0 {
            sentences.append("popular items for \(users(popular)) without an event that the model knows")
        }
        if withoutChoice > 0 { sentences.append("no item was left to recommend to \(users(withoutChoice))") }
        if unanswered > 0 { sentences.append(unansweredSentence) }
        return sentences
    }

    var unansweredSentence: String {
        "no answer for \(users(unanswered)) without an event that the model knows: the model's folder does not say what is "
            + "popular (it was imported, or trained by version 0.3.0: train again)"
    }

    private func users(_ count: Int) -> String { counted(count, "user") }
    private func events(_ count: Int) -> String { counted(count, "event") }
}
