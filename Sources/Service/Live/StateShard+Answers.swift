import Events
import Identifiers
import Models
import Tensors

/// From a state to a question that can be ranked.
extension StateShard {
    /// Hands a question to the ranking, together with the items that are left out.
    func answer(_ question: Question, _ user: RawID, _ state: UserState, in table: StateTable, _ time: UInt64) {
        var at = question.query.at ?? currentTime()
        if let last = state.last, at < last.time {
            // A clock that is behind the sender's by less than the allowance is no reason to refuse.
            guard question.query.at == nil || question.followsAppend else {
                let reason = "it lies before the user's last event"
                return question.reply(.failure(.invalid(field: "at", reason: reason)))
            }
            at = last.time
        }
        let rule = question.query.excludeSeen
        if rule != .never, state.forgottenCount > 0, state.older == nil {
            return readOlder(WaitingQuestion(question: question, user: user, state: state, table: table, time: time))
        }
        var reply = question.reply
        if question.query.explains {
            let explainer = surroundings.explainer
            reply =
                question.session.map { explainer.explaining($0, at, table.release, reply) }
                ?? explainer.explaining(user, upTo: state.last, at, table.release, reply)
        }
        let job = RankJob(
            release: table.release, hidden: hidden(state, at, table), recent: recentItems(state, table),
            met: met(state, rule, at),
            query: question.query, eventCount: state.eventCount, knownCount: state.knownCount, stepNanoseconds: time,
            reply: reply)
        surroundings.ranking.add(job)
    }

    /// The vector of a state; of a model with time as the state has faded until a request, which changes nothing.
    private func hidden(_ state: UserState, _ at: Timestamp, _ table: StateTable) -> [Float] {
        guard table.release.model.configuration.usesTime, !state.hidden.isEmpty else { return state.hidden }
        do {
            let hidden = try table.encoder.hidden(reading: [state.state], at: [Met.seconds(at)])
            return table.release.model.backend.download(hidden)
        } catch {
            preconditionFailure("a state of this model cannot be read: \(error)")
        }
    }

    private func recentItems(_ state: UserState, _ table: StateTable) -> [ItemID] {
        let recent = state.recent.suffix(max(1, table.release.model.configuration.repeatWindow))
        return recent.map(\.item)
    }

    /// Rows of the items that the query leaves out because the user has met them.
    private func met(_ state: UserState, _ rule: RecommendationQuery.SeenRule, _ at: Timestamp) -> [Int32] {
        switch rule {
        case .never: []
        case .always: state.rows(metSince: .min)
        case .within(let seconds):
            state.rows(metSince: Met.seconds(at.adding(seconds: -seconds)))
        }
    }

    /// Reads the items that the user met before the recent ones, from the log's index.
    private func readOlder(_ waiting: WaitingQuestion) {
        questionCount += 1
        waitingForOlder[questionCount] = waiting
        let (user, release, log) = (waiting.user, waiting.table.release, surroundings.log)
        surroundings.reads.run { [queue, number = questionCount] in
            let result = Result<[Int32: Int64], EventLogError> { () throws(EventLogError) in
                var older: [Int32: Int64] = [:]
                for (item, last) in try log.items(of: user, types: release.eventTypes) {
                    guard let item = release.item(item) else { continue }
                    older[Int32(item.row)] = Met(item, last).seconds
                }
                return older
            }
            // Where the shard has ended, it has told all who waited.
            _ = queue.add(.older(question: number, result.mapError(ServiceError.log)))
        } orElse: { [queue, number = questionCount] in
            _ = queue.add(.older(question: number, .failure(.stopping)))
        }
    }

    /// Goes on with a question that needed older items. Its state answers, also where another has taken its place: it was right when the
    /// question was asked, and whoever asks all the time is never put off.
    func receive(_ result: Result<[Int32: Int64], ServiceError>, forQuestion number: Int) {
        guard let waiting = waitingForOlder.removeValue(forKey: number) else { return }
        switch result {
        case .failure(let error): waiting.question.reply(.failure(error))
        case .success(let older):
            let (state, table) = (waiting.state, waiting.table)
            if state.older == nil { state.older = older }
            table.count(state)
            answer(waiting.question, waiting.user, state, in: table, waiting.time)
        }
    }

    // MARK: Sessions

    /// Moves a session's state, which came with the request and leaves with the answer.
    func handle(_ job: SessionJob) {
        let (release, table) = (current.release, current)
        var session = job.session
        let (state, isTruncated) = resume(session)
        var known: [Met] = []
        let events = (state.hidden.isEmpty && state.knownCount == 0 ? session.events : []) + job.added
        for (number, event) in events.enumerated() {
            let item = release.item(event.item)
            state.note(EventOrder(time: event.time, position: Int64(number)), item: item)
            if let item { known.append(Met(item, event.time)) }
        }
        session.events = (session.events + job.added).suffix(SessionState.maximumEvents)
        session.eventCount += job.added.count
        session.modelIdentity = release.identity
        advance(state, by: known, in: table) { [self, session] time in
            var session = session
            session.state = state.state.values + state.hidden
            let answered = session
            let finish: Reply<Recommendations> = { result in
                job.reply(
                    result.map { recommendations in
                        var recommendations = recommendations
                        recommendations.eventCount = answered.eventCount
                        return SessionAnswer(
                            recommendations: recommendations, session: answered, isTruncated: isTruncated)
                    })
            }
            var question = Question(query: job.query, reply: finish)
            question.session = answered
            answer(question, state.user, state, in: table, time)
        }
    }

    /// The session's state where it is of the model that answers, else a fresh one.
    private func resume(_ session: SessionState) -> (UserState, isTruncated: Bool) {
        let (model, release) = (current.release.model, current.release)
        let fresh = UserState("", current.initialState, revision: 0)
        fresh.older = [:]  // there is no log to ask
        let size = model.configuration.stateSize
        guard session.modelIdentity == release.identity, session.state.count == size + model.configuration.hiddenSize,
            session.state.allSatisfy(\.isFinite),
            let state = RecurrentState(values: Array(session.state.prefix(size)), for: model.configuration)
        else { return (fresh, session.eventCount > session.events.count) }
        for (number, event) in session.events.enumerated() {
            fresh.note(EventOrder(time: event.time, position: Int64(number)), item: release.item(event.item))
        }
        fresh.put(state, hidden: session.state.dropFirst(size))
        return (fresh, false)
    }
}

/// A question that waits for items which its user met before the recent ones.
struct WaitingQuestion {
    let question: Question
    let user: RawID
    let state: UserState
    let table: StateTable
    /// Nanoseconds that the state's last pass took.
    let time: UInt64
}
