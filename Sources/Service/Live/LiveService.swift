public import Events
public import Foundation
public import Identifiers

/// The service behind every interface: it stores events, keeps states, ranks items and releases models.
///
/// Its methods may be called from any task and do no work on the caller's thread.
public final class LiveService: Sendable {
    /// Opens the models of a folder: a folder of versions, or one model. The version that served last serves again, else the newest one.
    public init(models: URL, log: any EventLog, options: LiveOptions) throws(ServiceError) { fatalError() }

    // MARK: Events

    /// Stores events, durably, all or none, and moves their users' states.
    public func append(_ events: [NewEvent]) async throws(ServiceError) -> [EventReceipt] { fatalError() }

    /// Stores events of one user and recommends with them.
    public func append(
        _ events: [NewEvent], of user: RawID, thenRecommend query: RecommendationQuery
    ) async throws(ServiceError) -> (receipts: [EventReceipt], recommendations: Recommendations) { fatalError() }

    /// Up to `limit` events of a user, the last one first, before `before`.
    public func events(
        of user: RawID, before: EventOrder?, limit: Int
    ) async throws(ServiceError) -> [StoredEvent] { fatalError() }
    /// One event of a user.
    public func event(of user: RawID, _ selector: EventSelector) async throws(ServiceError) -> StoredEvent {
        fatalError()
    }
    /// Forgets events of a user. Returns when no reader sees them any more; with `waits`, when no file holds their bytes.
    public func deleteEvents(
        of user: RawID, _ selectors: [EventSelector], waits: Bool
    ) async throws(ServiceError) -> Int { fatalError() }

    // MARK: Users

    /// What is known of a user.
    public func user(_ user: RawID) async throws(ServiceError) -> UserSummary { fatalError() }
    /// Up to `limit` users, by the bytes of their ids.
    public func users(
        after: RawID?, limit: Int
    ) async throws(ServiceError) -> [(user: RawID, eventCount: Int)] { fatalError() }
    /// Notes something about a user, as JSON.
    public func setProfile(_ profile: String?, of user: RawID) async throws(ServiceError) { fatalError() }
    /// Forgets a user. Throws where there is none.
    public func deleteUser(_ user: RawID, waits: Bool) async throws(ServiceError) { fatalError() }

    // MARK: Recommendations

    /// The best next items of a user.
    public func recommend(
        to user: RawID, _ query: RecommendationQuery
    ) async throws(ServiceError) -> Recommendations { fatalError() }
    /// The same for many users, each with a result of its own.
    public func recommend(
        to users: [RawID], _ query: RecommendationQuery
    ) async -> [Result<Recommendations, ServiceError>] { fatalError() }
    /// The best next items of a session, which the service does not keep. `isTruncated` where the state had to be rebuilt from
    /// fewer events than the session had.
    public func recommend(
        session: SessionState, adding events: [SessionState.Event], _ query: RecommendationQuery
    ) async throws(ServiceError) -> (recommendations: Recommendations, session: SessionState, isTruncated: Bool) {
        fatalError()
    }

    // MARK: Items

    /// An item that the model knows or somebody annotated.
    public func item(_ item: RawID) async throws(ServiceError) -> ItemView { fatalError() }
    /// Up to `limit` items after `after`: those of the model, in its order, then annotated ones that it does not know.
    public func items(after: RawID?, limit: Int) async throws(ServiceError) -> [ItemView] { fatalError() }
    /// Up to `limit` items whose title or id contains `text`, upper and lower case alike, the most popular first.
    public func items(matching text: String, limit: Int) async throws(ServiceError) -> [ItemView] { fatalError() }
    /// Says something about items, all or none.
    public func annotate(_ items: [(RawID, ItemAnnotation)]) async throws(ServiceError) { fatalError() }
    /// Hides an item until it is annotated again.
    public func hide(_ item: RawID) async throws(ServiceError) { fatalError() }

    // MARK: Models

    /// The versions in the folder.
    public func versions() async throws(ServiceError) -> [ModelVersion] { fatalError() }
    /// Releases a version; nil: the newest. Returns when it answers.
    @discardableResult
    public func activate(_ version: String?) async throws(ServiceError) -> ModelVersion { fatalError() }

    // MARK: Life

    /// Whether it can answer.
    public var isReady: Bool { fatalError() }
    /// Takes no new requests, finishes those that wait, and returns when all states worth keeping are in the log.
    public func stop() async { fatalError() }
}
