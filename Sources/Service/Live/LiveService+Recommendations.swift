public import Identifiers
import Synchronization

/// Recommendations.
extension LiveService {
    /// The best next items of a user.
    public func recommend(
        to user: RawID, _ query: RecommendationQuery
    ) async throws(ServiceError) -> Recommendations {
        try check(query)
        _ = try admit(shard(of: user).queue.wait, ranking.wait, explainerWait(query))
        return try await reply { done in
            let question = Question(query: query, reply: done)
            if !shard(of: user).queue.add(.user(UserJob(user: user, kind: .read, question: question))) {
                done(.failure(.stopping))
            }
        }
    }

    /// The same for many users, each with a result of its own; all of one version of the model.
    public func recommend(
        to users: [RawID], _ query: RecommendationQuery
    ) async throws(ServiceError) -> [Result<Recommendations, ServiceError>] {
        try check(query)
        guard !users.isEmpty else { return [] }
        while true {
            _ = try admit(longestShardWait, ranking.wait, explainerWait(query))
            let answers = try await answer(users, query)
            let versions = Set(answers.compactMap { try? $0.get().modelVersion })
            // Who had to wait for a state may have an answer of the next release.
            if versions.count <= 1 { return answers }
        }
    }

    private func answer(
        _ users: [RawID], _ query: RecommendationQuery
    ) async throws(ServiceError) -> [Result<Recommendations, ServiceError>] {
        try await reply { (done: @escaping Reply<[Result<Recommendations, ServiceError>]>) in
            let collector = Collector(count: users.count) { done(.success($0)) }
            // A release switches all shards under the same lock: either before all of these jobs or after them.
            releases.withLock { _ in
                for (index, user) in users.enumerated() {
                    let question = Question(query: query) { collector.set($0, at: index) }
                    if !shard(of: user).queue.add(.user(UserJob(user: user, kind: .read, question: question))) {
                        collector.set(.failure(.stopping), at: index)
                    }
                }
            }
        }
    }

    /// The best next items of a session, which the service does not keep. `isTruncated` where the state had to be rebuilt from
    /// fewer events than the session had.
    public func recommend(
        session: SessionState, adding events: [SessionState.Event], _ query: RecommendationQuery
    ) async throws(ServiceError) -> (recommendations: Recommendations, session: SessionState, isTruncated: Bool) {
        try check(query)
        _ = try admit(longestShardWait, ranking.wait, explainerWait(query))
        let answer: SessionAnswer = try await reply { done in
            let job = SessionJob(
                session: session, added: events, query: query, reply: done)
            if !shards.randomElement()!.queue.add(.session(job)) { done(.failure(.stopping)) }
        }
        return (answer.recommendations, answer.session, answer.isTruncated)
    }

    /// Explaining an item costs as much as a hundred answers.
    func check(_ query: RecommendationQuery) throws(ServiceError) {
        guard !query.explains || query.count <= RecommendationQuery.maximumExplained else {
            let reason = "at most \(RecommendationQuery.maximumExplained) items are explained at once"
            throw .invalid(field: "n", reason: reason)
        }
    }

    /// How long a query would have to wait for its explanations.
    func explainerWait(_ query: RecommendationQuery) -> Duration { query.explains ? explainer.wait : .zero }
}

/// Collects results that arrive in any order.
final class Collector<Value: Sendable>: Sendable {
    private let contents: Mutex<(values: [Value?], missing: Int)>
    private let done: @Sendable ([Value]) -> Void

    init(count: Int, _ done: @escaping @Sendable ([Value]) -> Void) {
        contents = Mutex(([Value?](repeating: nil, count: count), count))
        self.done = done
    }

    func set(_ value: Value, at index: Int) {
        let all = contents.withLock { contents -> [Value]? in
            contents.values[index] = value
            contents.missing -= 1
            return contents.missing == 0 ? contents.values.compactMap(\.self) : nil
        }
        if let all { done(all) }
    }
}
