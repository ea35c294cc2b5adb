public import Identifiers

/// Where a user's events end.
public struct UserTail: Sendable, Equatable {
    /// The last event; nil where there are none.
    public var last: EventOrder?
    /// The ``UserHistory/revision``.
    public var revision: Int64

    /// Where a user's events end.
    public init(last: EventOrder?, revision: Int64) { (self.last, self.revision) = (last, revision) }
}

/// What a log looks up while it decides about an append.
public protocol AdmissionLookup {
    /// Where the events of a user end; nil where nothing is known of the user.
    func tail(of user: RawID) throws(EventLogError) -> UserTail?
    /// The event of a user with an id; nil where there is none.
    func event(of user: RawID, id: RawID) throws(EventLogError) -> StoredEvent?
}

/// Decides what becomes of an ``LogChange/append(_:replacing:)`` before anything is written, by the rules that all logs have in common: times, ids,
/// positions, revisions. So a refused append leaves no trace.
public struct Admission<Log: AdmissionLookup> {
    private let log: Log
    private let now: Timestamp
    /// The place of the next event that is stored.
    private var position: Int64
    private var tails: [RawID: UserTail] = [:]
    private var events: [UserEvent: StoredEvent] = [:]

    private struct UserEvent: Hashable { let user, id: RawID }

    private init(_ log: Log, now: Timestamp, position: Int64) {
        (self.log, self.now, self.position) = (log, now, position)
    }

    /// What becomes of events if all of them are stored, the first new one at `position`. O(events).
    public static func decide(
        _ events: [NewEvent], now: Timestamp, position: Int64, in log: Log
    ) throws(EventLogError) -> Result<[AppendedEvent], ChangeRefusal> {
        var admission = Admission(log, now: now, position: position)
        var admitted: [AppendedEvent] = []
        admitted.reserveCapacity(events.count)
        for (index, event) in events.enumerated() {
            switch try admission.decide(event, index: index) {
            case .success(let event): admitted.append(event)
            case .failure(let refusal): return .failure(refusal)
            }
        }
        return .success(admitted)
    }

    private mutating func decide(
        _ event: NewEvent, index: Int
    ) throws(EventLogError) -> Result<AppendedEvent, ChangeRefusal> {
        let tail = try tail(of: event.user)
        if let id = event.id, let existing = try self.event(of: event.user, id: id) {
            guard event.isRetry(of: existing.event) else {
                return .failure(.otherContent(index: index, existing: existing))
            }
            return .success(
                AppendedEvent(
                    existing, isDuplicate: true, isLate: false, isFirst: false, revision: tail?.revision ?? position))
        }
        if let time = event.time, time > now.adding(seconds: EventLogRules.secondsAhead) {
            return .failure(.tooFarAhead(index: index, now: now))
        }
        return .success(store(event, after: tail))
    }

    /// The event with its time and place, behind or between those of its user.
    private mutating func store(_ event: NewEvent, after tail: UserTail?) -> AppendedEvent {
        var event = event
        let last = tail?.last
        let time = event.time ?? max(now, last?.time ?? now)
        event.time = time
        let stored = StoredEvent(event, order: EventOrder(time: time, position: position))
        let isLate = last.map { stored.order < $0 } ?? false
        let revision = isLate ? position : tail?.revision ?? position
        tails[event.user] = UserTail(last: isLate ? last : stored.order, revision: revision)
        if let id = event.id { events[UserEvent(user: event.user, id: id)] = stored }
        position += 1
        return AppendedEvent(stored, isDuplicate: false, isLate: isLate, isFirst: last == nil, revision: revision)
    }

    private mutating func tail(of user: RawID) throws(EventLogError) -> UserTail? {
        if let tail = tails[user] { return tail }
        let tail = try log.tail(of: user)
        if let tail { tails[user] = tail }
        return tail
    }

    private func event(of user: RawID, id: RawID) throws(EventLogError) -> StoredEvent? {
        if let event = events[UserEvent(user: user, id: id)] { return event }
        return try log.event(of: user, id: id)
    }
}

extension NewEvent {
    /// Whether this is the stored event sent again: all that it says is the same. Who sends no time accepts the one that it got.
    func isRetry(of stored: NewEvent) -> Bool {
        var same = self
        same.time = time ?? stored.time
        // As texts, é equals e + ́ ; types are compared byte by byte, as identifiers are.
        return same == stored && RawID(type) == RawID(stored.type)
    }
}
