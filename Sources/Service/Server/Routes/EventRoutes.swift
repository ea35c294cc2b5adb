import Events
import Hummingbird
import Identifiers
import Live

/// Events: in, and as they lie in the log.
struct EventRoutes {
    let service: LiveService
    let durability: Durability

    func add(to router: Router<ServerContext>) {
        router.post("/v1/events", use: append)
        router.post("/v1/users/{user}/events", use: appendOfUser)
        router.get("/v1/users/{user}/events", use: list)
        router.delete("/v1/users/{user}/events", use: deleteOfItem)
        router.get("/v1/users/{user}/events/{event}", use: get)
        router.delete("/v1/users/{user}/events/{event}", use: delete)
    }

    private func append(_ request: Request, _ context: ServerContext) async throws -> Response {
        try Query(request).finish()
        let body = try EventsBody(await request.jsonBody())
        let receipts = try await stored(body)
        return .json { $0.receipts(receipts, durability) }
    }

    private func appendOfUser(_ request: Request, _ context: ServerContext) async throws -> Response {
        let user = try context.id("user")
        let query = try recommendation(request)
        let body = try EventsBody(await request.jsonBody(), of: user)
        guard let query else {
            let receipts = try await stored(body)
            return .json { $0.receipts(receipts, durability) }
        }
        let (receipts, answer): ([EventReceipt], Result<Recommendations, ServiceError>)
        do throws(ServiceError) {
            (receipts, answer) = try await service.append(body.events, of: user, thenRecommend: query)
        } catch {
            var problem = Problem(error, field: body.field)
            if problem.field == "n" { problem.field = "recommend" }
            throw problem
        }
        return .json(capacity: 256 + 128 * query.count) { json in
            json.receipts(receipts, durability)
            switch answer {
            case .success(let answer):
                json.key("recommendations")
                json.recommendations(answer, of: user)
            case .failure(let error): json.problemMember(Problem(error), context)
            }
        }
    }

    private func stored(_ body: EventsBody) async throws(Problem) -> [EventReceipt] {
        do throws(ServiceError) { return try await service.append(body.events) } catch {
            throw Problem(error, field: body.field)
        }
    }

    /// The recommendations that are asked for in passing; nil where none are.
    private func recommendation(_ request: Request) throws(Problem) -> RecommendationQuery? {
        var query = try Query(request)
        guard query.has("recommend") else {
            if let name = query.recommendationParameter { throw Problem(field: name, "needs the parameter recommend") }
            try query.finish()
            return nil
        }
        let recommendation = try query.recommendation(count: "recommend")
        try query.finish()
        return recommendation
    }

    private func list(_ request: Request, _ context: ServerContext) async throws -> Response {
        let user = try context.id("user")
        var query = try Query(request)
        let limit = try query.integer("limit", in: 1...Limits.page) ?? 100
        let before = try query.one("before").map { (text) throws(Problem) in
            guard let order = Cursor.order(text, of: user) else {
                throw Problem(field: "before", "is not a cursor of this list")
            }
            return order
        }
        try query.finish()
        let events = try await service.events(of: user, before: before, limit: limit + 1)
        return .json(capacity: 64 + 128 * min(limit, events.count)) { json in
            json.key("events")
            json.array { json in events.prefix(limit).forEach { json.event($0) } }
            if events.count > limit { json.member("next", Cursor.text(events[limit - 1].order, of: user)) }
        }
    }

    private func get(_ request: Request, _ context: ServerContext) async throws -> Response {
        let (user, selector) = (try context.id("user"), try EventSelector(address: context.id("event")))
        try Query(request).finish()
        let event = try await service.event(of: user, selector)
        return .json { $0.eventMembers(event) }
    }

    private func delete(_ request: Request, _ context: ServerContext) async throws -> Response {
        let (user, selector) = (try context.id("user"), try EventSelector(address: context.id("event")))
        var query = try Query(request)
        let waits = try query.flag("wait")
        try query.finish()
        return try await delete(selector, of: user, waits: waits)
    }

    private func deleteOfItem(_ request: Request, _ context: ServerContext) async throws -> Response {
        let user = try context.id("user")
        var query = try Query(request)
        guard let item = try query.id("item") else { throw Problem(field: "item", "is missing") }
        let (type, waits) = (try query.id("type"), try query.flag("wait"))
        try query.finish()
        return try await delete(.item(item, type: type?.text), of: user, waits: waits)
    }

    private func delete(_ selector: EventSelector, of user: RawID, waits: Bool) async throws -> Response {
        let count = try await service.deleteEvents(of: user, [selector], waits: waits)
        guard count > 0 else { throw Problem(.notFound, "there is no such event") }
        return .json { $0.member("deleted", count) }
    }
}
