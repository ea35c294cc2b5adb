import Events
import Hummingbird
import Identifiers
import Live
import NIOCore

/// Gorse's users: labels and a comment, which are kept and not used. Who has feedback is a user, too.
struct GorseUserRoutes {
    let service: LiveService

    func add(to router: Router<ServerContext>) {
        router.post("/api/user") { request, _ in
            let user = try JSONReader.read(await request.jsonBody()) { (reader) throws(Problem) in
                try GorseUser(&reader)
            }
            return try await insert([user])
        }
        router.post("/api/users") { request, _ in
            let users = try JSONReader.read(await request.jsonBody()) { (reader) throws(Problem) in
                try reader.array(limit: Limits.events) { (reader) throws(Problem) in try GorseUser(&reader) }
            }
            return try await insert(users)
        }
        router.get("/api/users", use: list)
        router.get("/api/user/{user}", use: get)
        router.patch("/api/user/{user}", use: patch)
        router.delete("/api/user/{user}", use: delete)
    }

    private func insert(_ users: [GorseUser]) async throws -> Response {
        try await service.changeProfiles(users.map { ProfileChange($0.id, profile: $0.profile) })
        return .rowsAffected(users.count)
    }

    private func get(_ request: Request, _ context: ServerContext) async throws -> Response {
        let user = try await user(context.id("user"))
        return .json { user.write(to: &$0) }
    }

    private func list(_ request: Request, _ context: ServerContext) async throws -> Response {
        var query = try Query(request)
        let (count, after) = try query.goPage(Cursor.user)
        let found = try await service.users(after: after, limit: count + 1).map(\.user)
        var users: [GorseUser] = []
        for id in found.prefix(count) {
            do { users.append(try await user(id)) } catch ServiceError.notFound {}  // deleted meanwhile
        }
        return .json { [users] json in
            json.member("Cursor", found.count > count ? Cursor.text(afterUser: found[count - 1]) : "")
            json.key("Users")
            json.array { json in
                for user in users { json.object { user.write(to: &$0) } }
            }
        }
    }

    private func patch(_ request: Request, _ context: ServerContext) async throws -> Response {
        let id = try context.id("user")
        var patch = GorseUser(id)
        try JSONReader.read(await request.jsonBody()) { (reader) throws(Problem) in try patch.change(&reader) }
        try await service.changeProfiles([
            ProfileChange(id) { [patch] in GorseUser(id, profile: $0).with(patch).profile }
        ])
        return .rowsAffected(1)
    }

    /// As Gorse, says that a row was affected also where there was none.
    private func delete(_ request: Request, _ context: ServerContext) async throws -> Response {
        do { try await service.deleteUser(context.id("user"), waits: false) } catch ServiceError.notFound {}
        return .rowsAffected(1)
    }

    private func user(_ id: RawID) async throws -> GorseUser {
        try await GorseUser(id, profile: service.user(id).profile)
    }
}

/// A user as Gorse knows it. Labels and subscriptions are JSON of any kind.
private struct GorseUser {
    var id: RawID
    var labels: String?
    var subscriptions: String?
    var comment: String?

    /// A user of whom nothing has been said.
    init(_ id: RawID) { self.id = id }

    /// A user of whom a profile tells.
    init(_ id: RawID, profile: String?) {
        self.id = id
        guard let profile else { return }
        // What another program has left there, and cannot be read, is nothing that has been said.
        try? JSONReader.read(Array(profile.utf8)) { (reader) throws(Problem) in try change(&reader) }
    }

    /// Reads a user from a request.
    init(_ reader: inout JSONReader) throws(Problem) {
        id = ""
        try change(&reader)
        guard !id.text.isEmpty else { throw reader.problem("is missing", at: "UserId") }
    }

    /// Changes what an object has, and leaves the rest.
    mutating func change(_ reader: inout JSONReader) throws(Problem) {
        try reader.goObject { (key, reader) throws(Problem) in
            switch key {
            case "userid": id = try reader.id()
            case "labels": labels = try reader.any()
            case "subscribe": subscriptions = try reader.any()
            case "comment": comment = try reader.string()
            default: return false
            }
            return true
        }
    }

    /// The user after all that is said in a patch.
    func with(_ patch: GorseUser) -> GorseUser {
        var user = self
        user.labels = patch.labels ?? labels
        user.subscriptions = patch.subscriptions ?? subscriptions
        user.comment = patch.comment ?? comment
        return user
    }

    /// What is stored.
    var profile: String {
        var json = JSONWriter()
        json.object { writeProfile(to: &$0) }
        return String(buffer: json.buffer)
    }

    func write(to json: inout JSONWriter) {
        json.member("UserId", id)
        writeProfile(to: &json)
    }

    private func writeProfile(to json: inout JSONWriter) {
        json.member("Labels", json: labels)
        if let subscriptions { json.member("Subscribe", json: subscriptions) }
        json.member("Comment", comment ?? "")
    }
}
