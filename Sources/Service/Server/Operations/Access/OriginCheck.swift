import HTTPTypes
import Hummingbird

/// Says which web pages may call the server. A browser sends what other pages tell it to, even without a key and even where they may not see the reply;
/// `Origin` and `Sec-Fetch-Site` tell who asked.
struct OriginCheck: RouterMiddleware {
    /// Origins that may call: `https://shop.example`.
    let allowed: Set<String>

    func handle(
        _ request: Request, context: ServerContext, next: (Request, ServerContext) async throws -> Response
    ) async throws -> Response {
        guard let origin = request.headers[.origin] else {
            let isForeign = request.headers[.fetchSite].map { $0 == "cross-site" } ?? false
            return isForeign && changes(request, context) ? refusal(request, context) : try await next(request, context)
        }
        guard allowed.contains(origin.lowercased()) else {
            let isOwn =
                origin.lowercased() == "http://\(own(request))" || origin.lowercased() == "https://\(own(request))"
            return isOwn || !changes(request, context) ? try await next(request, context) : refusal(request, context)
        }
        if request.method == .options, request.headers[.accessControlRequestMethod] != nil {
            return Response(status: .noContent, headers: preflight(origin))
        }
        var response = try await next(request, context)
        response.headers[.accessControlAllowOrigin] = origin
        response.headers[.accessControlExposeHeaders] = "X-Request-Id, Retry-After"
        response.headers[.vary] = "Origin"
        return response
    }

    private func own(_ request: Request) -> String { request.head.authority?.lowercased() ?? "" }

    private func changes(_ request: Request, _ context: ServerContext) -> Bool {
        (Permission.needed(for: request, route: context.endpointPath ?? "") ?? .read) > .read
    }

    private func refusal(_ request: Request, _ context: ServerContext) -> Response {
        Problem(.forbidden, "pages of this origin may not call the server; --cors-origins allows them")
            .response(to: request, context)
    }

    private func preflight(_ origin: String) -> HTTPFields {
        [
            .accessControlAllowOrigin: origin, .accessControlAllowMethods: "GET, POST, PUT, PATCH, DELETE",
            .accessControlAllowHeaders: "Authorization, Content-Type, X-API-Key, X-Request-Id",
            .accessControlMaxAge: "600", .vary: "Origin",
        ]
    }
}

extension HTTPField.Name {
    static let fetchSite = HTTPField.Name("Sec-Fetch-Site")!
}
