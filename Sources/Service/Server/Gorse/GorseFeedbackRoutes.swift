import Events
import Hummingbird
import Identifiers
import Live

/// Gorse's feedback: events.
struct GorseFeedbackRoutes {
    let service: LiveService

    func add(to router: Router<ServerContext>) {
        router.post("/api/feedback") { request, _ in try await insert(request, overwrites: false) }
        router.put("/api/feedback") { request, _ in try await insert(request, overwrites: true) }
        router.get("/api/feedback") { request, _ in try await list(request, type: nil) }
        // What a segment means depends on the number of those that follow.
        router.get("/api/feedback/{typeOrUser}") { request, context in
            try await list(request, type: context.id("typeOrUser").text)
        }
        router.get("/api/feedback/{typeOrUser}/{userOrItem}") { _, context in
            let item = try context.id("userOrItem")
            return try await list(of: context.id("typeOrUser")) { $0.item == item }
        }
        router.delete("/api/feedback/{typeOrUser}/{userOrItem}") { _, context in
            try await delete(.item(context.id("userOrItem"), type: nil), of: context.id("typeOrUser"))
        }
        router.get("/api/feedback/{typeOrUser}/{userOrItem}/{item}", use: get)
        router.delete("/api/feedback/{typeOrUser}/{userOrItem}/{item}") { _, context in
            let (type, item) = (try context.id("typeOrUser").text, try context.id("item"))
            return try await delete(.item(item, type: type), of: context.id("userOrItem"))
        }
        router.get("/api/user/{user}/feedback") { _, context in
            try await list(of: context.id("user")) { _ in true }
        }
        router.get("/api/user/{user}/feedback/{type}") { _, context in
            let type = try context.id("type").text
            return try await list(of: context.id("user")) { RawID($0.type) == RawID(type) }
        }
    }

    // MARK: Changes

    /// Stores feedback. Where it is there already, with the same time, its value is updated; to overwrite also replaces what the user has of the
    /// same type and item at other times.
    private func insert(_ request: Request, overwrites: Bool) async throws -> Response {
        let feedback = try GorseFeedback.read(await request.jsonBody())
        var events: [NewEvent] = []
        for (index, each) in feedback.enumerated() { events.append(try each.event(at: index)) }
        events = events.withoutRepetitions
        guard !events.isEmpty else { return .rowsAffected(0) }
        if overwrites {
            try await replace(events) { .item($0.item, type: $0.type) }
        } else {
            do { _ = try await service.append(events) } catch ServiceError.refused(.otherContent) {
                try await replace(events) { .id($0.id!) }
            }
        }
        return .rowsAffected(feedback.count)
    }

    private func replace(_ events: [NewEvent], _ selector: (NewEvent) -> EventSelector) async throws {
        let replaced = Dictionary(grouping: events, by: \.user).mapValues { $0.map(selector) }
        _ = try await service.append(events, replacing: replaced)
    }

    private func delete(_ events: EventSelector, of user: RawID) async throws -> Response {
        do { return .rowsAffected(try await service.deleteEvents(of: user, [events], waits: false)) } catch ServiceError
            .notFound
        { return .rowsAffected(0) }
    }

    // MARK: Lists

    private func get(_ request: Request, _ context: ServerContext) async throws -> Response {
        let (type, user, item) = (
            try context.id("typeOrUser").text, try context.id("userOrItem"), try context.id("item")
        )
        let event = try await service.event(of: user, .item(item, type: type))
        return .json { json in json.gorseFeedbackMembers(event) }
    }

    /// All of a user's events that are meant, in order.
    private func list(of user: RawID, where isMeant: (NewEvent) -> Bool) async throws -> Response {
        var (events, last): ([StoredEvent], EventOrder?) = ([], nil)
        while true {
            let slice = try await service.events(of: user, after: last, limit: Limits.events)
            events += slice.filter { isMeant($0.event) }
            guard slice.count == Limits.events else { break }
            last = slice.last?.order
        }
        return .jsonArray(capacity: 64 + 160 * events.count) { [events] json in
            for event in events { json.gorseFeedback(event) }
        }
    }

    /// A page of all users' events, or of those of a type.
    private func list(_ request: Request, type: String?) async throws -> Response {
        var query = try Query(request)
        let (count, after) = try query.goPage(Cursor.event)
        var walk = FeedbackWalk(service: service, type: type, count: count)
        try await walk.run(after: after)
        return .json(capacity: 64 + 160 * walk.events.count) { [walk] json in
            json.member("Cursor", walk.next.map { Cursor.text(after: $0.order, ofUser: $0.user) } ?? "")
            json.key("Feedback")
            json.array { json in
                for event in walk.events.prefix(count) { json.gorseFeedback(event) }
            }
        }
    }
}

/// Goes through the events of all users, by user and then in order.
private struct FeedbackWalk {
    let service: LiveService
    /// Only events of this type.
    let type: String?
    /// How many are looked for.
    let count: Int
    /// What was found: one more than looked for where there is more.
    private(set) var events: [StoredEvent] = []
    /// The last event that was read, whether it is meant or not.
    private var last: (user: RawID, order: EventOrder)?
    private var readsLeft = 2_000

    init(service: LiveService, type: String?, count: Int) {
        (self.service, self.type, self.count) = (service, type, count)
    }

    /// Where the next page begins; nil at the end. A page ends early where it would take too long to find more.
    var next: (user: RawID, order: EventOrder)? {
        guard events.count <= count else { return (events[count - 1].event.user, events[count - 1].order) }
        return readsLeft > 0 ? nil : last
    }

    private var isDone: Bool { events.count > count || readsLeft <= 0 }

    mutating func run(after place: (user: RawID, order: EventOrder)?) async throws {
        last = place
        if let place { try await add(place.user, after: place.order) }
        var user = place?.user
        while !isDone {
            let users = try await service.users(after: user, limit: 1_000)
            for each in users where each.eventCount > 0 && !isDone { try await add(each.user, after: nil) }
            guard users.count == 1_000 else { return }
            user = users.last?.user
        }
    }

    private mutating func add(_ user: RawID, after: EventOrder?) async throws {
        var after = after
        while !isDone {
            let limit = type == nil ? count + 1 - events.count : 1_000
            let slice = try await service.events(of: user, after: after, limit: limit)
            readsLeft -= 1
            events += slice.filter { type == nil || RawID($0.event.type) == RawID(type!) }
            guard let end = slice.last?.order else { return }
            last = (user, end)
            guard slice.count == limit else { return }
            after = end
        }
    }
}

extension [NewEvent] {
    /// One event for each identity: the last that is given.
    fileprivate var withoutRepetitions: [NewEvent] {
        var places: [[RawID]: Int] = [:]
        var events: [NewEvent] = []
        for event in self {
            let key = [event.user, event.id!]
            if let place = places[key] {
                events[place] = event
            } else {
                places[key] = events.count
                events.append(event)
            }
        }
        return events
    }
}
