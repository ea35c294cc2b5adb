import Events
import Identifiers
import Models

/// Something that a shard does for one user.
struct UserJob: Sendable {
    enum Kind: Sendable {
        /// Moves the state by these events, which are in the log.
        case events([AppendedEvent])
        /// Only answers.
        case read
    }

    var user: RawID
    var kind: Kind
    /// What is asked, and where the answer goes; nil where nothing is asked.
    var question: Question?
}

/// A query of somebody who waits.
struct Question: Sendable {
    var query: RecommendationQuery
    var reply: Reply<Recommendations>
    /// The session that it is about, whose events an explanation needs; nil for a user of the log.
    var session: SessionState?
    /// Whether events were stored for it. Then a time before the user's last event is no reason to refuse: the last event's counts.
    var followsAppend = false

    init(query: RecommendationQuery, reply: @escaping Reply<Recommendations>) {
        (self.query, self.reply) = (query, reply)
    }
}

/// A question about a session that the service does not keep.
struct SessionJob: Sendable {
    var session: SessionState
    var added: [SessionState.Event]
    var query: RecommendationQuery
    var reply: Reply<SessionAnswer>
}

/// The answer to a session.
struct SessionAnswer: Sendable {
    var recommendations: Recommendations
    var session: SessionState
    var isTruncated: Bool
}

/// Events of a user that were read from the log, as a release sees them.
struct HistorySlice: Sendable {
    struct Event: Sendable {
        var order: EventOrder
        /// Nil where it does not move the state.
        var item: ItemID?
        /// The item and its time.
        var met: Met? { item.map { Met($0, order.time) } }
    }
    var checkpoint: StateCheckpoint?
    var events: [Event]
    var hasMore: Bool
    /// The ``UserHistory/revision`` and ``UserHistory/position`` of the first slice; nil in those that follow.
    var moment: (revision: Int64, position: Int64)?
}

/// What a shard's thread takes from its queue.
enum ShardJob: Sendable {
    case user(UserJob)
    case session(SessionJob)
    /// Something of a user has been deleted.
    case deleted(RawID)
    /// A slice of a history that the table of this number asked for; nil: nothing is known of the user.
    case slice(RawID, table: Int, Result<HistorySlice?, ServiceError>)
    /// Rows of the items that a user has met, with their last times, for the question of this number that waits for them.
    case older(question: Int, Result<[Int32: Int64], ServiceError>)
    /// Makes live states and those of `users` ready for a release, beside the one that answers.
    case prepare(Release, users: [RawID], done: Reply<Void>)
    /// The prepared release answers from now on.
    case release
    /// The prepared release does not come.
    case abandon
    /// Writes checkpoints of all states that are worth it; calls back when they are on their way to the log.
    case checkpointAll(done: @Sendable () -> Void)
}
