import HTTPTypes
import Hummingbird
import Logging

/// Gives each request a name, its client's where that is one, which the reply and all log lines of the request carry.
struct RequestIdentity: RouterMiddleware {
    func handle(
        _ request: Request, context: ServerContext, next: (Request, ServerContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        if let given = request.headers[.requestID], Self.isName(given) { context.requestID = given }
        var response = try await next(request, context)
        response.headers[.requestID] = context.requestID
        return response
    }

    /// At most 128 letters, digits and some signs of ASCII: nothing that would be something else in a log.
    private static func isName(_ text: String) -> Bool {
        (1...128).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: "-_.:/+=@".utf8.contains(byte)
                }
            }
    }
}
