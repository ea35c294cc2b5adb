public import Identifiers
import Synchronization

/// A log in memory: for tests, and for services whose events need not outlive them.
///
/// A late event or a deletion costs O(the user's events), a new user O(users) at the next ``users(after:limit:)``.
public final class MemoryEventLog: EventLog {
    private let contents = Mutex(MemoryContents())

    /// An empty log.
    public init() {}

    /// Carries out the changes one after the other.
    public func commit(
        _ changes: [LogChange], now: Timestamp
    ) throws(EventLogError) -> [Result<ChangeOutcome, ChangeRefusal>] {
        try contents.withLock { (contents) throws(EventLogError) in
            var results: [Result<ChangeOutcome, ChangeRefusal>] = []
            for change in changes { results.append(try contents.carryOut(change, now: now)) }
            return results
        }
    }

    /// What is known of a user.
    public func user(_ user: RawID) -> UserSummary? {
        withUser(user) {
            UserSummary(
                eventCount: $0.events.count, first: $0.events.first?.order, last: $0.events.last?.order,
                profile: $0.profile)
        }
    }

    /// Up to `limit` events of a user after `after`.
    public func events(of user: RawID, after: EventOrder?, limit: Int) -> [StoredEvent] {
        withUser(user) { Array($0.events(after: after).prefix(limit)) } ?? []
    }

    /// Up to `limit` events of a user before `before`, the last one first.
    public func latestEvents(of user: RawID, before: EventOrder?, limit: Int) -> [StoredEvent] {
        withUser(user) { Array($0.events(before: before).suffix(limit).reversed()) } ?? []
    }

    /// The last event of a user that is meant.
    public func event(of user: RawID, _ selector: EventSelector) -> StoredEvent? {
        withUser(user) { $0.events.last { $0.matches(selector) } } ?? nil
    }

    /// The items of a user's events of some types.
    public func items(of user: RawID, types: Set<RawID>?) -> [(item: RawID, last: Timestamp)] {
        var last: [RawID: Timestamp] = [:]
        withUser(user) {
            for event in $0.events where types?.contains(RawID(event.event.type)) ?? true {
                last[event.event.item] = event.order.time
            }
        }
        return last.map { (item: $0.key, last: $0.value) }
    }

    /// Up to `limit` users after `after`.
    public func users(after: RawID?, limit: Int) -> [(user: RawID, eventCount: Int)] {
        contents.withLock { contents in
            contents.sortedUsers.elements(after: after, limit: limit)
                .map { (user: $0, eventCount: contents.users[$0]?.events.count ?? 0) }
        }
    }

    /// A checkpoint and what comes after it.
    public func history(of user: RawID, model: String, limit: Int) -> UserHistory? {
        contents.withLock { contents in
            contents.users[user].map { user in
                let checkpoint = user.checkpoints[model]
                let events = user.events(after: checkpoint?.last)
                return UserHistory(
                    checkpoint: checkpoint, events: Array(events.prefix(limit)), hasMore: events.count > limit,
                    revision: user.revision, position: contents.nextPosition - 1)
            }
        }
    }

    /// What programs have said about an item.
    public func annotation(of item: RawID) -> ItemAnnotation? { contents.withLock { $0.annotations[item] } }

    /// Up to `limit` annotated items after `after`.
    public func annotations(after: RawID?, limit: Int) -> [(item: RawID, annotation: ItemAnnotation)] {
        contents.withLock { contents in
            contents.annotations.keys.sorted().elements(after: after, limit: limit)
                .compactMap { item in contents.annotations[item].map { (item: item, annotation: $0) } }
        }
    }

    /// A fact that was set.
    public func value(of key: String) -> String? { contents.withLock { $0.settings[key] } }

    /// The number of events.
    public func eventCount() -> Int { contents.withLock { $0.eventCount } }

    /// Nothing: memory keeps no traces that this promises anything about.
    public func purgeDeleted() {}

    @discardableResult
    private func withUser<Value: Sendable>(_ user: RawID, _ body: (MemoryUser) -> Value) -> Value? {
        contents.withLock { $0.users[user].map(body) }
    }
}

extension [RawID] {
    /// Up to `limit` elements of the sorted array after `after`.
    func elements(after: RawID?, limit: Int) -> ArraySlice<RawID> {
        guard let after else { return prefix(limit) }
        return self[partitioningIndex { $0 > after }...].prefix(limit)
    }
}
