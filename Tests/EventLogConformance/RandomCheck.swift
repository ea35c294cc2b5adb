import Events
import Identifiers
import Testing

/// Random changes on a log and on ``Oracle``: the same outcomes, and the same to read after each group.
var randomCheck: ConformanceCheck {
    ConformanceCheck("Random changes do what an obviously right log does") { store in
        let seed = UInt64.random(in: 0 ... .max)
        var run = RandomRun(store: store, seed: seed)
        do {
            for _ in 0..<150 { try run.step() }
        } catch {
            Issue.record("seed \(seed): \(error)")
        }
    }
}

/// A log and its oracle on the same random way.
struct RandomRun {
    private let store: TestStore
    private let seed: UInt64
    private var random: SplitMix
    private var oracle = Oracle()
    private var now: Int64 = 1000

    /// A way that `seed` determines, from an empty store.
    init(store: TestStore, seed: UInt64) {
        (self.store, self.seed, random) = (store, seed, SplitMix(state: seed))
    }

    /// Commits one group and compares everything that can be read. Now and then closes the log first.
    mutating func step() throws {
        if random.chance(0.1) { try store.reopen() }
        now += Int64.random(in: -20...40, using: &random)
        let changes = try (0..<Int.random(in: 1...6, using: &random)).map { _ in try change() }
        let before = try revisions()
        let results = try store.log.commit(changes, now: .seconds(now))
        try compare(changes, results, revisions: before)
        try compareReading()
        if random.chance(0.1) { try store.log.purgeDeleted() }
    }

    private func revisions() throws -> [RawID: Int64] {
        var revisions: [RawID: Int64] = [:]
        for user in oracle.users { revisions[user] = try store.log.history(of: user, model: "", limit: 0)?.revision }
        return revisions
    }

    private mutating func compare(
        _ changes: [LogChange], _ results: [Result<ChangeOutcome, ChangeRefusal>], revisions: [RawID: Int64]
    ) throws {
        try check(results.count == changes.count, "one result a change")
        var revisions = revisions
        for (change, result) in zip(changes, results) {
            let events = result.appended ?? []
            let counts = Self.users.map { oracle.events(of: $0).count }
            var expected = oracle.carryOut(
                change, now: .seconds(now), revision: { revisions[$0] }, positions: events.map(\.stored.order.position))
            if case .success(.appended(var appended)) = expected {
                for (index, event) in events.enumerated() where index < appended.count {
                    appended[index].revision = event.revision
                    revisions[event.stored.event.user] = event.revision
                }
                expected = .success(.appended(appended))
            }
            forgetRevision(after: change, result, counts: counts, &revisions)
            if case .failure(.otherContent(let index, var existing)) = expected,
                case .failure(.otherContent(_, let found)) = result, existing.order.position > Int64.max - 2000
            {
                existing.order.position = found.order.position  // of an event of the same array, which was not stored
                expected = .failure(.otherContent(index: index, existing: existing))
            }
            try check(result == expected, "\(change): \(result), not \(expected)")
        }
    }

    /// After a deletion nobody in the group can know the revision.
    private func forgetRevision(
        after change: LogChange, _ result: Result<ChangeOutcome, ChangeRefusal>, counts: [Int],
        _ revisions: inout [RawID: Int64]
    ) {
        guard case .success = result else { return }
        switch change {
        case .deleteUser(let user), .deleteEvents(let user, _): revisions[user] = nil
        case .append(let events, _):  // a user who only lost events; that of others is in the outcome
            for (user, count) in zip(Self.users, counts) where oracle.events(of: user).count < count {
                if !events.contains(where: { $0.user == user }) { revisions[user] = nil }
            }
        case .changeProfiles(let changes):
            for user in changes.map(\.user) where !oracle.users.contains(user) { revisions[user] = nil }
        default: break
        }
    }

    private func compareReading() throws {
        let log = try store.log
        try check(try log.eventCount() == oracle.stored.count, "event count")
        let users = try log.users(after: nil, limit: .max)
        try check(users.map(\.user) == oracle.users, "users")
        try check(users.map(\.eventCount) == oracle.users.map { oracle.events(of: $0).count }, "counts of users")
        for user in Self.users { try compareReading(of: user) }
        let annotations = try log.annotations(after: nil, limit: .max)
        try check(
            Dictionary(annotations.map { ($0.item, $0.annotation) }) { a, _ in a } == oracle.annotations, "annotations")
        for key in Self.models { try check(try log.value(of: key) == oracle.settings[key], "facts") }
    }

    private func compareReading(of user: RawID) throws {
        let log = try store.log
        let events = oracle.events(of: user)
        try check(try log.all(user) == events, "events of \(user)")
        try check(try log.latestEvents(of: user, before: nil, limit: 3) == events.suffix(3).reversed(), "latest events")
        let summary = UserSummary(
            eventCount: events.count, first: events.first?.order, last: events.last?.order,
            profile: oracle.profiles[user])
        try check(try log.user(user) == (oracle.users.contains(user) ? summary : nil), "summary of \(user)")
        for id in Self.ids {
            try check(try log.event(of: user, .id(id)) == events.first { $0.event.id == id }, "\(id) of \(user)")
        }
        let items = try log.items(of: user, types: nil)
        try check(
            Dictionary(items.map { ($0.item, $0.last) }) { a, _ in a }
                == Dictionary(events.map { ($0.event.item, $0.order.time) }) { $1 }, "items of \(user)")
        for model in Self.models {
            let history = try log.history(of: user, model: model, limit: 2)
            let checkpoint = oracle.checkpoints.first { $0.user == user && $0.model == model }?.checkpoint
            let tail = events.filter { event in checkpoint == nil || event.order > checkpoint!.last }
            try check((history != nil) == oracle.users.contains(user), "history of \(user)")
            guard let history else { continue }
            try check(
                history.checkpoint == checkpoint && history.events == Array(tail.prefix(2))
                    && history.hasMore == (tail.count > 2), "history of \(user) for \(model)")
        }
    }

    private func check(_ holds: @autoclosure () throws -> Bool, _ what: String) throws {
        guard try holds() else { throw Difference(what: what) }
    }

    private struct Difference: Error { let what: String }
}

extension RandomRun {
    private static let users: [RawID] = ["u", "v", "é", "e\u{301}", ""]
    private static let items: [RawID] = ["a", "b", "c", "é", "e\u{301}"]
    private static let ids: [RawID] = ["1", "2", "3", "4"]
    private static let models = ["m", "n"]

    private mutating func pick<Element>(_ elements: [Element]) -> Element { elements.randomElement(using: &random)! }

    private mutating func change() throws -> LogChange {
        let user = pick(Self.users)
        switch Int.random(in: 0..<20, using: &random) {
        case 0: return .deleteUser(user)
        case 1, 2: return .deleteEvents(user: user, selectors())
        case 3:
            let profile = random.chance(0.5) ? nil : "{\"n\":\(now)}"
            return .changeProfiles([ProfileChange(user) { $0 == nil ? profile : profile.map { $0 + " " } }])
        case 4:
            return .annotate((0..<Int.random(in: 0...2, using: &random)).map { _ in annotation() })
        case 5: return .keepCheckpoints(ofModels: random.chance(0.5) ? Self.models : [pick(Self.models)])
        case 6: return .set(key: pick(Self.models), value: "\(now)")
        case 7, 8, 9: return try checkpoint(of: user) ?? .append([event()])
        default:
            var replaced: [RawID: [EventSelector]] = [:]
            if random.chance(0.3) { for user in [user, pick(Self.users)] { replaced[user] = selectors() } }
            return .append((0..<Int.random(in: 1...4, using: &random)).map { _ in event() }, replacing: replaced)
        }
    }

    private mutating func annotation() -> AnnotationChange {
        let annotation = ItemAnnotation(title: "\(now)", categories: ["x"], isHidden: random.chance(0.5))
        switch Int.random(in: 0..<3, using: &random) {
        case 0: return AnnotationChange(pick(Self.items), annotation: nil)
        case 1: return AnnotationChange(pick(Self.items), annotation: annotation)
        default:
            return AnnotationChange(pick(Self.items)) { before in
                var annotation = annotation
                annotation.categories += before?.categories ?? []
                return annotation
            }
        }
    }

    private mutating func selectors() -> [EventSelector] {
        (0..<Int.random(in: 0...2, using: &random)).map { _ in selector() }
    }

    private mutating func selector() -> EventSelector {
        switch Int.random(in: 0..<3, using: &random) {
        case 0: .id(pick(Self.ids))
        case 1: .position(oracle.stored.randomElement(using: &random)?.order.position ?? 1)
        default: .item(pick(Self.items), type: random.chance(0.5) ? nil : "view")
        }
    }

    private mutating func event() -> NewEvent {
        if random.chance(0.1), let old = oracle.stored.randomElement(using: &random) { return old.event }
        return NewEvent(
            user: pick(Self.users), item: pick(Self.items), type: random.chance(0.7) ? "view" : "buy",
            time: random.chance(0.4) ? nil : .seconds(now + pick([0, -1, -5, -60, 3, 599, 603])),
            value: random.chance(0.8) ? nil : Double(Int.random(in: 0...3, using: &random)),
            id: random.chance(0.6) ? nil : pick(Self.ids), recommendation: random.chance(0.9) ? nil : "r")
    }

    private mutating func checkpoint(of user: RawID) throws -> LogChange? {
        guard let history = try store.log.history(of: user, model: "", limit: 5), !history.events.isEmpty else {
            return nil
        }
        return .checkpoint(user: user, model: pick(Self.models), history.checkpointAtEnd)
    }
}

/// Steele, Lea and Flood's SplitMix64.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func chance(_ probability: Double) -> Bool { Double.random(in: 0..<1, using: &self) < probability }
}
