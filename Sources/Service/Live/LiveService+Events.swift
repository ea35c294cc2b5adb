import CoreMetrics
public import Events
public import Identifiers
import Synchronization

/// Events and users.
extension LiveService {
    /// Stores events, durably, all or none, and moves their users' states. The receipts come in the order of the events. Events that are
    /// replaced are forgotten, unless the new ones are refused.
    public func append(
        _ events: [NewEvent], replacing replaced: [RawID: [EventSelector]] = [:]
    ) async throws(ServiceError) -> [EventReceipt] {
        let deadline = try admit(writer.wait, longestShardWait)
        return try await reply { done in
            commit(events, replacing: replaced, deadline) { [self] result in
                if case .success(let appended) = result { deliver(appended) }
                // Only now, so that the client's next request finds the events in front of it.
                done(result.map(receipts))
            }
        }
    }

    /// Stores events of one user and recommends with them. What fails when the events are stored is the recommendations' failure only.
    public func append(
        _ events: [NewEvent], of user: RawID, thenRecommend query: RecommendationQuery
    ) async throws(ServiceError) -> (receipts: [EventReceipt], recommendations: Result<Recommendations, ServiceError>) {
        try check(query)
        if query.at != nil { try await checkTime(of: query, user, events) }
        let deadline = try admit(writer.wait, shard(of: user).queue.wait, ranking.wait, explainerWait(query))
        return try await reply { done in
            commit(events, deadline) { [self] result in
                switch result {
                case .failure(let error): done(.failure(error))
                case .success(let appended):
                    let receipts = receipts(appended)
                    var question = Question(query: query) { done(.success((receipts, $0))) }
                    question.followsAppend = true
                    deliver(UserJob(user: user, kind: .events(appended), question: question))
                }
            }
        }
    }

    /// The time of the request must not lie before the user's events, which is found out before anything is stored.
    private func checkTime(
        of query: RecommendationQuery, _ user: RawID, _ events: [NewEvent]
    ) async throws(ServiceError) {
        let log = log
        let last = try await read { () throws(EventLogError) in try log.user(user)?.last?.time }
        let now = currentTime()
        let times = events.map { $0.time ?? now } + (last.map { [$0] } ?? [])
        guard let latest = times.max(), let at = query.at, at < latest else { return }
        throw .invalid(field: "at", reason: "it lies before the user's last event")
    }

    /// Commits events. Completions come on the writer's thread, in the order of the log.
    private func commit(
        _ events: [NewEvent], replacing replaced: [RawID: [EventSelector]] = [:], _ deadline: ContinuousClock.Instant,
        _ done: @escaping Reply<[AppendedEvent]>
    ) {
        writer.add(.append(events, replacing: replaced), deadline: deadline) { [self] result in
            if case .success = result { for user in replaced.keys { _ = shard(of: user).queue.add(.deleted(user)) } }
            done(result.map { if case .appended(let events) = $0 { events } else { [] } })
        }
    }

    /// Hands events to the shards of their users.
    private func deliver(_ events: [AppendedEvent]) {
        for (user, events) in byUser(events) { deliver(UserJob(user: user, kind: .events(events), question: nil)) }
    }

    private func deliver(_ job: UserJob) {
        if !shard(of: job.user).queue.add(.user(job)) { job.question?.reply(.failure(.stopping)) }
    }

    private func byUser(_ events: [AppendedEvent]) -> [(RawID, [AppendedEvent])] {
        guard let first = events.first?.stored.event.user else { return [] }
        if events.allSatisfy({ $0.stored.event.user == first }) { return [(first, events)] }
        return Dictionary(grouping: events) { $0.stored.event.user }.map { ($0, $1) }
    }

    private func receipts(_ events: [AppendedEvent]) -> [EventReceipt] {
        let release = release
        return events.map { event in
            let stored = event.stored
            let isKnown = release.item(of: stored.event) != nil
            count(event, isKnown: isKnown)
            return EventReceipt(stored: stored, isDuplicate: event.isDuplicate, isKnown: isKnown)
        }
    }

    private func count(_ event: AppendedEvent, isKnown: Bool) {
        if event.isDuplicate { return LiveMetrics.duplicates.increment() }
        LiveMetrics.events.increment()
        if !isKnown { LiveMetrics.unknownEvents.increment() }
        if event.isLate { LiveMetrics.lateEvents.increment() }
        if let name = event.stored.event.recommendation {
            let version = RecommendationName.version(of: name)
            LiveMetrics.attributed(version.flatMap { knownVersion($0) } ?? "unknown").increment()
        }
    }

    /// Only versions that this service has seen become labels of metrics.
    private func knownVersion(_ version: String) -> String? {
        releases.withLock { $0.active.version == version || $0.previous?.version == version } ? version : nil
    }

    /// Up to `limit` events of a user, in order, after `after`.
    public func events(of user: RawID, after: EventOrder?, limit: Int) async throws(ServiceError) -> [StoredEvent] {
        let log = log
        return try await read { () throws(EventLogError) in try log.events(of: user, after: after, limit: limit) }
    }

    /// Up to `limit` events of a user, the last one first, before `before`.
    public func events(
        of user: RawID, before: EventOrder?, limit: Int
    ) async throws(ServiceError) -> [StoredEvent] {
        let log = log
        return try await read { () throws(EventLogError) in
            try log.latestEvents(of: user, before: before, limit: limit)
        }
    }

    /// One event of a user.
    public func event(of user: RawID, _ selector: EventSelector) async throws(ServiceError) -> StoredEvent {
        let log = log
        let event = try await read { () throws(EventLogError) in try log.event(of: user, selector) }
        guard let event else { throw .notFound("such event") }
        return event
    }

    /// Forgets events of a user, as if they had never been; returns their number. Returns when no reader sees them any more; with `waits`, when
    /// no file holds their bytes.
    public func deleteEvents(
        of user: RawID, _ selectors: [EventSelector], waits: Bool
    ) async throws(ServiceError) -> Int {
        guard case .deleted(let count) = try await change(.deleteEvents(user: user, selectors), of: user, "such event")
        else { return 0 }
        if waits { try await purge() }
        return count
    }

    // MARK: Users

    /// What is known of a user.
    public func user(_ user: RawID) async throws(ServiceError) -> UserSummary {
        let log = log
        guard let summary = try await read({ () throws(EventLogError) in try log.user(user) }) else {
            throw .notFound("such user")
        }
        return summary
    }

    /// Up to `limit` users, by the bytes of their ids.
    public func users(
        after: RawID?, limit: Int
    ) async throws(ServiceError) -> [(user: RawID, eventCount: Int)] {
        let log = log
        return try await read { () throws(EventLogError) in try log.users(after: after, limit: limit) }
    }

    /// Notes something about users, about all or none.
    public func changeProfiles(_ changes: [ProfileChange]) async throws(ServiceError) {
        let deadline = try admit(writer.wait)
        let _: ChangeOutcome = try await reply { done in
            writer.add(.changeProfiles(changes), deadline: deadline, done)
        }
    }

    /// Forgets a user. Throws where there is none.
    public func deleteUser(_ user: RawID, waits: Bool) async throws(ServiceError) {
        _ = try await change(.deleteUser(user), of: user, "such user")
        if waits { try await purge() }
    }

    /// A change of what was there of a user; `what` says what may not be there.
    private func change(_ change: LogChange, of user: RawID, _ what: String) async throws(ServiceError) -> ChangeOutcome
    {
        let deadline = try admit(writer.wait)
        do {
            return try await reply { done in
                writer.add(change, deadline: deadline) { [self] result in
                    if case .success = result { _ = shard(of: user).queue.add(.deleted(user)) }
                    done(result)
                }
            }
        } catch .refused(.notFound) { throw .notFound(what) }
    }

    private func purge() async throws(ServiceError) {
        try await reply { (done: @escaping Reply<Void>) in writer.purge(done) }
    }

    /// Reads the log on a thread that may block.
    func read<Value: Sendable>(
        _ body: @escaping @Sendable () throws(EventLogError) -> Value
    ) async throws(ServiceError) -> Value {
        try await call(on: reads, body)
    }

    /// Makes a call on one of some threads.
    func call<Value: Sendable>(
        on calls: BlockingCalls, _ body: @escaping @Sendable () throws(EventLogError) -> Value
    ) async throws(ServiceError) -> Value {
        _ = try admit(calls.wait)
        return try await reply { done in
            calls.run {
                done(Result(catching: body).mapError(ServiceError.log))
            } orElse: {
                done(.failure(.stopping))
            }
        }
    }
}
