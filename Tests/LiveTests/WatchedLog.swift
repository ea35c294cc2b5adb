import Events
import Identifiers
import Synchronization

/// A log in memory that tells a test of each slice of a history before it is read, and that can fail.
final class WatchedLog: EventLog {
    private let log = MemoryEventLog()
    /// Called on the reading thread with the number of slices so far; the reading goes on when it returns.
    let onSlice: Mutex<(@Sendable (Int) -> Void)?> = Mutex(nil)
    private let slices = Mutex(0)
    /// Errors of the next purges.
    let purgeErrors: Mutex<[EventLogError]> = Mutex([])
    /// Why histories cannot be read; nil: they can.
    let historyError: Mutex<EventLogError?> = Mutex(nil)
    /// Events of others, which come before the next group of events.
    let othersEvents: Mutex<[NewEvent]> = Mutex([])
    /// The number of events of each group that was committed.
    let groups: Mutex<[Int]> = Mutex([])

    /// The number of slices that have been read.
    var sliceCount: Int { slices.withLock { $0 } }

    private func willReadSlice() {
        let count = slices.withLock { count in
            count += 1
            return count
        }
        onSlice.withLock { $0 }?(count)
    }

    func history(of user: RawID, model: String, limit: Int) throws(EventLogError) -> UserHistory? {
        willReadSlice()
        if let error = historyError.withLock({ $0 }) { throw error }
        return log.history(of: user, model: model, limit: limit)
    }

    func events(of user: RawID, after: EventOrder?, limit: Int) -> [StoredEvent] {
        willReadSlice()
        return log.events(of: user, after: after, limit: limit)
    }

    func commit(
        _ changes: [LogChange], now: Timestamp
    ) throws(EventLogError) -> [Result<ChangeOutcome, ChangeRefusal>] {
        let count = changes.reduce(0) { if case .append(let events, _) = $1 { $0 + events.count } else { $0 } }
        groups.withLock { $0.append(count) }
        // A service also commits what is none of its users' business, when it starts, say.
        if count > 0 { try commitOthersEvents(now) }
        return try log.commit(changes, now: now)
    }

    private func commitOthersEvents(_ now: Timestamp) throws(EventLogError) {
        let others = othersEvents.withLock { events in
            defer { events = [] }
            return events
        }
        if !others.isEmpty { _ = try log.commit([.append(others)], now: now) }
    }

    func purgeDeleted() throws(EventLogError) {
        let error = purgeErrors.withLock { $0.isEmpty ? nil : $0.removeFirst() }
        if let error { throw error }
    }

    func user(_ user: RawID) -> UserSummary? { log.user(user) }
    func latestEvents(of user: RawID, before: EventOrder?, limit: Int) -> [StoredEvent] {
        log.latestEvents(of: user, before: before, limit: limit)
    }
    func event(of user: RawID, _ selector: EventSelector) -> StoredEvent? { log.event(of: user, selector) }
    func items(of user: RawID, types: Set<RawID>?) -> [(item: RawID, last: Timestamp)] {
        log.items(of: user, types: types)
    }
    func users(after: RawID?, limit: Int) -> [(user: RawID, eventCount: Int)] { log.users(after: after, limit: limit) }
    func annotation(of item: RawID) -> ItemAnnotation? { log.annotation(of: item) }
    func annotations(after: RawID?, limit: Int) -> [(item: RawID, annotation: ItemAnnotation)] {
        log.annotations(after: after, limit: limit)
    }
    func value(of key: String) -> String? { log.value(of: key) }
    func eventCount() -> Int { log.eventCount() }
}
