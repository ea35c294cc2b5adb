import ErrorSupport
import Events
import Foundation
import HTTPTypes
import Hummingbird
import Live
import Logging
import NIOCore
import NIOEmbedded
import Testing

@testable import Server

/// What stands around the routes, around routes that only answer.
@Suite struct GuardTests {
    private let metrics = PrometheusMetrics()
    private let lines = Lines()
    private let draining = Draining()

    private static let routes: [(method: HTTPRequest.Method, path: String)] = [
        (.get, "/"), (.get, "/openapi.json"), (.get, "/health/live"), (.get, "/health/ready"), (.get, "/metrics"),
        (.post, "/v1/events"), (.get, "/v1/users/{user}/recommendations"), (.delete, "/v1/users/{user}"),
        (.post, "/v1/sessions/recommendations"), (.post, "/v1/recommendations:batch"), (.put, "/v1/items/{item}"),
        (.get, "/v1/models"), (.post, "/v1/models/{version}:activate"), (.get, "/api/recommend/{user}"),
        (.post, "/api/feedback"), (.get, "/api/health/live"), (.get, "/v1/broken"),
    ]

    /// Sends one request and returns the reply.
    private func send(
        _ method: HTTPRequest.Method, _ path: String, _ headers: HTTPFields = [:], host: String? = "localhost:8080",
        keys: AccessKeys = AccessKeys(), _ change: (inout ServiceSettings) -> Void = { _ in }
    ) async throws -> Response {
        var settings = ServiceSettings()
        change(&settings)
        let router = Router(context: ServerContext.self)
        for each in guards(settings, keys: keys, draining: draining, metrics: metrics) { router.add(middleware: each) }
        router.add(middleware: ErrorReplies(routes: RouteTable()))
        for (method, path) in Self.routes {
            router.on(RouterPath(path), method: method) { _, context in
                context.logger.info("In the route.")
                if path == "/v1/broken" { throw ServiceError.log(.unavailable("/secret/log.sqlite: disk I/O error")) }
                return Response(status: .ok)
            }
        }
        let log = ServiceLog(.json, level: .debug, write: lines.write)
        let logger = Logger(label: "test", factory: { _ in log })
        let head = HTTPRequest(method: method, scheme: "http", authority: host, path: path, headerFields: headers)
        return try await router.buildResponder().respond(
            to: Request(head: head, body: RequestBody(buffer: ByteBuffer())),
            context: ServerContext(source: ApplicationRequestContextSource(channel: EmbeddedChannel(), logger: logger)))
    }

    private func keys() -> AccessKeys {
        var keys = AccessKeys()
        for (key, permission) in [("r", Permission.read), ("w", .write), ("a", .admin), ("old", .read)] {
            keys.add(key, permission)
        }
        return keys
    }

    // MARK: Keys

    /// The least permission with which each route answers.
    @Test(arguments: [
        ("GET", "/", nil), ("GET", "/openapi.json", nil), ("GET", "/health/live", nil), ("GET", "/health/ready", nil),
        ("GET", "/api/health/live", nil), ("GET", "/metrics", "r"), ("GET", "/v1/users/7/recommendations", "r"),
        ("POST", "/v1/sessions/recommendations", "r"), ("POST", "/v1/recommendations:batch", "r"),
        ("GET", "/v1/models", "r"), ("GET", "/api/recommend/7", "r"), ("POST", "/v1/events", "w"),
        ("DELETE", "/v1/users/7", "w"), ("PUT", "/v1/items/7", "w"), ("POST", "/api/feedback", "w"),
        ("GET", "/api/recommend/7?n=3&write-back-type=read", "w"),
        ("GET", "/api/recommend/7?write%2Dback-type=read", "w"), ("POST", "/v1/models/v2:activate", "a"),
    ])
    func routesNeedKeys(_ name: String, _ path: String, _ needed: String?) async throws {
        let (keys, method, all) = (keys(), try #require(HTTPRequest.Method(rawValue: name)), ["r", "w", "a"])
        let enough = needed == nil ? all[...] : all.drop { $0 != needed }
        for key in all {
            let status = try await send(method, path, [.apiKey: key], keys: keys).status
            #expect(status == (enough.contains(key) ? .ok : .forbidden), "\(key)")
        }
        let without = try await send(method, path, keys: keys)
        #expect(without.status == (needed == nil ? .ok : .unauthorized))
        #expect(needed == nil || without.headers[.wwwAuthenticate]?.hasPrefix("Bearer") == true)
        #expect(
            try await send(method, path, [.apiKey: "x"], keys: keys).status == (needed == nil ? .ok : .unauthorized))
    }

    @Test func refusalsOfGorsesClientsArePlainText() async throws {
        let keys = keys()
        for path in ["/api/recommend/7", "/api/nothing"] {
            for refused in [try await send(.get, path, keys: keys), try await send(.get, path, host: "evil.example")] {
                #expect([.unauthorized, .misdirectedRequest].contains(refused.status))
                #expect(refused.headers[.contentType] == "text/plain; charset=utf-8")
            }
        }
    }

    @Test func keysComeInTwoHeaders() async throws {
        let keys = keys()
        func status(_ headers: HTTPFields) async throws -> HTTPResponse.Status {
            try await send(.get, "/v1/models", headers, keys: keys).status
        }
        #expect(try await status([.authorization: "Bearer old"]) == .ok)
        #expect(try await status([.authorization: "bearer  r"]) == .ok)
        #expect(try await status([.authorization: "Basic cjpy"]) == .unauthorized)
        #expect(try await status([.authorization: "Bearer"]) == .unauthorized)
        #expect(try await status([.authorization: "Basic x", .apiKey: "r"]) == .ok)
        #expect(try await status([.apiKey: "R"]) == .unauthorized)
        #expect(try await status([.apiKey: ""]) == .unauthorized)
        #expect(try await send(.get, "/v1/nowhere", keys: keys).status == .unauthorized)
        #expect(try await send(.get, "/v1/nowhere", [.apiKey: "r"], keys: keys).status == .notFound)
    }

    @Test func filesOfKeysAreChecked() {
        func reason(_ text: String) -> String? {
            var keys = AccessKeys()
            do throws(SettingError) {
                try keys.add(lines: text, of: "keys")
                return nil
            } catch { return error.description }
        }
        let (a, b) = (String(repeating: "a", count: 16), String(repeating: "b", count: 99))
        #expect(reason("# ours\n\nread \(a)") == nil && reason("\r\nadmin \(b)\r\n") == nil)
        #expect(reason("read \(a)\nroot \(b)") == "keys, line 2: expected read, write or admin and a key")
        #expect(reason("read a b") == "keys, line 1: expected read, write or admin and a key")
        #expect(reason("secret") != nil && reason("# nothing\n") == "keys: there is no key in it")
    }

    // MARK: Browsers

    @Test func strangersNamesAreRefusedWithoutKeys() async throws {
        for host in ["localhost", "LOCALHOST:1", "127.0.0.1:8080", "[::1]:8080", "[::1]"] {
            #expect(try await send(.get, "/v1/models", host: host).status == .ok, "\(host)")
        }
        for host in ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "", "[::2]", nil] {
            #expect(try await send(.get, "/v1/models", host: host).status == .misdirectedRequest, "\(host ?? "none")")
        }
        let keys = keys()
        let status = try await send(.get, "/v1/models", [.apiKey: "r"], host: "shop.example", keys: keys).status
        #expect(status == .ok)
        func allowed(_ host: String) async throws -> HTTPResponse.Status {
            try await send(.get, "/v1/models", [.apiKey: "r"], host: host, keys: keys) {
                $0.allowedHosts = ["Shop.example"]
            }.status
        }
        #expect(try await allowed("shop.example:443") == .ok)
        #expect(try await allowed("other.example") == .misdirectedRequest)
    }

    @Test(arguments: [
        ("shop.example", true), ("Shop-1.example:8080", true), ("[::1]:80", true), ("127.0.0.1:", true), ("", false),
        ("localhost:evil", false), ("a b", false), ("user@localhost", false), ("localhost/", false), ("*", false),
        ("::1", false), ("[]", false), ("[::1", false), ("[::1]x", false), ("localhost:80:80", false),
    ])
    func hostsAreNamesAndPorts(_ text: String, _ isOne: Bool) {
        #expect(isAuthority(text) == isOne)
        #expect(isHostName(text) == (isOne && !text.contains(#/:\d*$/#)))
        #expect(isOrigin("https://" + text) == isOne && !isOrigin(text))
    }

    @Test(arguments: [
        ("/v1/recommendations%3Abatch", "/v1/recommendations:batch"),
        ("/v1/models/v%32%3aactivate", "/v1/models/v2:activate"),
        ("/v1/users/a%2Fb%25%41/%65vents?a=%41", "/v1/users/a%2Fb%25A/events?a=%41"), ("/%", "/%"), ("/%4", "/%4"),
        ("/%zz%3", "/%zz%3"), ("/a%C3%A4?x", "/a%C3%A4?x"), ("*", "*"),
    ])
    func targetsAreWrittenInOneWay(_ target: String, _ normal: String) { #expect(normalizedTarget(target) == normal) }

    @Test func otherPagesChangeNothing() async throws {
        func status(_ method: HTTPRequest.Method, _ path: String, _ headers: HTTPFields) async throws
            -> HTTPResponse.Status
        {
            try await send(method, path, headers).status
        }
        #expect(try await status(.post, "/v1/models/v:activate", [.origin: "http://evil.example"]) == .forbidden)
        #expect(try await status(.post, "/v1/models/v:activate", [.origin: "null"]) == .forbidden)
        #expect(try await status(.post, "/v1/models/v:activate", [.origin: "http://localhost:8080"]) == .ok)
        #expect(try await status(.post, "/v1/models/v:activate", [.origin: "http://localhost:81"]) == .forbidden)
        #expect(try await status(.post, "/v1/models/v:activate", [.fetchSite: "cross-site"]) == .forbidden)
        #expect(try await status(.get, "/api/recommend/7?write-back-type=x", [.fetchSite: "cross-site"]) == .forbidden)
        #expect(try await status(.get, "/", [.fetchSite: "cross-site"]) == .ok)
        #expect(
            try await send(.get, "/v1/models", [.origin: "http://a.example"]).headers[.accessControlAllowOrigin] == nil)
    }

    @Test func allowedPagesAreTold() async throws {
        let change: (inout ServiceSettings) -> Void = { $0.corsOrigins = ["https://Shop.example"] }
        let keys = keys()
        let preflight = try await send(
            .options, "/v1/events", [.origin: "https://shop.example", .accessControlRequestMethod: "POST"], keys: keys,
            change)
        #expect(preflight.status == .noContent)
        #expect(preflight.headers[.accessControlAllowOrigin] == "https://shop.example")
        #expect(preflight.headers[.accessControlAllowHeaders]?.contains("Authorization") == true)
        let reply = try await send(
            .post, "/v1/events", [.origin: "https://shop.example", .apiKey: "w"], keys: keys, change)
        #expect(reply.status == .ok && reply.headers[.accessControlAllowOrigin] == "https://shop.example")
        #expect(reply.headers[.vary] == "Origin")
        let other = try await send(
            .options, "/v1/events", [.origin: "https://evil.example", .accessControlRequestMethod: "POST"], keys: keys,
            change)
        #expect(other.headers[.accessControlAllowOrigin] == nil)
    }

    @Test func everyReplyHasSafeHeaders() async throws {
        for (path, host) in [("/", "localhost"), ("/nowhere", "localhost"), ("/", "evil.example")] {
            let headers = try await send(.get, path, host: host).headers
            #expect(headers[.xContentTypeOptions] == "nosniff" && headers[.frameOptions] == "DENY")
            #expect(headers[.referrerPolicy] == "no-referrer" && headers[.cacheControl] == "no-store")
            #expect(headers[.contentSecurityPolicy]?.contains("default-src 'none'") == true)
            #expect(headers[.requestID] != nil)
        }
    }

    // MARK: What is said about requests

    @Test func requestsKeepSaneNames() async throws {
        for name in ["a", "3f-2_b.c", String(repeating: "x", count: 128)] {
            #expect(try await send(.get, "/", [.requestID: name]).headers[.requestID] == name)
        }
        for name in ["", "a b", "ä", "a\"b", String(repeating: "x", count: 129)] {
            #expect(try await send(.get, "/", [.requestID: name]).headers[.requestID] != name)
        }
        _ = try await send(.get, "/", [.requestID: "my-request"])
        let logged = lines.all.split(separator: "\n").filter { $0.contains("\"request\":\"my-request\"") }
        #expect(logged.count == 2, "the route's line and the request's")
    }

    @Test func linesAndMetricsHaveRoutesAndNoIDs() async throws {
        _ = try await send(.get, "/v1/users/alice/recommendations?exclude=bob")
        _ = try await send(.get, "/v1/users/alice/nothing")
        _ = try await send(#require(HTTPRequest.Method(rawValue: "BREW")), "/v1/users/alice")
        let text = metrics.text()
        #expect(
            !lines.all.contains("alice") && !text.contains("alice") && !text.contains("bob") && !text.contains("BREW"))
        #expect(lines.all.contains("\"route\":\"/v1/users/{user}/recommendations\",\"status\":200"))
        let labels = "method=\"GET\",route=\"/v1/users/{user}/recommendations\""
        #expect(text.contains("recblr_http_requests_total{\(labels),status=\"200\"} 1\n"))
        #expect(text.contains("recblr_http_request_duration_seconds_count{\(labels)} 1\n"))
        #expect(text.contains("recblr_http_requests_total{method=\"GET\",route=\"none\",status=\"404\"} 1\n"))
        #expect(text.contains("recblr_http_requests_total{method=\"other\",route=\"none\",status=\"404\"} 1\n"))
        #expect(text.contains("recblr_http_requests_in_flight 0\n"))
    }

    @Test func pathsAreForTheLog() async throws {
        #expect(try await send(.get, "/v1/broken").status == .serviceUnavailable)
        #expect(lines.all.contains("/secret/log.sqlite: disk I/O error"))
        let errors: [EventLogError] = [
            .unavailable("/secret"), .damaged("/secret"), .inUse("/secret"), .notALog("/secret"),
        ]
        for error in errors.map(ServiceError.log) + [.model("/secret")] {
            let problem = Problem(error)
            #expect(!problem.detail.contains("/secret") && problem.reason == "/secret", "\(error)")
            #expect(problem.status.code >= 500)
        }
        let full = Problem(.log(.full("/secret")))
        #expect(full.status.code == 507 && full.reason == nil && !full.detail.contains("/secret"))
        #expect(Problem(.notFound("such user")).reason == nil)
    }

    @Test func levelsOfRequestsAreChosen() async throws {
        _ = try await send(.get, "/")
        #expect(lines.all.contains("\"level\":\"debug\",\"message\":\"Request.\""))
        _ = try await send(.get, "/") { $0.logsRequests = true }
        #expect(lines.all.contains("\"level\":\"info\",\"message\":\"Request.\""))
        _ = try await send(.get, "/") { $0.slowRequest = .nanoseconds(-1) }
        #expect(lines.all.contains("\"level\":\"warning\",\"message\":\"Slow request.\""))
    }

    @Test func aStoppingServerIsNotReadyAndAnswersNevertheless() async throws {
        #expect(try await send(.get, "/health/ready").headers[.connection] == nil)
        draining.begin()
        let ready = try await send(.get, "/health/ready")
        #expect(ready.status == .serviceUnavailable && ready.headers[.retryAfter] != nil)
        let live = try await send(.get, "/health/live")
        #expect(live.status == .ok && live.headers[.connection] == "close")
    }
}
