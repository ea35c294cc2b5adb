public import Events
public import Identifiers

/// Which items may be recommended, and how many.
public struct RecommendationQuery: Sendable, Equatable {
    /// What happens to items that the user has met before.
    public enum SeenRule: Sendable, Equatable {
        /// They are left out.
        case always
        /// They stay.
        case never
        /// They are left out where it was less than so many seconds before ``RecommendationQuery/at``.
        case within(seconds: Int64)
    }

    /// How many items.
    public var count = 10
    /// What happens to items that the user has met before.
    public var excludeSeen = SeenRule.always
    /// Items that are not recommended.
    public var excluded: [RawID] = []
    /// Items that may be recommended; nil: all.
    public var only: [RawID]?
    /// Items of at least one of these categories may be recommended; nil: all.
    public var categories: [String]?
    /// The time of the request; nil: now.
    public var at: Timestamp?
    /// Whether to say which events speak for each item; for up to ``maximumExplained`` items.
    public var explains = false
    /// The most items of one query that are explained.
    public static let maximumExplained = 50

    /// The ten best of all items that the user has not met.
    public init() {}
}

/// The answer to a ``RecommendationQuery``.
public struct Recommendations: Sendable, Equatable {
    /// What an answer is based on.
    public enum Basis: String, Sendable, Codable, CaseIterable {
        /// The user's events.
        case history
        /// The popularity of the items, since there are no events that the model knows.
        case popularity
        /// Nothing: there are no events and the popularity is not known.
        case none
    }

    /// One recommended item.
    public struct Item: Sendable, Equatable {
        /// The item.
        public var item: RawID
        /// Its title, where it has one.
        public var title: String?
        /// The model's logit; for popular items the number of training events.
        public var score: Float
        /// What speaks for it; nil unless asked for.
        public var explanation: Explanation?
    }

    /// Why an item has its score: terms that add up to it.
    public struct Explanation: Sendable, Equatable {
        /// One event's contribution.
        public struct Term: Sendable, Equatable {
            /// The event's item.
            public var item: RawID
            /// When the event happened.
            public var time: Timestamp
            /// What it adds to the score, with all gates, activations and deviations as they are.
            public var contribution: Double
            /// The score without this event; for the largest contributions only.
            public var scoreWithout: Double?
        }
        /// The latest events, the last one first.
        public var terms: [Term]
        /// What all earlier events add, as one term.
        public var earlier: Double
        /// What biases, shifts and the first state add, with the gates of this history.
        public var constant: Double
        /// What the repeat-aware head adds.
        public var repeats: Double
        /// What the transition head adds.
        public var transitions: Double
    }

    /// The model that answered.
    public var modelVersion: String
    /// The name of this answer, which events may cite.
    public var id: RawID
    /// What it is based on.
    public var basis: Basis
    /// The items, best first.
    public var items: [Item]
    /// The number of events that the answer knows of, and how many of them the model knows.
    public var eventCount, knownCount: Int
    /// The time spent on the user's state and on ranking, in nanoseconds.
    public var stepNanoseconds, rankNanoseconds: UInt64
}

/// What became of an event.
public struct EventReceipt: Sendable, Equatable {
    /// The event as it stands in the log.
    public var stored: StoredEvent
    /// Whether it was there before.
    public var isDuplicate: Bool
    /// Whether the model that serves knows the item, and the event moves the state.
    public var isKnown: Bool
}

/// What a session without a user holds: the state of the model after its events, and the events themselves.
public struct SessionState: Sendable, Equatable {
    /// One event of the session.
    public struct Event: Sendable, Equatable {
        /// What.
        public var item: RawID
        /// When.
        public var time: Timestamp

        /// One event.
        public init(item: RawID, time: Timestamp) { (self.item, self.time) = (item, time) }
    }

    /// The most events that a session keeps.
    public static let maximumEvents = 1024

    /// The identity of the model whose state this is.
    public var modelIdentity: String
    /// The state's floats; empty where there is none yet.
    public var state: [Float]
    /// The latest events, oldest first.
    public var events: [Event]
    /// The number of events of the session, those that it no longer keeps included.
    public var eventCount: Int

    /// A session in this state.
    public init(modelIdentity: String, state: [Float], events: [Event], eventCount: Int) {
        (self.modelIdentity, self.state, self.events, self.eventCount) = (modelIdentity, state, events, eventCount)
    }

    /// A session without events.
    public static let empty = SessionState(modelIdentity: "", state: [], events: [], eventCount: 0)
}

/// A version of the model and what the service does with it.
public struct ModelVersion: Sendable, Equatable {
    /// What happens to a version.
    public enum Status: String, Sendable, Codable {
        /// It answers.
        case active
        /// It answered before; its checkpoints are kept.
        case previous
        /// It is being made ready.
        case loading
        /// It lies in the folder.
        case available
    }
    /// The name of its folder.
    public var name: String
    /// What happens to it.
    public var status: Status
    /// The number of items that it knows, where it has been opened.
    public var itemCount: Int?
    /// A short description of the model: mixer, sizes.
    public var summary: String?
    /// Why it could not be activated, where it was tried.
    public var failure: String?
}

/// An item as the service shows it.
public struct ItemView: Sendable, Equatable {
    /// The item.
    public var item: RawID
    /// What programs have said about it; nil where nothing.
    public var annotation: ItemAnnotation?
    /// Its title: the annotation's, else the model's.
    public var title: String?
    /// Whether the active model knows it.
    public var isKnown: Bool
}
