import Hummingbird
import Live

/// Whether the process answers, and whether the service can.
struct HealthRoutes {
    let service: LiveService

    func add(to router: Router<ServerContext>) {
        router.get("/health/live") { request, _ in
            try Query(request).finish()
            return status("live")
        }
        router.get("/health/ready") { request, _ in
            try Query(request).finish()
            guard service.isReady else {
                throw Problem.unavailable("the service is starting or stopping", retryAfterSeconds: 1)
            }
            return status("ready")
        }
    }

    private func status(_ word: String) -> Response { .json { $0.member("status", word) } }
}
