public import Events
import Identifiers
public import Testing

/// One promise of ``EventLog``, as a test that any log must pass: `for check in ConformanceCheck.all { try check.run(store) }`.
public struct ConformanceCheck: Sendable, CustomTestStringConvertible {
    /// What is promised.
    public let name: String
    /// Tries it on an empty store. Throws what the log throws.
    public let run: @Sendable (TestStore) throws -> Void

    /// The promise, for test reports.
    public var testDescription: String { name }

    init(_ name: String, _ run: @escaping @Sendable (TestStore) throws -> Void) { (self.name, self.run) = (name, run) }

    /// Everything that a log promises.
    public static let all: [ConformanceCheck] =
        orderChecks + clockChecks + arrayChecks + eventIDChecks + readingChecks + deletionChecks + stateChecks
        + annotationChecks + [randomCheck, concurrencyCheck]
}

/// A store that can be closed and opened again. A log in memory gives the same object each time.
public final class TestStore {
    private let open: () throws -> any EventLog
    private var current: (any EventLog)?

    /// A store that `open` opens, where nothing else uses it.
    public init(open: @escaping () throws -> any EventLog) { self.open = open }

    /// The log, opened where it is not.
    public var log: any EventLog {
        get throws {
            if let current { return current }
            let log = try open()
            current = log
            return log
        }
    }

    /// Closes the log and opens it again.
    public func reopen() throws {
        current = nil
        current = try open()
    }

    /// Carries out one change, at second `now`.
    @discardableResult
    func commit(_ change: LogChange, now: Int64 = 1000) throws -> Result<ChangeOutcome, ChangeRefusal> {
        let results = try log.commit([change], now: .seconds(now))
        #expect(results.count == 1)
        return results[0]
    }

    /// Appends events that must not be refused.
    @discardableResult
    func append(_ events: NewEvent..., now: Int64 = 1000) throws -> [AppendedEvent] {
        try #require(try commit(.append(events), now: now).appended)
    }
}

extension Result where Success == ChangeOutcome, Failure == ChangeRefusal {
    /// The events, where they were appended.
    var appended: [AppendedEvent]? {
        if case .success(.appended(let events)) = self { events } else { nil }
    }

    var refusal: ChangeRefusal? {
        if case .failure(let refusal) = self { refusal } else { nil }
    }
}

extension Timestamp {
    static func seconds(_ seconds: Int64) -> Timestamp { Timestamp(microseconds: seconds * 1_000_000) }
}

/// An event of `user` with `item` at second `at`.
func event(
    _ item: RawID = "a", of user: RawID = "u", at seconds: Int64? = nil, id: RawID? = nil, type: String = "view"
) -> NewEvent {
    NewEvent(user: user, item: item, type: type, time: seconds.map(Timestamp.seconds), id: id)
}

extension EventLog {
    /// All events of a user, in order.
    func all(_ user: RawID = "u") throws(EventLogError) -> [StoredEvent] {
        try events(of: user, after: nil, limit: .max)
    }

    /// The items of all events of a user, in order.
    func items(_ user: RawID = "u") throws(EventLogError) -> [RawID] { try all(user).map(\.event.item) }
}
