import Events
import Hummingbird
import Live

/// What is known of a user, and forgetting it.
struct UserRoutes {
    let service: LiveService

    func add(to router: Router<ServerContext>) {
        router.get("/v1/users/{user}", use: get)
        router.delete("/v1/users/{user}", use: delete)
    }

    private func get(_ request: Request, _ context: ServerContext) async throws -> Response {
        let user = try context.id("user")
        try Query(request).finish()
        let summary = try await service.user(user)
        return .json { json in
            json.member("user", user)
            json.member("events", summary.eventCount)
            if let first = summary.first { json.member("first", first.time) }
            if let last = summary.last { json.member("last", last.time) }
        }
    }

    private func delete(_ request: Request, _ context: ServerContext) async throws -> Response {
        let user = try context.id("user")
        var query = try Query(request)
        let waits = try query.flag("wait")
        try query.finish()
        try await service.deleteUser(user, waits: waits)
        return .json { $0.member("deleted", true) }
    }
}
