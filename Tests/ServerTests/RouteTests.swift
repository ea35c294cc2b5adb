import Foundation
import HTTPTypes
import HummingbirdTesting
import Live
import Testing

@testable import Server

/// Every route, over a socket.
struct RouteTests {
    @Test func eventsAreStoredAndMoveTheNextRecommendations() async throws {
        try await TestService.run(.live) { (service) async throws in
            let stored = try await service.json(
                .post, "/v1/events",
                #"[{"user":"u","item":"i1","timestamp":1.5,"eventId":"e1"},{"user":"u","item":"strange","timestamp":"1970-01-01T00:00:02Z","value":0.5}]"#
            )
            let receipts = objects(stored["events"])
            #expect(stored["durability"] as? String == "full")
            #expect(column("known", receipts) == [true, false] && column("duplicate", receipts) == [false, false])
            #expect(column("timestamp", receipts) == ["1970-01-01T00:00:01.5Z", "1970-01-01T00:00:02Z"])
            #expect(column("eventId", receipts) == ["e1"])

            let again = try await service.json(
                .post, "/v1/users/u/events?recommend=3", #"{"item":"i1","timestamp":1.5,"eventId":"e1"}"#)
            #expect(column("duplicate", objects(again["events"])) == [true])
            let answer = again["recommendations"] as? [String: Any] ?? [:]
            #expect(answer["user"] as? String == "u" && answer["basis"] as? String == "history")
            #expect(answer["events"] as? Int == 2 && answer["knownEvents"] as? Int == 1)
            let items = objects(answer["items"])
            #expect(items.count == 3 && !(column("item", items) as [String]).contains("i1"))
            let (ids, titles): ([String], [String]) = (column("item", items), column("title", items))
            #expect(titles == ids.map { "Title of \($0)" })

            let alone = try await service.json(.get, "/v1/users/u/recommendations?n=3")
            #expect(column("item", objects(alone["items"])) == column("item", items) as [String])
            #expect(column("score", objects(alone["items"])) == column("score", items) as [Double])
        }
    }

    @Test func conflictsAndTimesAheadNameTheEvent() async throws {
        try await TestService.run(.router) { (service) async throws in
            _ = try await service.json(.post, "/v1/users/u/events", #"{"item":"i1","eventId":"e","timestamp":1}"#)
            let conflict = try await service.problem(
                .post, "/v1/users/u/events", #"[{"item":"i1"},{"item":"i2","eventId":"e","timestamp":1}]"#)
            #expect(conflict.status == 409 && conflict.field == "events[1].eventId")
            let ahead = try await service.problem(
                .post, "/v1/users/u/events?recommend=1", #"{"item":"i1","timestamp":"9000-01-01T00:00:00Z"}"#)
            #expect(ahead.status == 400 && ahead.field == "timestamp")
            #expect(try await service.json(.get, "/v1/users/u")["events"] as? Int == 1)
        }
    }

    @Test(arguments: ["a/b", "100%", "a b", "😀é", "..", "a?b#c", "u:activate", "%2F", "a+b", "\"\\", "e\u{301}"])
    func identifiersMayHaveAnyCharacters(_ user: String) async throws {
        try await TestService.run(.live) { (service) async throws in
            let encoded = user.utf8.map { String(format: "%%%02x", $0) }.joined()
            _ = try await service.json(.post, "/v1/users/\(encoded)/events", #"{"item":"i1","eventId":"x/y"}"#)
            #expect(try await service.json(.get, "/v1/users/\(encoded)")["user"] as? String == user)
            #expect(try await service.json(.get, "/v1/users/\(encoded)/events/x%2Fy")["item"] as? String == "i1")
            let inBody = String(
                decoding: try JSONSerialization.data(withJSONObject: ["user": user, "item": "i2"]), as: UTF8.self)
            _ = try await service.json(.post, "/v1/events", inBody)
            #expect(try await service.json(.get, "/v1/users/\(encoded)")["events"] as? Int == 2)
        }
    }

    @Test func eventsAreListedInPagesAndForgotten() async throws {
        try await TestService.run(.live) { (service) async throws in
            let events = (1...5).map { #"{"item":"i\#($0 % 2)","timestamp":\#($0)}"# }.joined(separator: ",")
            _ = try await service.json(.post, "/v1/users/u/events", "[\(events)]")
            var (path, pages): (String?, [[String]]) = ("/v1/users/u/events?limit=2", [])
            while let next = path {
                let page = try await service.json(.get, next)
                pages.append(column("timestamp", objects(page["events"])))
                path = (page["next"] as? String).map { "/v1/users/u/events?limit=2&before=\($0)" }
            }
            #expect(pages.map(\.count) == [2, 2, 1])
            #expect(pages.joined().map { $0.dropFirst(18) } == ["5Z", "4Z", "3Z", "2Z", "1Z"])

            let page = try await service.json(.get, "/v1/users/u/events?limit=1")
            let position = objects(page["events"])[0]["position"] as? Int ?? 0
            #expect(
                try await service.json(.get, "/v1/users/u/events/position:\(position)")["position"] as? Int == position)
            #expect(try await service.json(.delete, "/v1/users/u/events/position:\(position)")["deleted"] as? Int == 1)
            #expect(try await service.problem(.delete, "/v1/users/u/events/position:\(position)").status == 404)
            #expect(try await service.json(.delete, "/v1/users/u/events?item=i0&wait=true")["deleted"] as? Int == 2)
            #expect(try await service.json(.get, "/v1/users/u")["events"] as? Int == 2)
            #expect(try await service.json(.delete, "/v1/users/u")["deleted"] as? Bool == true)
            for (method, path) in [(HTTPRequest.Method.get, "/v1/users/u"), (.delete, "/v1/users/u")] {
                #expect(try await service.problem(method, path).status == 404)
            }
        }
    }

    @Test func sessionsAreKeptByTheirClient() async throws {
        try await TestService.run(.live) { (service) async throws in
            let path = "/v1/sessions/recommendations"
            let first = try await service.json(.post, path, #"{"events":[{"item":"i1"},{"item":"i2"}],"n":20}"#)
            let token = first["token"] as? String ?? ""
            #expect(
                first["events"] as? Int == 2 && first["tokenEvents"] as? Int == 2
                    && first["truncated"] as? Bool == false)
            #expect(objects(first["items"]).count == 18, "those of the session are left out")

            let next = #"{"token":"\#(token)","events":[{"item":"i3"}],"n":5}"#
            let second = try await service.json(.post, path, next)
            let whole = try await service.json(
                .post, path, #"{"events":[{"item":"i1"},{"item":"i2"},{"item":"i3"}],"n":5}"#)
            #expect(column("score", objects(second["items"])) == column("score", objects(whole["items"])) as [Double])
            let replayed = try await service.json(.post, path, next)
            #expect(
                column("score", objects(replayed["items"])) == column("score", objects(second["items"])) as [Double])

            for text in [token + "A", String(token.dropLast(5)), "x", ""] {
                #expect(try await service.problem(.post, path, #"{"token":"\#(text)"}"#).field == "token")
            }
            let backwards = #"{"events":[{"item":"i1","timestamp":2},{"item":"i2","timestamp":1}]}"#
            #expect(try await service.problem(.post, path, backwards).field == "events[1].timestamp")
            #expect(try await service.json(.post, path, "{}")["events"] as? Int == 0)
        }
    }

    @Test func aTokenIsRebuiltUnderAnotherModel() async throws {
        try await TestService.run(.router) { (service) async throws in
            let path = "/v1/sessions/recommendations"
            _ = try await service.json(.post, "/v1/models/v1.0-a:activate")
            let first = try await service.json(.post, path, #"{"events":[{"item":"i1"},{"item":"i2"}]}"#)
            let active = try await service.json(.post, "/v1/models/v2:activate")
            #expect(active["version"] as? String == "v2" && active["status"] as? String == "active")
            let moved = try await service.json(.post, path, #"{"token":"\#(first["token"] as! String)"}"#)
            let anew = try await service.json(.post, path, #"{"events":[{"item":"i1"},{"item":"i2"}]}"#)
            #expect(moved["modelVersion"] as? String == "v2" && moved["truncated"] as? Bool == false)
            #expect(column("score", objects(moved["items"])) == column("score", objects(anew["items"])) as [Double])
        }
    }

    @Test func batchesAnswerEachUser() async throws {
        try await TestService.run(.live) { (service) async throws in
            _ = try await service.json(.post, "/v1/users/u/events", #"{"item":"i1"}"#)
            let batch = try await service.json(
                .post, "/v1/recommendations:batch",
                #"{"users":["u","nobody","u"],"n":2,"exclude":["i3"],"excludeSeen":"never"}"#)
            let results = objects(batch["results"])
            #expect(column("user", results) == ["u", "nobody", "u"])
            #expect(results.allSatisfy { objects($0["items"]).count == 2 })
            #expect(try await service.json(.post, "/v1/recommendations:batch", #"{"users":[]}"#)["results"] is [Any])
            let many = (0...1000).map { "\"u\($0)\"" }.joined(separator: ",")
            #expect(
                try await service.problem(.post, "/v1/recommendations:batch", #"{"users":[\#(many)]}"#).field == "users"
            )
            #expect(
                try await service.problem(.post, "/v1/recommendations:batch", #"{"users":["a",""]}"#).field
                    == "users[1]")
        }
    }

    @Test func filtersAreExact() async throws {
        try await TestService.run(.router) { (service) async throws in
            _ = try await service.json(.put, "/v1/items/i5", #"{"categories":["c"]}"#)
            let path = "/v1/users/u/recommendations"
            func items(_ query: String) async throws -> [String] {
                column("item", objects(try await service.json(.get, path + query)["items"]))
            }
            #expect(try await items("?n=20").count == 20)
            #expect(try await items("?n=0").isEmpty)
            #expect(Set(try await items("?only=i1&only=i2&only=unknown")) == ["i1", "i2"])
            #expect(try await items("?category=c&category=d") == ["i5"])
            #expect(try await items("?n=1000&exclude=i1&exclude=i2").count == 18)
            _ = try await service.json(.post, "/v1/users/u/events", #"{"item":"i1","timestamp":10}"#)
            #expect(try await items("?n=20").count == 19)
            #expect(try await items("?n=20&excludeSeen=never").count == 20)
            #expect(try await items("?n=20&excludeSeen=1d&at=11").count == 19)
            #expect(try await items("?n=20&excludeSeen=1d&at=90000").count == 20)
            #expect(try await service.problem(.get, path + "?at=9").field == "at")
        }
    }

    @Test func itemsAreAnnotatedHiddenAndListed() async throws {
        try await TestService.run(.live) { (service) async throws in
            let put = try await service.json(.put, "/v1/items/i1", #"{"title":"Tee \"grün\"","categories":["a","b"]}"#)
            #expect(put["title"] as? String == "Tee \"grün\"" && put["categories"] as? [String] == ["a", "b"])
            #expect(put["known"] as? Bool == true && put["hidden"] as? Bool == false)
            #expect(
                try await service.json(.post, "/v1/items", #"[{"item":"new"},{"item":"i2","hidden":true}]"#)["items"]
                    as? Int == 2)
            #expect(try await service.json(.get, "/v1/items/new")["known"] as? Bool == false)
            #expect(try await service.json(.get, "/v1/items/i2")["hidden"] as? Bool == true)
            #expect(try await service.json(.delete, "/v1/items/i1")["hidden"] as? Bool == true)
            #expect(try await service.json(.get, "/v1/items/i1")["hidden"] as? Bool == true)
            _ = try await service.json(.put, "/v1/items/i1", "{}")
            #expect(try await service.json(.get, "/v1/items/i1")["hidden"] as? Bool == false)
            #expect(try await service.problem(.get, "/v1/items/nothing").status == 404)

            var (path, ids): (String?, [String]) = ("/v1/items?limit=8", [])
            while let next = path {
                let page = try await service.json(.get, next)
                ids += column("item", objects(page["items"]))
                path = (page["next"] as? String).map { "/v1/items?limit=8&after=\($0)" }
            }
            #expect(ids == TestService.items + ["new"])
            let all = try await service.json(.get, "/v1/items?q=")
            #expect(column("item", objects(all["items"])) == ids, "an empty search is none")
            let found = try await service.json(.get, "/v1/items?q=TITLE%20of&limit=3")
            #expect(objects(found["items"]).count == 3)
            #expect(try await service.problem(.get, "/v1/items?q=a&after=AAAA").field == "after")
            #expect(
                try await service.problem(.post, "/v1/items", #"[{"item":"a"},{"title":"b"}]"#).field == "items[1].item"
            )
        }
    }

    @Test func versionsAreListedAndReleased() async throws {
        try await TestService.run(.live) { (service) async throws in
            for version in ["v1.0-a", "v2", "v1.0-a"] {
                _ = try await service.json(.post, "/v1/models/\(version):activate")
                let list = objects(try await service.json(.get, "/v1/models")["models"])
                let active = list.filter { $0["status"] as? String == "active" }
                #expect(column("version", active) == [version] && column("items", active) == [20])
                #expect(
                    try await service.json(.get, "/v1/users/u/recommendations")["modelVersion"] as? String == version)
            }
            #expect(try await service.problem(.post, "/v1/models/v3:activate").status == 404)
            for version in ["..", ".", "v1.0-a%2F..", "%2Fetc"] {
                #expect((400..<500).contains(try await service.problem(.post, "/v1/models/\(version):activate").status))
            }
            #expect(try await service.problem(.post, "/v1/models/v2").status == 404)
        }
    }

    @Test func healthNeedsNothing() async throws {
        try await TestService.run(.live) { (service) async throws in
            #expect(try await service.json(.get, "/health/live")["status"] as? String == "live")
            #expect(try await service.json(.get, "/health/ready")["status"] as? String == "ready")
        }
    }
}
