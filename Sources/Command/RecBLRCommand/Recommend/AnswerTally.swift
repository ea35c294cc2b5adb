import Serving

/// Counts of unusual answers, reported when all are written.
struct AnswerTally: Sendable {
    private(set) var requests = 0
    private var unknownEvents = 0
    private var unknownExamples: [String] = []
    private var unknownUsers = 0
    private var unknownUserExamples: [String] = []
    private var popular = 0
    private(set) var unanswered = 0
    private var withoutChoice = 0

    mutating func add(_ request: Request, _ answer: Recommender.Answer) {
        requests += 1
        unknownEvents += request.unknownCount
        if let example = request.unknownExample { Self.add(example, to: &unknownExamples) }
        if !request.isInData, case .user(let id) = request.subject {
            unknownUsers += 1
            Self.add(id, to: &unknownUserExamples)
        }
        switch answer.basis {
        case .history, .popularity:
            popular += answer.basis == .popularity ? 1 : 0
            withoutChoice += answer.recommendations.isEmpty ? 1 : 0
        case .none: unanswered += 1
        }
    }

    /// Adds the counts of later answers.
    mutating func add(_ other: AnswerTally) {
        requests += other.requests
        unknownEvents += other.unknownEvents
        unknownUsers += other.unknownUsers
        popular += other.popular
        unanswered += other.unanswered
        withoutChoice += other.withoutChoice
        for example in other.unknownExamples { Self.add(example, to: &unknownExamples) }
        for example in other.unknownUserExamples { Self.add(example, to: &unknownUserExamples) }
    }

    private static func add(_ example: String, to list: inout [String]) {
        if list.count < 3, !list.contains(example) { list.append(example) }
    }

    /// One sentence for each kind of unusual answer that occurred.
    var sentences: [String] {
        var sentences: [String] = []
        func list(_ examples: [String], of count: Int) -> String {
            "(\(examples.joined(separator: ", "))\(count > examples.count ? ", …" : ""))"
        }
        if unknownEvents > 0 {
            sentences.append(
                "skipped \(events(unknownEvents)) of items that the model does not know "
                    + list(unknownExamples, of: unknownEvents))
        }
        if unknownUsers > 0 {
            sentences.append("not in the data: \(users(unknownUsers)) " + list(unknownUserExamples, of: unknownUsers))
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
