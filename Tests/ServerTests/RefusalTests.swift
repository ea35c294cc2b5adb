import Events
import Foundation
import HTTPTypes
import HummingbirdTesting
import Testing

@testable import Server

/// What every route refuses alike.
struct RefusalTests {
    @Test(arguments: [
        "/v1", "/v2/events", "/v1/events/", "/v1//events", "//v1/events", "/v1/users//events",
        "/v1/users//recommendations", "/V1/events", "/favicon.ico", "/v1/users/u/", "/health",
        "/v1/recommendations", "/v1/users/u/events/e/f",
    ])
    func unknownAddressesAreNotFound(_ path: String) async throws {
        try await TestService.run(.live) { (service) async throws in
            #expect(try await service.problem(.get, path).status == 404)
            #expect(try await service.problem(.post, path, "{}").status == 404)
        }
    }

    @Test(arguments: [
        ("/v1/events", "OPTIONS, POST"), ("/v1/users/u", "DELETE, GET, HEAD, OPTIONS"),
        ("/v1/models/v2:activate", "OPTIONS, POST"),
        ("/v1/users/u/events", "DELETE, GET, HEAD, OPTIONS, POST"),
        ("/v1/items/a%2Fb", "DELETE, GET, HEAD, OPTIONS, PUT"),
        ("/health/live", "GET, HEAD, OPTIONS"),
    ])
    func otherMethodsAreNotAllowed(_ path: String, _ allow: String) async throws {
        try await TestService.run(.live) { (service) async throws in
            for method in [HTTPRequest.Method.patch, .trace] {
                let answer = try await service.send(method, path)
                #expect(answer.status == 405 && answer.headers[.allow] == allow)
                #expect(answer.headers[.contentType] == "application/problem+json")
            }
            let options = try await service.send(.options, path)
            #expect(options.status == 204 && options.headers[.allow] == allow && options.body.isEmpty)
        }
    }

    @Test func headIsGetWithoutTheBody() async throws {
        try await TestService.run(.live) { (service) async throws in
            for path in ["/health/live", "/v1/users/u/recommendations?n=3", "/v1/models", "/openapi.json"] {
                let (get, head) = (try await service.send(.get, path), try await service.send(.head, path))
                #expect(head.status == 200 && head.body.isEmpty)
                #expect(head.headers[.contentType] == get.headers[.contentType])
            }
            #expect(try await service.send(.head, "/v1/users/nobody").status == 404)
            #expect(try await service.send(.head, "/v1/events").status == 405)
        }
    }

    @Test(arguments: [
        nil, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data",
        "application/json; charset=latin1",
        "application/jsonp", "text/json", "application/json, text/plain",
    ])
    func otherContentIsNotTaken(_ type: String?) async throws {
        try await TestService.run(.live) { (service) async throws in
            let headers: HTTPFields = type.map { [.contentType: $0] } ?? [.contentType: ""]
            #expect(try await service.problem(.post, "/v1/events", "{}", headers: headers).status == 415)
            #expect(
                try await service.problem(
                    .post, "/v1/events", "{}", headers: [.contentType: "application/json", .contentEncoding: "gzip"]
                ).status == 415)
        }
    }

    @Test(arguments: ["application/json", "application/json; charset=utf-8", "Application/JSON;charset=\"UTF-8\""])
    func jsonIsTaken(_ type: String) async throws {
        try await TestService.run(.router) { (service) async throws in
            let answer = try await service.send(
                .post, "/v1/events", #"{"user":"u","item":"i1"}"#, headers: [.contentType: type])
            #expect(answer.status == 200)
        }
    }

    /// A refusal names all that would be taken.
    @Test(arguments: [
        ("3", nil, "the body must be an object or an array of objects"),
        (#"{"item":"a","timestamp":true}"#, "timestamp", Timestamp.expectation),
        (#"[{"item":"a","timestamp":"0000-12-31T23:59:59Z"}]"#, "events[0].timestamp", Timestamp.expectation),
    ])
    func refusalsSayWhatIsTaken(_ body: String, _ field: String?, _ detail: String) async throws {
        try await TestService.run(.router) { (service) async throws in
            let problem = try await service.problem(.post, "/v1/users/u/events", body)
            #expect(problem.status == 400 && problem.field == field && problem.detail == detail)
        }
    }

    @Test func emptyAndLongBodiesAreRefused() async throws {
        try await TestService.run(.live) { (service) async throws in
            for body in ["", " "] { #expect(try await service.problem(.post, "/v1/events", body).status == 400) }
            let long = "[" + String(repeating: " ", count: Limits.body)
            #expect(try await service.problem(.post, "/v1/events", long).status == 413)
            #expect(
                try await service.json(.get, "/health/live")["status"] as? String == "live", "the connection goes on")
        }
    }

    @Test(arguments: [
        (HTTPRequest.Method.get, "/v1/users/u?x=1", "x"), (.get, "/v1/users/u/recommendations?n=1001", "n"),
        (.get, "/v1/users/u/recommendations?recommend=1", "recommend"), (.get, "/v1/users/%ff", "user"),
        (.get, "/v1/users/%zz/events", "user"), (.get, "/v1/users/a%00b", "user"),
        (.get, "/v1/users/u/events?limit=0", "limit"),
        (.get, "/v1/users/u/events?before=x", "before"), (.get, "/v1/users/u/events/position:x", "event"),
        (.delete, "/v1/users/u/events", "item"), (.delete, "/v1/users/u?wait=yes", "wait"),
        (.get, "/v1/items?after=x", "after"),
        (.get, "/v1/items?limit=1001", "limit"), (.get, "/v1/models?x=", "x"), (.get, "/openapi.json?x", "x"),
        (.get, "/v1/items/" + String(repeating: "a", count: 257), "item"), (.get, "/health/live?x=1", "x"),
        (.post, "/v1/users/u/events?n=1", "n"), (.post, "/v1/users/u/events?exclude=a", "exclude"),
        (.get, "/v1/users/u/recommendations?n=51&explain=true", "n"),
        (.post, "/v1/users/u/events?recommend=51&explain=true", "recommend"),
        (.post, "/v1/users/u/events?recommend=1&n=1", "n"), (.post, "/v1/events?recommend=1", "recommend"),
    ])
    func refusalsNameTheParameter(_ method: HTTPRequest.Method, _ path: String, _ field: String) async throws {
        try await TestService.run(.live) { (service) async throws in
            let problem = try await service.problem(method, path, method == .post ? #"{"item":"i1"}"# : nil)
            #expect(problem.status == 400 && problem.field == field)
        }
    }

    @Test(arguments: [
        ("/v1/sessions/recommendations", #"{"events":{}}"#, "events"),
        ("/v1/sessions/recommendations", #"{"n":"1"}"#, "n"),
        ("/v1/sessions/recommendations", #"{"events":[{"item":"a","user":"u"}]}"#, "events[0].user"),
        ("/v1/sessions/recommendations", #"{"exclude":"a"}"#, "exclude"),
        ("/v1/sessions/recommendations", #"{"explain":1}"#, "explain"),
        ("/v1/recommendations:batch", "{}", "users"),
        ("/v1/recommendations:batch", #"{"users":["u"],"user":"u"}"#, "user"),
        ("/v1/recommendations:batch", #"{"users":["u"],"excludeSeen":"sometimes"}"#, "excludeSeen"),
        ("/v1/items", "[]", "items"), ("/v1/items", #"[{"item":"a","title":"\u0000"}]"#, "items[0].title"),
        ("/v1/items", #"[{"item":"a","categories":["b",""]}]"#, "items[0].categories[1]"),
    ])
    func refusalsNameTheField(_ path: String, _ body: String, _ field: String) async throws {
        try await TestService.run(.live) { (service) async throws in
            let problem = try await service.problem(.post, path, body)
            #expect(problem.status == 400 && problem.field == field)
        }
    }
}
