import Events
import Identifiers

/// A log so simple that it is obviously right: a list of events, searched from end to end.
struct Oracle {
    var stored: [StoredEvent] = []
    var profiles: [RawID: String] = [:]
    var annotations: [RawID: ItemAnnotation] = [:]
    var settings: [String: String] = [:]
    var checkpoints: [(user: RawID, model: String, checkpoint: StateCheckpoint)] = []

    func events(of user: RawID) -> [StoredEvent] {
        stored.filter { $0.event.user == user }.sorted { $0.order < $1.order }
    }

    var users: [RawID] { Set(stored.map(\.event.user)).union(profiles.keys).sorted() }

    /// Carries out a change that a log has answered. Positions and revisions are the log's own choice; all else must be what this returns.
    mutating func carryOut(
        _ change: LogChange, now: Timestamp, revision: (RawID) -> Int64?, positions: [Int64]
    ) -> Result<ChangeOutcome, ChangeRefusal> {
        switch change {
        case .append(let events, let replaced):
            let before = (stored, checkpoints)
            for (user, selectors) in replaced { _ = deleteEvents(of: user, selectors) }
            let result = append(events, now: now, positions: positions)
            if case .failure = result { (stored, checkpoints) = before }
            return result
        case .deleteUser(let user):
            guard users.contains(user) else { return .failure(.notFound) }
            let count = events(of: user).count
            stored.removeAll { $0.event.user == user }
            profiles[user] = nil
            checkpoints.removeAll { $0.user == user }
            return .success(.deleted(count))
        case .deleteEvents(let user, let selectors): return deleteEvents(of: user, selectors)
        case .checkpoint(let user, let model, let checkpoint):
            guard revision(user) == checkpoint.revision else { return .failure(.outdated) }
            checkpoints.removeAll { $0.user == user && $0.model == model }
            checkpoints.append((user, model, checkpoint))
        case .changeProfiles(let changes):
            for each in changes { profiles[each.user] = each.change(profiles[each.user]) }
        case .annotate(let changes):
            return .success(
                .annotated(
                    changes.map { each in
                        annotations[each.item] = each.change(annotations[each.item])
                        return AnnotatedItem(each.item, annotations[each.item])
                    }))
        case .keepCheckpoints(let models): checkpoints.removeAll { !models.contains($0.model) }
        case .set(let key, let value): settings[key] = value
        }
        return .success(.done)
    }

    private mutating func deleteEvents(
        of user: RawID, _ selectors: [EventSelector]
    ) -> Result<ChangeOutcome, ChangeRefusal> {
        let gone = events(of: user).filter { event in selectors.contains { isMeant(event, $0) } }
        guard let first = gone.first else { return .failure(.notFound) }
        stored.removeAll { gone.contains($0) }
        checkpoints.removeAll { $0.user == user && $0.checkpoint.last >= first.order }
        return .success(.deleted(gone.count))
    }

    private mutating func append(
        _ events: [NewEvent], now: Timestamp, positions: [Int64]
    ) -> Result<ChangeOutcome, ChangeRefusal> {
        var appended: [AppendedEvent] = []
        for (index, event) in events.enumerated() {
            let position = index < positions.count ? positions[index] : Int64.max - 1000 + Int64(index)
            switch append(event, index: index, now: now, position: position) {
            case .success(let event): appended.append(event)
            case .failure(let refusal):
                return .failure(refusal)
            }
        }
        return .success(.appended(appended))
    }

    private mutating func append(
        _ event: NewEvent, index: Int, now: Timestamp, position: Int64
    ) -> Result<AppendedEvent, ChangeRefusal> {
        let mine = events(of: event.user)
        if let id = event.id, let existing = mine.first(where: { $0.event.id == id }) {
            var same = event
            same.time = event.time ?? existing.order.time
            guard same == existing.event else { return .failure(.otherContent(index: index, existing: existing)) }
            return .success(AppendedEvent(existing, isDuplicate: true, isLate: false, isFirst: false, revision: 0))
        }
        if let time = event.time, time.microseconds > now.microseconds + 600_000_000 {
            return .failure(.tooFarAhead(index: index, now: now))
        }
        var event = event
        event.time = event.time ?? max(now, mine.last?.order.time ?? now)
        let new = StoredEvent(event, order: EventOrder(time: event.time!, position: position))
        stored.append(new)
        checkpoints.removeAll { $0.user == event.user && $0.checkpoint.last > new.order }
        let isLate = mine.contains { $0.order > new.order }
        return .success(AppendedEvent(new, isDuplicate: false, isLate: isLate, isFirst: mine.isEmpty, revision: 0))
    }

    private func isMeant(_ event: StoredEvent, _ selector: EventSelector) -> Bool {
        switch selector {
        case .id(let id): event.event.id == id
        case .position(let position): event.order.position == position
        case .item(let item, let type): event.event.item == item && (type ?? event.event.type) == event.event.type
        }
    }
}
