import Foundation
import HTTPTypes
import HummingbirdTesting
import Identifiers
import Testing

@testable import Server

/// Ten thousand requests made by changing good ones: none makes the server fail, and each refusal is a problem.
struct FuzzTests {
    private static let seeds: [(method: HTTPRequest.Method, path: String, body: String?)] = [
        (
            .post, "/v1/events",
            #"[{"user":"u1","item":"i1","type":"view","timestamp":"2020-01-01T00:00:00.5+01:00","value":-1.5e3}]"#
        ),
        (
            .post, "/v1/users/u%2F1/events?recommend=3&excludeSeen=30d&only=i1&explain=false",
            #"{"item":"i\u0031","eventId":"e"}"#
        ),
        (.get, "/v1/users/u1/recommendations?n=3&exclude=i1&category=c&at=4000000000", nil),
        (.get, "/v1/users/u1/events?limit=2&before=\(Cursor.text(after: "x"))", nil),
        (.get, "/v1/users/u1/events/position:1", nil),
        (.delete, "/v1/users/u1/events?item=i1&type=view&wait=false", nil),
        (.get, "/v1/users/u1", nil), (.delete, "/v1/users/u1?wait=true", nil),
        (.post, "/v1/recommendations:batch", #"{"users":["u1","u2"],"n":2,"excludeSeen":"never","at":4000000000}"#),
        (
            .post, "/v1/sessions/recommendations",
            #"{"events":[{"item":"i1","timestamp":1}],"token":"AQID","explain":true}"#
        ),
        (.put, "/v1/items/i1", #"{"title":"é","categories":["c"],"hidden":false}"#),
        (.get, "/v1/items?limit=3&q=i", nil),
        (.post, "/v1/items", #"[{"item":"i1","hidden":true}]"#), (.get, "/v1/models", nil),
        (.get, "/openapi.json", nil),
        (.post, "/v1/models/v9:activate", nil),
    ]
    private static let pieces =
        [
            "%", "%00", "%C3", "%2F", "/", "//", "?", "&", "=", "+", ";", ":", "é", "-", "0", "1e999", "9", "null",
            "true", "{", "}", "[", "]", "\"", "\\",
        ]
        + [",", "\u{0}", "\u{202E}", "\\ud800", "u1", "n=", "wait=", "a&a&", "..", "😀", " ", "\n"]

    private static func changed(_ text: String, _ generator: inout SeededRandom) -> String {
        var text = Array(text)
        for _ in 0..<Int.random(in: 0...2, using: &generator) {
            let place = Int.random(in: 0...text.count, using: &generator)
            let end = min(text.count, place + Int.random(in: 0...3, using: &generator))
            text.replaceSubrange(
                place..<end, with: Bool.random(using: &generator) ? pieces.randomElement(using: &generator)! : "")
        }
        return String(text)
    }

    @Test func onlyTheRequestIsEverToBlame() async throws {
        try await TestService.run(.router) { (service) async throws in
            var generator = SeededRandom(seed: 11)
            var statuses: [Int: Int] = [:]
            for number in 0..<10_000 {
                let seed = Self.seeds.randomElement(using: &generator)!
                let path = "/" + Self.changed(String(seed.path.dropFirst()), &generator)
                let body = seed.body.map { Self.changed($0, &generator) }
                let answer = try await service.send(seed.method, path, body)
                statuses[answer.status, default: 0] += 1
                let isProblem =
                    answer.headers[.contentType] == "application/problem+json" && answer.json["requestId"] is String
                #expect(
                    answer.status == 200 || ((400..<500).contains(answer.status) && isProblem),
                    "request \(number): \(seed.method) \(path) \(body ?? ""): \(answer.status)")
            }
            #expect(
                statuses[200, default: 0] > 1000 && statuses[400, default: 0] > 1000 && statuses[404, default: 0] > 100)
        }
    }
}
