import Metrics
import NIOCore

/// How long a connection may wait, and for what.
struct ConnectionLimits: Sendable {
    /// What a connection waits for, or why it ended.
    enum Reason {
        /// The head of a request.
        case head
        /// The rest of a request.
        case body
        /// The service, which has limits of its own.
        case service
        /// The client takes the reply.
        case client
        /// The client closes, too.
        case end
        /// Nothing: what came is no HTTP.
        case malformed
    }

    private let idle, request: TimeAmount
    private let end = TimeAmount.seconds(2)

    init(_ settings: ServiceSettings) {
        (idle, request) = (TimeAmount(settings.idleTimeout), TimeAmount(settings.requestTimeout))
    }

    /// nil: any time.
    func time(for reason: Reason) -> TimeAmount? {
        switch reason {
        case .head: idle
        case .body, .client: request
        case .end: end
        case .service, .malformed: nil
        }
    }
}

/// Instruments of connections.
struct ConnectionMetrics: Sendable {
    let open: Meter
    private let ended: [ConnectionLimits.Reason: Counter]

    init(factory: any MetricsFactory) {
        open = Meter(label: "http_connections", factory: factory)
        let reasons: [(ConnectionLimits.Reason, String)] = [
            (.head, "idle"), (.body, "slow_request"), (.client, "slow_reader"), (.malformed, "malformed"),
        ]
        ended = Dictionary(
            uniqueKeysWithValues: reasons.map { reason, name in
                (reason, Counter(label: "http_connections_ended", dimensions: [("reason", name)], factory: factory))
            })
    }

    func count(_ reason: ConnectionLimits.Reason) { ended[reason]?.increment() }
}
