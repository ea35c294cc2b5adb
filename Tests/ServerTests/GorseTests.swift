import Events
import Foundation
import HTTPTypes
import HummingbirdTesting
import Identifiers
import Testing

@testable import Server

/// What Gorse's clients for Python do not call, and what only a look at the wire shows.
struct GorseTests {
    @Test func pathsMayEndWithSlashesAndNamesAreDecoded() async throws {
        try await TestService.run(.live) { (service) async throws in
            let body = #"[{"FeedbackType":"a/b","UserId":"u/1","ItemId":"i1","Timestamp":"2020-01-01"}]"#
            #expect(try await service.json(.post, "/api/feedback/", body)["RowAffected"] as? Int == 1)
            #expect(try await service.list("/api/user/u%2F1/feedback/a%2Fb/").count == 1)
            #expect(try await service.list("/api/user/u%2F1/feedback").count == 1)
            #expect(try await service.json(.get, "/api/feedback/a%2Fb/u%2F1/i1")["ItemId"] as? String == "i1")
            #expect(try await service.list("/api/feedback/u%2F1/i1").count == 1)
            #expect(try await service.list("/api/feedback/u%2F1/i2").isEmpty)
            #expect(try await service.ids("/api/recommend/u%2F1/?n=3").count == 3)
        }
    }

    @Test func recommendationsAreIdentifiersOrScoresByVersion() async throws {
        try await TestService.run(.router) { (service) async throws in
            let ids = try await service.ids("/api/recommend/u?n=3&unknown=x&offset=")
            let answer = try await service.send(
                .get, "/api/recommend/u/?n=3", headers: [HTTPField.Name("X-API-Version")!: "2"])
            let scores = try #require(try JSONSerialization.jsonObject(with: answer.body) as? [[String: Any]])
            #expect(column("Id", scores) == ids && scores.allSatisfy { $0["Score"] is Double && $0.count == 2 })
        }
    }

    @Test func overwritingReplacesFeedbackOfTheSameTypeAndItem() async throws {
        try await TestService.run(.router) { (service) async throws in
            func body(_ type: String, _ item: String, _ day: Int, _ value: Double) -> String {
                #"[{"FeedbackType":"\#(type)","UserId":"u","ItemId":"\#(item)","Timestamp":"2020-01-0\#(day)","Value":\#(value)}]"#
            }
            for (item, day) in [("i1", 1), ("i1", 2), ("i2", 1)] {
                _ = try await service.json(.post, "/api/feedback", body("read", item, day, 1))
            }
            _ = try await service.json(.post, "/api/feedback", body("star", "i1", 1, 1))
            #expect(try await service.list("/api/user/u/feedback").count == 4)
            #expect(
                try await service.json(.put, "/api/feedback", body("read", "i1", 3, 7))["RowAffected"] as? Int == 1)
            let left = try await service.list("/api/user/u/feedback")
            #expect(column("Value", left) == [1, 1, 7] as [Double])
            #expect(column("FeedbackType", left) == ["read", "star", "read"])
            #expect(try await service.json(.delete, "/api/feedback/star/u/i1")["RowAffected"] as? Int == 1)
            #expect(try await service.json(.delete, "/api/feedback/star/u/i1")["RowAffected"] as? Int == 0)
        }
    }

    /// Where the new feedback is refused, the old one stays.
    @Test func refusedFeedbackReplacesNothing() async throws {
        try await TestService.run(.router) { (service) async throws in
            let first = #"[{"FeedbackType":"read","UserId":"u","ItemId":"i1","Timestamp":"2020-01-01"}]"#
            _ = try await service.json(.post, "/api/feedback", first)
            let time = try #require(Timestamp(gorse: "2020-01-02"))
            let taken = try #require(NewEvent(gorse: "read", "u", "i1", at: time).id)
            _ = try await service.json(.post, "/v1/users/u/events", #"{"item":"i2","eventId":"\#(taken)"}"#)
            let second = first.replacing("01-01", with: "01-02")
            #expect(try await service.send(.put, "/api/feedback", second).status == 409)
            #expect(column("ItemId", try await service.list("/api/user/u/feedback/read")) == ["i1"])
        }
    }

    /// A state after replacements is that of a user who had only what is left.
    @Test func replacedFeedbackLeavesNoTraceInTheState() async throws {
        try await TestService.run(.router) { (service) async throws in
            func body(_ user: String, _ item: String, _ day: Int) -> String {
                #"[{"FeedbackType":"read","UserId":"\#(user)","ItemId":"\#(item)","Timestamp":"2020-01-0\#(day)"}]"#
            }
            for day in 1...3 { _ = try await service.json(.post, "/api/feedback", body("a", "i\(day)", day)) }
            _ = try await service.ids("/api/recommend/a")
            _ = try await service.json(.put, "/api/feedback", body("a", "i1", 4))
            for (item, day) in [("i2", 2), ("i3", 3), ("i1", 4)] {
                _ = try await service.json(.post, "/api/feedback", body("b", item, day))
            }
            #expect(try await service.ids("/api/recommend/a") == service.ids("/api/recommend/b"))
        }
    }

    @Test func oneBodyMayRepeatFeedbackWithAnotherValue() async throws {
        try await TestService.run(.router) { (service) async throws in
            let one = #"{"FeedbackType":"t","UserId":"u","ItemId":"i1","Timestamp":"2020-01-01","Value":"#
            _ = try await service.json(.post, "/api/feedback", "[\(one)1}]")
            let reply = try await service.json(.post, "/api/feedback", "[\(one)2},\(one)3}]")
            #expect(reply["RowAffected"] as? Int == 2)
            #expect(column("Value", try await service.list("/api/user/u/feedback")) == [3.0])
        }
    }

    @Test func feedbackOfATypeIsListedAcrossUsersInPages() async throws {
        try await TestService.run(.router) { (service) async throws in
            for user in 0..<5 {
                let events = ["a", "b", "a"].enumerated().map {
                    #"{"FeedbackType":"\#($1)","UserId":"u\#(user)","ItemId":"i\#($0)","Timestamp":"2020-01-0\#($0 + 1)"}"#
                }
                _ = try await service.json(.post, "/api/feedback", "[\(events.joined(separator: ","))]")
            }
            var (cursor, pages): (String, [[String]]) = ("", [])
            repeat {
                let page = try await service.json(.get, "/api/feedback/a?n=4&cursor=\(cursor)")
                pages.append(objects(page["Feedback"]).map { "\($0["UserId"]!)\($0["ItemId"]!)" })
                cursor = page["Cursor"] as? String ?? ""
            } while !cursor.isEmpty
            #expect(pages.map(\.count) == [4, 4, 2])
            #expect(pages.joined().elementsEqual((0..<5).flatMap { ["u\($0)i0", "u\($0)i2"] }))
        }
    }

    @Test func patchesChangeUsersAndCategories() async throws {
        try await TestService.run(.router) { (service) async throws in
            let labels = #"{"a":[1,{"b":null}]}"#
            _ = try await service.json(.post, "/api/user", #"{"userid":"u","Labels":\#(labels),"Subscribe":["s"]}"#)
            _ = try await service.json(
                .patch, "/api/user/u", #"{"UserId":"other","Labels":null,"Comment":"c\"\u00e9"}"#)
            let user = try await service.send(.get, "/api/user/u")
            #expect(
                String(decoding: user.body, as: UTF8.self)
                    == #"{"UserId":"u","Labels":\#(labels),"Subscribe":["s"],"Comment":"c\"é"}"#)
            #expect(try await service.send(.get, "/api/user/other").status == 404)

            for category in ["x", "y", "x"] { _ = try await service.json(.put, "/api/item/i1/category/\(category)") }
            _ = try await service.json(.delete, "/api/item/i1/category/x")
            #expect(try await service.json(.get, "/api/item/i1")["Categories"] as? [String] == ["y"])
            #expect(try await service.ids("/api/recommend/u/y") == ["i1"])
            #expect(try await service.ids("/api/recommend/u?category=y") == ["i1"])
            #expect(try await service.send(.put, "/api/item/strange/category/x").status == 404)
        }
    }

    /// Requests that each change a part of the same item or user, at once: none takes back what another one has changed.
    @Test func changesAtOnceAreNotLost() async throws {
        try await TestService.run(.router) { (service) async throws in
            _ = try await service.json(.post, "/api/item", #"{"ItemId":"i1"}"#)
            try await withThrowingTaskGroup { group in
                for number in 0..<40 {
                    group.addTask { _ = try await service.json(.put, "/api/item/i1/category/c\(number)") }
                }
                group.addTask { _ = try await service.json(.patch, "/api/item/i1", #"{"Comment":"c"}"#) }
                group.addTask { _ = try await service.json(.patch, "/api/item/i1", #"{"Labels":[1]}"#) }
                group.addTask { _ = try await service.json(.delete, "/v1/items/i1") }
                for user in 0..<20 {
                    for body in [#"{"Comment":"c"}"#, #"{"Labels":[1]}"#, #"{"Subscribe":["s"]}"#] {
                        group.addTask { _ = try await service.json(.patch, "/api/user/u\(user)", body) }
                    }
                }
                try await group.waitForAll()
            }
            let item = try await service.json(.get, "/api/item/i1")
            #expect(Set(item["Categories"] as? [String] ?? []) == Set((0..<40).map { "c\($0)" }))
            #expect(item["Comment"] as? String == "c" && item["Labels"] as? [Int] == [1])
            #expect(item["IsHidden"] as? Bool == true)
            for user in 0..<20 {
                let user = try await service.json(.get, "/api/user/u\(user)")
                #expect(user["Comment"] as? String == "c" && user["Labels"] as? [Int] == [1])
                #expect(user["Subscribe"] as? [String] == ["s"])
            }
        }
    }

    /// What one interface says about an item outlives what the other one says about it.
    @Test func whatBothInterfacesSayStays() async throws {
        try await TestService.run(.router) { (service) async throws in
            let item =
                #"{"ItemId":"i1","Labels":{"a":[1]},"Comment":"c","Timestamp":"2020-01-01","Categories":["x"],"IsHidden":true}"#
            _ = try await service.json(.post, "/api/item", item)
            for put in [
                (HTTPRequest.Method.put, "/v1/items/i1", #"{"title":"T","categories":["y"]}"#),
                (.post, "/v1/items", #"[{"item":"i1","title":"T","categories":["y"]}]"#),
            ] {
                _ = try await service.json(put.0, put.1, put.2)
                let seen = try await service.json(.get, "/api/item/i1")
                #expect(seen["Labels"] as? [String: [Int]] == ["a": [1]] && seen["Comment"] as? String == "c")
                #expect(seen["Timestamp"] as? String == "2020-01-01T00:00:00Z")
                #expect(seen["Categories"] as? [String] == ["y"] && seen["IsHidden"] as? Bool == false)
            }
            for (method, path, body) in [
                (HTTPRequest.Method.patch, "/api/item/i1", #"{"Labels":[2]}"#), (.put, "/api/item/i1/category/z", nil),
                (.post, "/api/items", "[\(item)]"), (.delete, "/api/item/i1", nil), (.patch, "/api/item/i1", "{}"),
            ] as [(HTTPRequest.Method, String, String?)] {
                _ = try await service.json(method, path, body)
                #expect(try await service.json(.get, "/v1/items/i1")["title"] as? String == "T", "\(method) \(path)")
            }
        }
    }

    @Test func titlesOfTheModelAreComments() async throws {
        try await TestService.run(.router) { (service) async throws in
            #expect(try await service.json(.get, "/api/item/i3")["Comment"] as? String == "Title of i3")
            let found = objects(try await service.json(.get, "/api/items?q=of+I3")["Items"])
            #expect(column("ItemId", found) == ["i3"])
            _ = try await service.json(.put, "/api/item/i3/category/c")
            _ = try await service.json(.patch, "/api/item/i4", #"{"Labels":[1]}"#)
            for item in ["i3", "i4"] {
                #expect(try await service.json(.get, "/api/item/\(item)")["Comment"] as? String == "Title of \(item)")
            }
        }
    }

    @Test func refusalsArePlainText() async throws {
        try await TestService.run(.router) { (service) async throws in
            let requests: [(HTTPRequest.Method, String, String?, Int)] = [
                (.get, "/api/user/nobody", nil, 404), (.get, "/api/item/strange", nil, 404),
                (.get, "/api/feedback/t/u/i", nil, 404), (.get, "/api/recommend/u?n=x", nil, 400),
                (.get, "/api/recommend/u?n=-1", nil, 400), (.get, "/api/recommend/u?category=a&category=b", nil, 501),
                (.get, "/api/users?cursor=x", nil, 400), (.post, "/api/user", "[]", 400),
                (.post, "/api/user", "{", 400),
                (.post, "/api/feedback", "{}", 400), (.post, "/api/feedback", "null", 400),
                (.post, "/api/feedback", #"[{"UserId":"u","ItemId":"i"}]"#, 400),
                (.get, "/api/item/i1/neighbors", nil, 501), (.get, "/api/item/i1/neighbors/c", nil, 501),
                (.get, "/api/popular", nil, 501), (.get, "/api/latest/c", nil, 501),
                (.get, "/api", nil, 404), (.get, "/api/nothing", nil, 404), (.post, "/api/user/u/nothing/", "{}", 404),
                (.get, "/api/user/%ff", nil, 400), (.delete, "/api/feedback", nil, 405),
                (.post, "/api/recommend/u", "{}", 405), (.put, "/api/user/u", "{}", 405),
                (.get, "/api/item/i1/feedback/", nil, 501), (.get, "/api/user/u/neighbors", nil, 501),
            ]
            for (method, path, body, status) in requests {
                let answer = try await service.send(method, path, body)
                #expect(answer.status == status, "\(method) \(path)")
                #expect(answer.headers[.contentType] == "text/plain; charset=utf-8", "\(method) \(path)")
                #expect(!answer.body.isEmpty && answer.body.first != UInt8(ascii: "{"), "\(method) \(path)")
            }
            #expect(try await service.send(.put, "/api/user/u").headers[.allow] == "DELETE, GET, HEAD, OPTIONS, PATCH")
            #expect(try await service.problem(.get, "/apis").status == 404, "that is not Gorse's")
            #expect(try await service.json(.get, "/api/health/ready")["Ready"] as? Bool == true)
            #expect(try await service.json(.get, "/api/health/live")["DataStoreError"] is NSNull)
        }
    }

    @Test(arguments: [
        ("2022-02-24", 1_645_660_800), ("2022/02/24", 1_645_660_800), ("2022-02-24T00:00:00", 1_645_660_800),
        ("2022-02-24 00:00", 1_645_660_800), ("2022-02-24 01:00:00 +0100", 1_645_660_800),
        ("2022-02-24 00:00:00 +0000 UTC", 1_645_660_800), ("2022-02-24 00:00:00 UTC", 1_645_660_800),
        ("1645660800", 1_645_660_800), ("1645660800000", 1_645_660_800), ("1645660800000000", 1_645_660_800),
        ("1645660800000000000", 1_645_660_800), ("2022-02-23T19:00:00.000000000-05:00", 1_645_660_800),
    ])
    func timesOfGorse(_ text: String, _ seconds: Int64) {
        #expect(Timestamp(gorse: text)?.microseconds == seconds * 1_000_000)
    }

    @Test(arguments: ["x", "2022", "2022-02-30", "12", "2022-02-24T25:00:00", "24.02.2022", "-1645660800"])
    func otherTextIsNoTimeOfGorse(_ text: String) { #expect(Timestamp(gorse: text) == nil) }

    @Test(arguments: [
        ("0", 0), ("1h30m", 5400), ("1.5s", 1.5), ("-300ms", -0.3), ("+2m", 120), (".5h", 1800), ("1h0m0s", 3600),
        ("10µs", 1e-5), ("24h", 86_400),
    ])
    func durationsOfGo(_ text: String, _ seconds: Double) throws {
        #expect(abs(try #require(GoDuration(text)?.seconds) - seconds) < 1e-9)
    }

    @Test(arguments: ["", "1", "h", "1x", "-", "1h-1m", "1..5s", "1 h", "nan s", "infs"])
    func otherTextIsNoDuration(_ text: String) { #expect(GoDuration(text) == nil) }
}

extension TestService {
    /// The objects of a reply that must be an array of them.
    fileprivate func list(_ path: String) async throws -> [[String: Any]] {
        let answer = try await send(.get, path)
        guard answer.status == 200, let list = try JSONSerialization.jsonObject(with: answer.body) as? [[String: Any]]
        else { throw Unexpected(answer) }
        return list
    }

    /// The identifiers of a reply that must be an array of them.
    fileprivate func ids(_ path: String) async throws -> [String] {
        let answer = try await send(.get, path)
        guard answer.status == 200, let ids = try JSONSerialization.jsonObject(with: answer.body) as? [String] else {
            throw Unexpected(answer)
        }
        return ids
    }
}
