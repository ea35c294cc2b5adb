import FileSupport
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

/// Whether a text is a name, or an address, of IPv6 in brackets, and nothing more.
func isHostName(_ text: String) -> Bool { isAuthority(text) && hostName(text).utf8.count == text.utf8.count }

/// Whether a text is `name`, `name:port`, `[address]` or `[address]:port`.
func isAuthority(_ text: String) -> Bool {
    let name = hostName(text).utf8
    let port = text.utf8.dropFirst(name.count)
    guard port.isEmpty || (port.first == UInt8(ascii: ":") && port.dropFirst().allSatisfy(isDigit)) else {
        return false
    }
    guard name.first == UInt8(ascii: "[") else { return !name.isEmpty && name.allSatisfy(isUnreserved) }
    let address = name.dropFirst().dropLast()
    return name.last == UInt8(ascii: "]") && !address.isEmpty
        && address.allSatisfy { hexDigit($0) != nil || ":.".utf8.contains($0) }
}

/// Whether a text is the origin of a web page: `https://name`, perhaps with a port.
func isOrigin(_ text: String) -> Bool {
    ["http://", "https://"].contains {
        text.lowercased().hasPrefix($0) && isAuthority(String(text.dropFirst($0.count)))
    }
}

/// Whether a byte is a letter, a digit or one of the signs that mean the same with and without percent-encoding (RFC 3986, section 2.3).
func isUnreserved(_ byte: UInt8) -> Bool {
    isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || "-._~".utf8.contains(byte)
}

private func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
