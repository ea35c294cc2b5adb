import HTTPTypes
import Hummingbird
import Synchronization

/// Whether the server is about to stop.
final class Draining: Sendable {
    private let begun = Atomic<Bool>(false)
    /// Whether it is.
    var hasBegun: Bool { begun.load(ordering: .relaxed) }
    /// From now on it is.
    func begin() { begun.store(true, ordering: .relaxed) }
}

/// While the server is about to stop: is not ready, and asks clients to use other connections.
struct DrainingReplies: RouterMiddleware {
    let draining: Draining

    func handle(
        _ request: Request, context: ServerContext, next: (Request, ServerContext) async throws -> Response
    ) async throws -> Response {
        guard draining.hasBegun else { return try await next(request, context) }
        var response =
            context.endpointPath?.hasSuffix("/health/ready") ?? false
            ? Problem.unavailable("the server is stopping", retryAfterSeconds: 1).response(to: request, context)
            : try await next(request, context)
        response.headers[.connection] = "close"
        return response
    }
}
