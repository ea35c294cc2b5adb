import HTTPTypes
import Hummingbird

/// Refuses requests that call the server by a name that is not its own: a page of a stranger, whose name was made to resolve to this
/// machine ("DNS rebinding"), sends its own.
struct HostCheck: RouterMiddleware {
    /// Names in lower case, without ports; nil: any.
    private let names: Set<String>?

    /// The names of the settings; where there are none, those of the loopback if there are no keys, which a stranger's page lacks.
    init(_ settings: ServiceSettings, hasKeys: Bool) {
        let loopback: Set<String> = ["localhost", "127.0.0.1", "[::1]", settings.host.lowercased()]
        if let allowed = settings.allowedHosts {
            names = loopback.union(allowed.map { $0.lowercased() })
        } else {
            names = hasKeys ? nil : loopback
        }
    }

    func handle(
        _ request: Request, context: ServerContext, next: (Request, ServerContext) async throws -> Response
    ) async throws -> Response {
        guard let names else { return try await next(request, context) }
        guard let authority = request.head.authority, names.contains(hostName(authority)) else {
            return Problem(.misdirectedRequest, "this server does not answer by this name; --allowed-hosts adds names")
                .response(to: request, context)
        }
        return try await next(request, context)
    }
}

/// The name of `name:port` and `[address]:port`, in lower case.
func hostName(_ authority: String) -> String {
    let text = authority.lowercased()
    if text.hasPrefix("["), let end = text.firstIndex(of: "]") { return String(text[...end]) }
    return String(text.prefix { $0 != ":" })
}
