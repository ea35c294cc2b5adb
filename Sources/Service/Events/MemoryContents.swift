import Identifiers

/// What a ``MemoryEventLog`` holds.
struct MemoryContents {
    var users: [RawID: MemoryUser] = [:]
    var annotations: [RawID: ItemAnnotation] = [:]
    var settings: [String: String] = [:]
    var eventCount = 0
    /// The place of the next event or deletion.
    private(set) var nextPosition: Int64 = 1
    private var usersByID: [RawID]?

    /// The users by the bytes of their ids. O(1) where no user has come or gone since.
    var sortedUsers: [RawID] {
        mutating get {
            let sorted = usersByID ?? users.keys.sorted()
            usersByID = sorted
            return sorted
        }
    }

    mutating func carryOut(
        _ change: LogChange, now: Timestamp
    ) throws(EventLogError) -> Result<ChangeOutcome, ChangeRefusal> {
        switch change {
        case .append(let events, let replaced): return try append(events, replacing: replaced, now: now)
        case .deleteUser(let user): return deleteUser(user)
        case .deleteEvents(let user, let selectors): return deleteEvents(of: user, selectors)
        case .changeProfiles(let changes): for change in changes { carryOut(change) }
        case .annotate(let changes): return .success(.annotated(changes.map { annotate($0) }))
        case .checkpoint(let user, let model, let checkpoint):
            guard users[user]?.revision == checkpoint.revision else { return .failure(.outdated) }
            users[user]?.checkpoints[model] = checkpoint
        case .keepCheckpoints(let models):
            for user in users.keys { users[user]?.keepCheckpoints(ofModels: models) }
        case .set(let key, let value): settings[key] = value
        }
        return .success(.done)
    }

    private mutating func append(
        _ events: [NewEvent], replacing replaced: [RawID: [EventSelector]], now: Timestamp
    ) throws(EventLogError) -> Result<ChangeOutcome, ChangeRefusal> {
        let (count, position, sorted) = (eventCount, nextPosition, usersByID)
        let before = replaced.keys.map { (user: $0, contents: users[$0]) }
        for (user, selectors) in replaced { _ = deleteEvents(of: user, selectors) }
        switch try Admission.decide(events, now: now, position: nextPosition, in: self) {
        case .success(let admitted):
            for event in admitted where !event.isDuplicate { insert(event) }
            return .success(.appended(admitted))
        case .failure(let refusal):
            for (user, contents) in before { users[user] = contents }
            (eventCount, nextPosition, usersByID) = (count, position, sorted)
            return .failure(refusal)
        }
    }

    private mutating func insert(_ event: AppendedEvent) {
        let user = event.stored.event.user
        if users[user] == nil { usersByID = nil }
        users[user, default: MemoryUser(revision: event.revision)].insert(event)
        eventCount += 1
        nextPosition = event.stored.order.position + 1
    }

    private mutating func deleteUser(_ user: RawID) -> Result<ChangeOutcome, ChangeRefusal> {
        guard let old = users.removeValue(forKey: user) else { return .failure(.notFound) }
        usersByID = nil
        eventCount -= old.events.count
        return .success(.deleted(old.events.count))
    }

    private mutating func deleteEvents(
        of user: RawID, _ selectors: [EventSelector]
    ) -> Result<ChangeOutcome, ChangeRefusal> {
        let count = users[user]?.deleteEvents(selectors, revision: nextPosition) ?? 0
        guard count > 0 else { return .failure(.notFound) }
        nextPosition += 1
        eventCount -= count
        forgetIfEmpty(user)
        return .success(.deleted(count))
    }

    private mutating func annotate(_ change: AnnotationChange) -> AnnotatedItem {
        let annotation = change.change(annotations[change.item])
        annotations[change.item] = annotation
        return AnnotatedItem(change.item, annotation)
    }

    private mutating func carryOut(_ change: ProfileChange) {
        let user = change.user
        let profile = change.change(users[user]?.profile)
        if users[user] == nil, profile != nil {
            users[user] = MemoryUser(revision: nextPosition)
            usersByID = nil
            nextPosition += 1
        }
        users[user]?.profile = profile
        forgetIfEmpty(user)
    }

    /// Forgets a user of whom nothing is known.
    private mutating func forgetIfEmpty(_ user: RawID) {
        guard let known = users[user], known.events.isEmpty, known.profile == nil else { return }
        users[user] = nil
        usersByID = nil
    }
}

extension MemoryContents: AdmissionLookup {
    func tail(of user: RawID) -> UserTail? {
        users[user].map { UserTail(last: $0.events.last?.order, revision: $0.revision) }
    }

    func event(of user: RawID, id: RawID) -> StoredEvent? {
        guard let known = users[user], let order = known.ids[id] else { return nil }
        return known.events(after: order, included: true).first
    }
}

/// What a ``MemoryEventLog`` holds of one user.
struct MemoryUser {
    /// In order.
    private(set) var events: [StoredEvent] = []
    private(set) var ids: [RawID: EventOrder] = [:]
    var profile: String?
    var checkpoints: [String: StateCheckpoint] = [:]
    private(set) var revision: Int64

    init(revision: Int64) { self.revision = revision }

    mutating func insert(_ event: AppendedEvent) {
        let order = event.stored.order
        events.insert(event.stored, at: events.partitioningIndex { $0.order > order })
        if let id = event.stored.event.id { ids[id] = order }
        if event.isLate { checkpoints = checkpoints.filter { $0.value.last < order } }
        revision = event.revision
    }

    mutating func keepCheckpoints(ofModels models: [String]) {
        checkpoints = checkpoints.filter { models.contains($0.key) }
    }

    /// Returns the number of events that are gone; the new revision counts where there are any.
    mutating func deleteEvents(_ selectors: [EventSelector], revision: Int64) -> Int {
        let gone = events.filter { event in selectors.contains { event.matches($0) } }
        guard let first = gone.first else { return 0 }
        events.removeAll { event in selectors.contains { event.matches($0) } }
        for event in gone { if let id = event.event.id { ids[id] = nil } }
        checkpoints = checkpoints.filter { $0.value.last < first.order }
        self.revision = revision
        return gone.count
    }

    func events(after: EventOrder?, included: Bool = false) -> ArraySlice<StoredEvent> {
        guard let after else { return events[...] }
        return events[events.partitioningIndex { included ? $0.order >= after : $0.order > after }...]
    }

    func events(before: EventOrder?) -> ArraySlice<StoredEvent> {
        guard let before else { return events[...] }
        return events[..<events.partitioningIndex { $0.order >= before }]
    }
}

extension StoredEvent {
    /// Whether the event is meant.
    func matches(_ selector: EventSelector) -> Bool {
        switch selector {
        case .id(let id): event.id == id
        case .position(let position): order.position == position
        case .item(let item, let type): event.item == item && (type.map { RawID($0) == RawID(event.type) } ?? true)
        }
    }
}
