import HTTPTypes
import Hummingbird

/// Headers that every reply has: nothing is guessed, framed, cached or told to other sites, and nothing but the server's own files runs.
struct ReplyHeaders: RouterMiddleware {
    /// The policy of replies that have none of their own.
    static let policy = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

    func handle(
        _ request: Request, context: ServerContext, next: (Request, ServerContext) async throws -> Response
    ) async throws -> Response {
        var response = try await next(request, context)
        response.headers[.xContentTypeOptions] = "nosniff"
        response.headers[.referrerPolicy] = "no-referrer"
        response.headers[.frameOptions] = "DENY"
        if !response.headers.contains(.contentSecurityPolicy) { response.headers[.contentSecurityPolicy] = Self.policy }
        if !response.headers.contains(.cacheControl) { response.headers[.cacheControl] = "no-store" }
        return response
    }
}

extension HTTPField.Name {
    static let referrerPolicy = HTTPField.Name("Referrer-Policy")!
    static let frameOptions = HTTPField.Name("X-Frame-Options")!
}
