import Events
import Identifiers
import Serving

/// Says which events speak for each recommended item. It takes a hundred times as long as an answer without it, so that it has a thread of its
/// own.
final class Explainer: Sendable {
    private let log: any EventLog
    private let queue = WorkQueue<Call>()
    private static let page = 4096

    /// Something that needs a release's recommender.
    private struct Call: Sendable {
        var release: Release
        var body: @Sendable (Recommender) -> Void
        var drop: @Sendable () -> Void
    }

    init(_ log: any EventLog, in group: ThreadGroup) {
        self.log = log
        group.start("recblr-explain") { [queue] in
            var current: (release: Release, recommender: Recommender)?
            while let call = queue.take(1).first {
                if current?.release !== call.release { current = (call.release, Recommender(call.release.catalogue)) }
                call.body(current!.recommender)
            }
        }
    }

    /// How long the first answer has been waiting.
    var wait: Duration { queue.wait }

    /// Ends the thread after the call that runs now, and drops those that wait.
    func close() { for call in queue.closeAndEmpty() { call.drop() } }

    /// Calls back on the thread of explanations. Where the service ends before, runs `drop` instead, on any thread.
    func run(
        _ release: Release, _ body: @escaping @Sendable (Recommender) -> Void,
        orElse drop: @escaping @Sendable () -> Void = {}
    ) {
        if !queue.add(Call(release: release, body: body, drop: drop)) { drop() }
    }

    /// Adds explanations to a user's answer, which has seen the events up to `last` and was asked for `time`.
    func explaining(
        _ user: RawID, upTo last: EventOrder?, _ time: Timestamp, _ release: Release,
        _ reply: @escaping Reply<Recommendations>
    ) -> Reply<Recommendations> {
        explaining(release, time, reply) { [log] () throws(ServiceError) in
            try withLogErrors { () throws(EventLogError) in try Self.history(of: user, upTo: last, log, release) }
        }
    }

    /// Adds explanations to a session's answer, which was asked for `time`.
    func explaining(
        _ session: SessionState, _ time: Timestamp, _ release: Release, _ reply: @escaping Reply<Recommendations>
    ) -> Reply<Recommendations> {
        explaining(release, time, reply) { () throws(ServiceError) in
            guard session.eventCount == session.events.count else {
                let reason = "a session's answer can be explained up to \(SessionState.maximumEvents) events"
                throw .invalid(field: "explain", reason: reason)
            }
            return session.events.compactMap { event in release.item(event.item).map { ($0, event.time) } }
        }
    }

    private typealias History = [(item: ItemID, time: Timestamp)]

    private func explaining(
        _ release: Release, _ time: Timestamp, _ reply: @escaping Reply<Recommendations>,
        _ history: @escaping @Sendable () throws(ServiceError) -> History
    ) -> Reply<Recommendations> {
        { [self] result in
            guard case .success(let answer) = result, answer.basis == .history else { return reply(result) }
            run(release) { recommender in
                reply(
                    Result { () throws(ServiceError) in
                        try Self.explain(answer, try history(), time, release, recommender)
                    })
            } orElse: {
                reply(.failure(.stopping))
            }
        }
    }

    private static func history(
        of user: RawID, upTo last: EventOrder?, _ log: any EventLog, _ release: Release
    ) throws(EventLogError) -> History {
        var (history, after) = (History(), EventOrder?.none)
        while let last {
            let events = try log.events(of: user, after: after, limit: page)
            for each in events where each.order <= last {
                if let item = release.item(of: each.event) { history.append((item, each.order.time)) }
            }
            guard let end = events.last?.order, end < last, events.count == page else { break }
            after = end
        }
        return history
    }

    private static func explain(
        _ answer: Recommendations, _ history: History, _ time: Timestamp, _ release: Release, _ recommender: Recommender
    ) throws(ServiceError) -> Recommendations {
        var answer = answer
        let items = answer.items.compactMap { release.item($0.item) }
        guard !history.isEmpty, items.count == answer.items.count else { return answer }
        do {
            let explanations = try recommender.explain(
                items, after: history.map(\.item), times: history.map(\.time.nanoseconds), askedAt: time.nanoseconds)
            for (index, explanation) in explanations.enumerated() {
                answer.items[index].explanation = Recommendations.Explanation(
                    terms: explanation.terms.map { term in
                        Recommendations.Explanation.Term(
                            item: release.id(history[term.event].item), time: history[term.event].time,
                            contribution: term.contribution, scoreWithout: term.scoreWithout)
                    }, earlier: explanation.earlier, constant: explanation.constant, repeats: explanation.repeats,
                    transitions: explanation.transitions)
            }
        } catch { throw .model("\(error)") }
        return answer
    }
}

extension Timestamp {
    /// Since 1970; saturates where there are more than 64 bits hold.
    fileprivate var nanoseconds: Int64 {
        let (product, overflow) = microseconds.multipliedReportingOverflow(by: 1000)
        return overflow ? (microseconds < 0 ? .min : .max) : product
    }
}
