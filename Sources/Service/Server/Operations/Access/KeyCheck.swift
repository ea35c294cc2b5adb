import Foundation
import HTTPTypes
import Hummingbird

/// Refuses requests without a key that allows them: 401 where there is no known key, 403 where it allows less.
struct KeyCheck: RouterMiddleware {
    let keys: AccessKeys

    func handle(
        _ request: Request, context: ServerContext, next: (Request, ServerContext) async throws -> Response
    ) async throws -> Response {
        guard let needed = Permission.needed(for: request, route: context.endpointPath ?? "") else {
            return try await next(request, context)
        }
        guard let permission = Self.key(of: request).flatMap(keys.permission(of:)) else {
            let headers: HTTPFields = [.wwwAuthenticate: "Bearer realm=\"recblr\""]
            return Problem(.unauthorized, "a key is needed: Authorization: Bearer KEY, or X-API-Key", headers: headers)
                .response(to: request, context)
        }
        guard permission >= needed else {
            return Problem(.forbidden, "this key allows to \(permission.verb), which is not enough to \(needed.verb)")
                .response(to: request, context)
        }
        return try await next(request, context)
    }

    private static func key(of request: Request) -> String? {
        if let value = request.headers[.authorization] {
            let words = value.split(separator: " ", omittingEmptySubsequences: true)
            if words.count == 2, words[0].lowercased() == "bearer" { return String(words[1]) }
        }
        return request.headers[.apiKey]
    }
}

extension Permission {
    /// What it is for, in a sentence.
    fileprivate var verb: String { self == .admin ? "administer" : name }

    /// What a request needs that matched a route.
    static func needed(for request: Request, route: String) -> Permission? {
        let needed = needed(request.method, route)
        return needed == .read && writesBack(request) ? .write : needed
    }

    /// What is needed to call a route, which is given by its template, empty where there is none; nil: nothing, because it is about the service and no
    /// data. The OpenAPI document says it, too.
    static func needed(_ method: HTTPRequest.Method, _ route: String) -> Permission? {
        if route.hasSuffix("/health/live") || route.hasSuffix("/health/ready") || method == .options { return nil }
        let reads = method == .get || method == .head
        let isOfData = route.hasPrefix("/v1/") || route.hasPrefix("/api/") || route == "/metrics" || route.isEmpty
        if reads, !isOfData { return nil }  // the page and its description
        if route.hasPrefix("/v1/models") { return reads ? .read : .admin }
        return reads || asksByPost.contains(route) ? .read : .write
    }

    /// Routes that take a body and change nothing.
    private static let asksByPost: Set<String> = [
        "/v1/sessions/recommendations", "/v1/recommendations:batch", "/api/session/recommend",
        "/api/session/recommend/{category}",
    ]

    /// Whether a request in Gorse's way stores what it recommends as feedback.
    private static func writesBack(_ request: Request) -> Bool {
        guard let query = request.uri.query, request.uri.path.hasPrefix("/api/") else { return false }
        return (query.removingPercentEncoding ?? query).lowercased().contains("write-back")
    }
}

extension HTTPField.Name {
    static let apiKey = HTTPField.Name("X-API-Key")!
    static let requestID = HTTPField.Name("X-Request-Id")!
}
