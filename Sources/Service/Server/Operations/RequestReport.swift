import HTTPTypes
import Hummingbird
import Logging
import Metrics
import Synchronization

/// Counts and times each request, and writes a line about it: at debug, at info where that was asked for, at warning where it was slow.
struct RequestReport: RouterMiddleware {
    private let metrics: RequestMetrics
    private let level: Logger.Level
    private let slow: Duration

    init(_ settings: ServiceSettings, factory: any MetricsFactory) {
        metrics = RequestMetrics(factory: factory)
        level = settings.logsRequests ? .info : .debug
        slow = settings.slowRequest
    }

    func handle(
        _ request: Request, context: ServerContext, next: (Request, ServerContext) async throws -> Response
    ) async throws -> Response {
        let start = ContinuousClock.now
        metrics.inFlight.increment()
        defer { metrics.inFlight.decrement() }
        let response = try await next(request, context)
        let duration = ContinuousClock.now - start
        let route = RequestMetrics.Route(request.method, context.endpointPath)
        metrics.count(route, response.status, duration)
        let level = duration > slow ? Logger.Level.warning : level
        context.logger.log(
            level: level, duration > slow ? "Slow request." : "Request.",
            metadata: [
                "method": .string(route.method), "route": .string(route.path),
                "status": .stringConvertible(response.status.code),
                "milliseconds": .stringConvertible((duration / .microseconds(1)).rounded() / 1_000),
            ])
        return response
    }
}

/// Instruments of requests, made once for each route and kept.
final class RequestMetrics: Sendable {
    /// A route by its template, never by the path that was asked for: paths hold ids, and there are many.
    struct Route: Hashable {
        let method, path: String

        init(_ method: HTTPRequest.Method, _ template: String?) {
            self.method = Self.methods.contains(method) ? method.rawValue : "other"
            path = template.flatMap { $0 == "NotFound" ? nil : $0 } ?? "none"
        }

        private static let methods: Set<HTTPRequest.Method> = [.get, .head, .post, .put, .patch, .delete, .options]
    }

    private struct Answer: Hashable {
        var route: Route
        var status: Int
    }

    private struct Instruments {
        var counters: [Answer: Counter] = [:]
        var timers: [Route: Metrics.Timer] = [:]
    }

    let inFlight: Meter
    private let factory: any MetricsFactory
    private let instruments = Mutex(Instruments())

    init(factory: any MetricsFactory) {
        self.factory = factory
        inFlight = Meter(label: "http_requests_in_flight", factory: factory)
    }

    /// Counts a request. One short lock: instruments are looked up.
    func count(_ route: Route, _ status: HTTPResponse.Status, _ duration: Duration) {
        let answer = Answer(route: route, status: status.code)
        let (counter, timer) = instruments.withLock { known in
            (known.counters[answer] ?? make(answer, &known), known.timers[route] ?? make(route, &known))
        }
        counter.increment()
        timer.record(duration: duration)
    }

    private func make(_ answer: Answer, _ known: inout Instruments) -> Counter {
        let labels = [("method", answer.route.method), ("route", answer.route.path), ("status", "\(answer.status)")]
        let counter = Counter(label: "http_requests", dimensions: labels, factory: factory)
        known.counters[answer] = counter
        return counter
    }

    private func make(_ route: Route, _ known: inout Instruments) -> Metrics.Timer {
        let labels = [("method", route.method), ("route", route.path)]
        let timer = Metrics.Timer(label: "http_request_duration", dimensions: labels, factory: factory)
        known.timers[route] = timer
        return timer
    }
}
