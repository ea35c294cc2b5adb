import Hummingbird
import Identifiers
import Live

/// Versions of the model: which there are, and which one answers.
struct ModelRoutes {
    let service: LiveService

    func add(to router: Router<ServerContext>) {
        router.get("/v1/models", use: list)
        router.post("/v1/models/{version}:activate", use: activate)
    }

    private func list(_ request: Request, _ context: ServerContext) async throws -> Response {
        try Query(request).finish()
        let versions = try await service.versions()
        return .json { json in
            json.key("models")
            json.array { json in
                for version in versions { json.object { $0.versionMembers(version) } }
            }
        }
    }

    private func activate(_ request: Request, _ context: ServerContext) async throws -> Response {
        let version = try context.id("version")
        try Query(request).finish()
        let released = try await service.activate(version.text)
        return .json { $0.versionMembers(released) }
    }
}

extension JSONWriter {
    fileprivate mutating func versionMembers(_ version: ModelVersion) {
        member("version", version.name)
        member("status", version.status.rawValue)
        if let count = version.itemCount { member("items", count) }
        if let summary = version.summary { member("summary", summary) }
        if let failure = version.failure { member("failure", failure) }
    }
}
