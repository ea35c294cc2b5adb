import Hummingbird
import Metrics

/// What stands around the routes, the outermost first: each request is named, reported and answered with safe headers, and gets no further
/// than the first of the others that refuses it.
func guards(
    _ settings: ServiceSettings, keys: AccessKeys, draining: Draining, metrics: any MetricsFactory
) -> [any MiddlewareProtocol<Request, Response, ServerContext>] {
    let origins = Set((settings.corsOrigins ?? []).map { $0.lowercased() })
    let always: [any MiddlewareProtocol<Request, Response, ServerContext>] = [
        RequestIdentity(), RequestReport(settings, factory: metrics), ReplyHeaders(),
        DrainingReplies(draining: draining),
        HostCheck(settings, hasKeys: !keys.isEmpty), OriginCheck(allowed: origins),
    ]
    return keys.isEmpty ? always : always + [KeyCheck(keys: keys)]
}
