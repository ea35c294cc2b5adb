public import ErrorSupport
public import Identifiers

/// A change of the log. Changes are carried out in the order in which they are given.
public enum LogChange: Sendable {
    /// Stores all of these events, or none where one is refused. Events of users that are replaced are forgotten before, as by
    /// ``deleteEvents(user:_:)``, where there are any; where an event is refused, they stay.
    case append([NewEvent], replacing: [RawID: [EventSelector]] = [:])
    /// Forgets a user: events, event ids, profile, checkpoints, and the user's identifier itself.
    case deleteUser(RawID)
    /// Forgets events of a user, as if they had never been, and the checkpoints that have seen one of them. Refused where none is meant. A
    /// user is known as long as there are events or a profile.
    case deleteEvents(user: RawID, [EventSelector])
    /// Notes something about users who may have no events.
    case changeProfiles([ProfileChange])
    /// Says something about items.
    case annotate([AnnotationChange])
    /// Keeps a state. Refused as outdated where the user is not there or has another ``UserHistory/revision``. The checkpoints of one user and
    /// model replace each other.
    case checkpoint(user: RawID, model: String, StateCheckpoint)
    /// Forgets the checkpoints of all models but these.
    case keepCheckpoints(ofModels: [String])
    /// Keeps a small fact, such as the version of the model that serves.
    case set(key: String, value: String)
}

/// Which of a user's events are meant.
public enum EventSelector: Sendable, Hashable {
    /// The one with this ``NewEvent/id``.
    case id(RawID)
    /// The one at this place in the log.
    case position(Int64)
    /// All of an item; of one type where it is given.
    case item(RawID, type: String?)
}

/// A change of what is noted about a user, as JSON.
public struct ProfileChange: Sendable {
    /// The user.
    public var user: RawID
    /// What is noted from now on, made of what was noted until now; nil: nothing. The log calls it where the change has its turn, so that
    /// nothing is lost that others have noted meanwhile.
    public var change: @Sendable (String?) -> String?

    /// A change of what is noted about a user.
    public init(_ user: RawID, _ change: @escaping @Sendable (String?) -> String?) {
        (self.user, self.change) = (user, change)
    }

    /// Notes this and nothing else.
    public init(_ user: RawID, profile: String?) { self.init(user) { _ in profile } }
}

/// A change of what is said about an item.
public struct AnnotationChange: Sendable {
    /// The item.
    public var item: RawID
    /// What is said from now on, made of what was said until now; nil: nothing. The log calls it where the change has its turn, so that nothing is
    /// lost that others have said meanwhile.
    public var change: @Sendable (ItemAnnotation?) -> ItemAnnotation?

    /// A change of what is said about an item.
    public init(_ item: RawID, _ change: @escaping @Sendable (ItemAnnotation?) -> ItemAnnotation?) {
        (self.item, self.change) = (item, change)
    }

    /// Says this and nothing else.
    public init(_ item: RawID, annotation: ItemAnnotation?) { self.init(item) { _ in annotation } }
}

/// An item and what is said about it.
public struct AnnotatedItem: Sendable, Equatable {
    /// The item.
    public var item: RawID
    /// What is said about it; nil: nothing.
    public var annotation: ItemAnnotation?

    /// An item and what is said about it.
    public init(_ item: RawID, _ annotation: ItemAnnotation?) { (self.item, self.annotation) = (item, annotation) }
}

/// What became of one change.
public enum ChangeOutcome: Sendable, Equatable {
    /// The events as they stand in the log, in the order in which they were given.
    case appended([AppendedEvent])
    /// So many events are gone.
    case deleted(Int)
    /// What is said about the items now.
    case annotated([AnnotatedItem])
    /// It is done.
    case done
}

/// One event of an ``LogChange/append(_:replacing:)``.
public struct AppendedEvent: Sendable, Equatable {
    /// The event as it stands in the log.
    public var stored: StoredEvent
    /// Whether it was there before, and nothing was stored. Then it is neither late nor first.
    public var isDuplicate: Bool
    /// Whether events of the user come after it in ``EventOrder``: it was late.
    public var isLate: Bool
    /// Whether it is the user's only event so far: there is no history to read.
    public var isFirst: Bool
    /// The user's ``UserHistory/revision`` after it.
    public var revision: Int64

    /// One event of an append.
    public init(_ stored: StoredEvent, isDuplicate: Bool, isLate: Bool, isFirst: Bool, revision: Int64) {
        (self.stored, self.isDuplicate, self.isLate) = (stored, isDuplicate, isLate)
        (self.isFirst, self.revision) = (isFirst, revision)
    }
}

/// Why one change was refused. The others of its group are not affected.
public enum ChangeRefusal: Error, Equatable, Sendable {
    /// The event at `index` has the id of another one, with other content.
    case otherContent(index: Int, existing: StoredEvent)
    /// The event at `index` is more than ``EventLogRules/secondsAhead`` ahead of the server's clock.
    case tooFarAhead(index: Int, now: Timestamp)
    /// There is no such user, or no such event.
    case notFound
    /// The checkpoint is not of the events as they are now.
    case outdated
}

/// What all logs have in common.
public enum EventLogRules {
    /// How far ahead of the server's clock an event may be: 10 minutes.
    public static let secondsAhead: Int64 = 600
}

/// Why a log cannot do what it was asked for. None of the group's changes is stored then.
public enum EventLogError: UserFacingError, Equatable {
    /// There is no room.
    case full(String)
    /// The disk, or who else holds it, says no.
    case unavailable(String)
    /// What is stored is not what was stored.
    case damaged(String)
    /// Another process uses it.
    case inUse(String)
    /// It is not a log, or one of a version that this program does not know.
    case notALog(String)

    /// One sentence for people.
    public var description: String {
        switch self {
        case .full(let text), .unavailable(let text), .damaged(let text), .inUse(let text), .notALog(let text): text
        }
    }

    /// Bad data where the log is damaged, else what the system refuses.
    public var exitStatus: ExitStatus {
        switch self {
        case .full: .cannotCreate
        case .unavailable: .systemError
        case .damaged, .notALog: .badData
        case .inUse: .unavailable
        }
    }
}

/// What a log holds, to be read: in this process, or beside the one that writes.
public protocol EventReader: Sendable {
    /// What is known of a user; nil where nothing is. O(1).
    func user(_ user: RawID) throws(EventLogError) -> UserSummary?
    /// Up to `limit` events of a user, in order, after `after`. O(log events + result).
    func events(of user: RawID, after: EventOrder?, limit: Int) throws(EventLogError) -> [StoredEvent]
    /// Up to `limit` events of a user, the last one first, before `before`. O(log events + result).
    func latestEvents(of user: RawID, before: EventOrder?, limit: Int) throws(EventLogError) -> [StoredEvent]
    /// The last event of a user that is meant; nil where there is none. O(log events) by id, else O(the user's events).
    func event(of user: RawID, _ selector: EventSelector) throws(EventLogError) -> StoredEvent?
    /// The items of a user's events of some types (nil: of all), each once, with the time of the last such event. In no order.
    func items(of user: RawID, types: Set<RawID>?) throws(EventLogError) -> [(item: RawID, last: Timestamp)]
    /// Up to `limit` users with their numbers of events, by the bytes of their ids, after `after`.
    func users(after: RawID?, limit: Int) throws(EventLogError) -> [(user: RawID, eventCount: Int)]

    /// The checkpoint of a user's state for a model, as its owner names it, and up to `limit` events after it, all of one moment. Nil where
    /// nothing is known of the user. O(log events + limit).
    func history(of user: RawID, model: String, limit: Int) throws(EventLogError) -> UserHistory?
    /// What programs have said about an item; nil where nothing.
    func annotation(of item: RawID) throws(EventLogError) -> ItemAnnotation?
    /// Up to `limit` annotated items, by the bytes of their ids, after `after`.
    func annotations(
        after: RawID?, limit: Int
    ) throws(EventLogError) -> [(item: RawID, annotation: ItemAnnotation)]
    /// A fact that was set.
    func value(of key: String) throws(EventLogError) -> String?
    /// The number of events in the log. O(1).
    func eventCount() throws(EventLogError) -> Int
}

/// An append-only, durable log of events in raw ids: the truth of which all states are caches.
///
/// Changes come from one thread at a time; reads from any thread, and they see nothing that is not durable. A user's events are ordered
/// by ``EventOrder``. The conformance suite in `Tests/EventLogConformance` says in tests what each call promises.
public protocol EventLog: EventReader {
    /// Carries out a group of changes, durably and all at once: after a crash either all that were not refused are there or none. `now` is
    /// the server's clock. O(events).
    ///
    /// An event without a time gets `now`, or the time of the user's last event where that is later (also within one array).
    func commit(
        _ changes: [LogChange], now: Timestamp
    ) throws(EventLogError) -> [Result<ChangeOutcome, ChangeRefusal>]

    /// Makes sure that nothing deleted is left in any file of the log. Throws ``EventLogError/unavailable(_:)`` where somebody reads what is
    /// to go; then it is to be tried again.
    func purgeDeleted() throws(EventLogError)
}
