public import Identifiers

/// A moment in microseconds since 1970 (UTC).
public struct Timestamp: Hashable, Comparable, Sendable {
    /// Microseconds since 1970.
    public var microseconds: Int64

    /// The moment so many microseconds after the beginning of 1970.
    public init(microseconds: Int64) { self.microseconds = microseconds }

    /// The earlier one first.
    public static func < (a: Timestamp, b: Timestamp) -> Bool { a.microseconds < b.microseconds }

    /// The moment so many seconds later. Saturates instead of overflowing.
    public func adding(seconds: Int64) -> Timestamp {
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000)
        let (sum, overflowed) = microseconds.addingReportingOverflow(overflow ? 0 : product)
        guard overflow || overflowed else { return Timestamp(microseconds: sum) }
        return Timestamp(microseconds: seconds < 0 ? .min : .max)
    }
}

/// An event as a program sends it: who did what, when.
public struct NewEvent: Sendable, Equatable {
    /// Who.
    public var user: RawID
    /// What. The log takes items that no model knows.
    public var item: RawID
    /// The kind of the event: "view", "buy" …
    public var type: String
    /// When; nil: when it arrives, by the server's clock, but never before the user's last event.
    public var time: Timestamp?
    /// A number that comes with it: a rating, a price. Models do not use it.
    public var value: Double?
    /// The sender's identifier of the event, unique per user: who sends it again gets the event that is there.
    public var id: RawID?
    /// The recommendation that led to it.
    public var recommendation: RawID?

    /// An event.
    public init(
        user: RawID, item: RawID, type: String = NewEvent.defaultType, time: Timestamp? = nil, value: Double? = nil,
        id: RawID? = nil, recommendation: RawID? = nil
    ) {
        (self.user, self.item, self.type, self.time) = (user, item, type, time)
        (self.value, self.id, self.recommendation) = (value, id, recommendation)
    }

    /// The type of events that have none.
    public static let defaultType = "event"
}

/// The place of an event among those of its user: by time, and at equal times in the order of arrival.
public struct EventOrder: Hashable, Comparable, Sendable {
    /// When it happened.
    public var time: Timestamp
    /// Its place in the log: larger for events that were stored later, unique in the whole log.
    public var position: Int64

    /// The place of the event that was stored at `position`.
    public init(time: Timestamp, position: Int64) { (self.time, self.position) = (time, position) }

    /// The earlier one first.
    public static func < (a: EventOrder, b: EventOrder) -> Bool { (a.time, a.position) < (b.time, b.position) }
}

/// An event in the log.
public struct StoredEvent: Sendable, Equatable {
    /// The event, with its ``NewEvent/time``.
    public var event: NewEvent
    /// Its place among its user's events.
    public var order: EventOrder

    /// An event in the log.
    public init(_ event: NewEvent, order: EventOrder) { (self.event, self.order) = (event, order) }
}

/// What the log knows of one user.
public struct UserSummary: Sendable, Equatable {
    /// The number of the user's events.
    public var eventCount: Int
    /// The first and the last event; nil where there are none.
    public var first, last: EventOrder?
    /// What programs have noted about the user, as JSON; nil where nothing.
    public var profile: String?

    /// What the log knows of one user.
    public init(eventCount: Int, first: EventOrder?, last: EventOrder?, profile: String?) {
        (self.eventCount, self.first, self.last, self.profile) = (eventCount, first, last, profile)
    }
}

/// What programs have said about an item. It is no part of the model.
public struct ItemAnnotation: Sendable, Equatable {
    /// For people; nil: the model's title.
    public var title: String?
    /// For filters.
    public var categories: [String]
    /// Whether the item is never recommended.
    public var isHidden: Bool
    /// When it appeared, as far as is known.
    public var time: Timestamp?
    /// Anything else, as JSON: kept, not used.
    public var labels: String?
    /// A remark, kept, not used.
    public var comment: String?

    /// What programs have said about an item.
    public init(
        title: String? = nil, categories: [String] = [], isHidden: Bool = false, time: Timestamp? = nil,
        labels: String? = nil, comment: String? = nil
    ) {
        (self.title, self.categories, self.isHidden, self.time) = (title, categories, isHidden, time)
        (self.labels, self.comment) = (labels, comment)
    }
}

/// The state of a user after some of the events, kept so that a rebuild need not begin at the first.
public struct StateCheckpoint: Sendable, Equatable {
    /// The last event that the state has seen.
    public var last: EventOrder
    /// The number of the user's events up to it.
    public var eventCount: Int
    /// The ``UserHistory/revision`` of the events that the state has seen.
    public var revision: Int64
    /// The state, as the model's owner writes it.
    public var state: [UInt8]

    /// A state after the event `last`.
    public init(last: EventOrder, eventCount: Int, revision: Int64, state: [UInt8]) {
        (self.last, self.eventCount, self.revision, self.state) = (last, eventCount, revision, state)
    }
}

/// What a state is rebuilt from, all of one moment of the log.
public struct UserHistory: Sendable, Equatable {
    /// Where to begin; nil: before the first event.
    public var checkpoint: StateCheckpoint?
    /// The first events after it, in order.
    public var events: [StoredEvent]
    /// Whether there are more.
    public var hasMore: Bool
    /// Changes whenever what was there before changes: where the user first appears, when an event comes late, when something is deleted.
    /// Events after the last one leave it alone. No two moments of the log at which it changed have the same one.
    public var revision: Int64
    /// The last place of the log at this moment: events that come later have larger ``EventOrder/position``s.
    public var position: Int64

    /// What a state is rebuilt from.
    public init(checkpoint: StateCheckpoint?, events: [StoredEvent], hasMore: Bool, revision: Int64, position: Int64) {
        (self.checkpoint, self.events, self.hasMore) = (checkpoint, events, hasMore)
        (self.revision, self.position) = (revision, position)
    }
}
