import FileSupport
import NIOCore
import NIOHTTP1

/// Makes of the head of each request what the parts that follow take for granted and can no longer see: one valid host, a target that is a
/// plain path, and `Connection: close` wherever a client means it. A head without a valid host is malformed.
final class HeadRules: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .head(var head) = unwrapInboundIn(data) else { return context.fireChannelRead(data) }
        guard head.hasOneHost else { return context.fireErrorCaught(HostError()) }
        head.takeHostFromTarget()
        guard head.headers["host"].allSatisfy(isAuthority) else {
            return context.fireErrorCaught(HostError())
        }
        head.uri = normalizedTarget(head.uri)
        if !head.isKeepAlive { head.headers.replaceOrAdd(name: "connection", value: "close") }
        context.fireChannelRead(wrapInboundOut(.head(head)))
    }
}

/// A request whose host is missing, there twice, or no host.
struct HostError: Error {}

extension HTTPRequestHead {
    /// Whether there is as much `Host` as there has to be (RFC 9112, section 3.2): one, or none before HTTP/1.1.
    fileprivate var hasOneHost: Bool {
        let count = headers["host"].count
        return count == 1 || (count == 0 && version != .http1_1)
    }

    /// Of `GET http://name/path`, leaves the path, and the name as `Host`, whatever that was (RFC 9112, section 3.2.2).
    fileprivate mutating func takeHostFromTarget() {
        guard uri.utf8.first != UInt8(ascii: "/"),
            let scheme = ["http://", "https://"].first(where: { uri.lowercased().hasPrefix($0) })
        else { return }
        let rest = uri.dropFirst(scheme.count)
        let end = rest.firstIndex { "/?#".contains($0) } ?? rest.endIndex
        headers.replaceOrAdd(name: "host", value: String(rest[..<end]))
        uri = rest[end...].first == "/" ? String(rest[end...]) : "/" + rest[end...]
    }
}

/// The target with `%3A` and all letters, digits and `-._~` of its path decoded: they mean the same either way (RFC 3986, section 6.2.2.2), but
/// routes are compared as they are written. What separates segments or could be a percent sign stays, for ids are decoded later.
func normalizedTarget(_ target: String) -> String {
    let path = target.utf8.prefix { $0 != UInt8(ascii: "?") }
    guard path.contains(UInt8(ascii: "%")) else { return target }
    var (bytes, rest) = ([UInt8](), path)
    while let byte = rest.popFirst() {
        if byte == UInt8(ascii: "%"), let high = rest.first.flatMap(hexDigit),
            let low = rest.dropFirst().first.flatMap(hexDigit), mayBeDecoded(high << 4 | low)
        {
            bytes.append(high << 4 | low)
            rest = rest.dropFirst(2)
        } else {
            bytes.append(byte)
        }
    }
    return String(decoding: bytes, as: UTF8.self) + String(target.utf8[path.endIndex...])!
}

private func mayBeDecoded(_ byte: UInt8) -> Bool { byte == UInt8(ascii: ":") || isUnreserved(byte) }
