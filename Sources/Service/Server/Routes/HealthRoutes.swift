import Hummingbird
import Live
import NIOCore

/// `/health/live`: the process answers; `/health/ready`: the service can.
func addHealthRoutes(to router: Router<ServerContext>, _ service: LiveService) {
    router.get("/health/live") { _, _ in status("live") }
    router.get("/health/ready") { _, _ in
        guard service.isReady else {
            throw Problem.unavailable("the service is starting or stopping", retryAfterSeconds: 1)
        }
        return status("ready")
    }
}

private func status(_ word: String) -> Response {
    .json { json in
        json.key("status")
        json.string(word)
    }
}
