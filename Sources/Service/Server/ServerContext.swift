import Foundation
import Hummingbird
import Logging
import NIOCore

/// What is known of a request beside itself.
struct ServerContext: RequestContext {
    /// Hummingbird's own part: logger, path parameters, the route's template.
    var coreContext: CoreRequestContextStorage
    /// Who sent it.
    let remoteAddress: SocketAddress?

    /// The context of a request that came through a channel.
    init(source: Source) {
        coreContext = CoreRequestContextStorage(source: source)
        remoteAddress = source.channel.remoteAddress
    }

    /// The name under which the request is logged and which problems cite.
    var requestID: String {
        get { logger[metadataKey: Self.requestKey]?.description ?? "unknown" }
        set { logger[metadataKey: Self.requestKey] = .string(newValue) }
    }

    /// Hummingbird's key of it.
    static let requestKey = "hb.request.id"
}
