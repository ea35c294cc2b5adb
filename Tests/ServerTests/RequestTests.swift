import Events
import Foundation
import HTTPTypes
import Hummingbird
import Identifiers
import Live
import Testing

@testable import Server

/// What single parts of a request mean.
struct RequestTests {
    private func query(_ text: String) throws(Problem) -> Query {
        try Query(
            Request(
                head: HTTPRequest(method: .get, scheme: nil, authority: nil, path: "/x?" + text),
                body: RequestBody(buffer: .init())))
    }

    // MARK: Times

    @Test(arguments: [
        ("1970-01-01T00:00:00Z", 0), ("1970-01-01T00:00:00.000001Z", 1), ("1969-12-31T23:59:59.999999Z", -1),
        ("2026-11-26T03:00:00.5Z", 1_795_662_000_500_000), ("0001-01-01T00:00:00Z", -62_135_596_800_000_000),
        ("9999-12-31T23:59:59.999999Z", 253_402_300_799_999_999), ("2000-02-29T12:34:56.789Z", 951_827_696_789_000),
    ])
    func timesAreWrittenAndReadBack(_ text: String, _ microseconds: Int64) {
        #expect(Timestamp(microseconds: microseconds).iso8601 == text)
        #expect(Timestamp(iso8601: text)?.microseconds == microseconds)
    }

    @Test(arguments: [
        ("1970-01-01T01:00:00+01:00", 0), ("1970-01-01T01:00+0100", 0), ("1970-01-01 01:00:00+01", 0),
        ("1969-12-31t19:30:00-04:30", 0), ("1970-01-01T00:00:00.1234567891z", 123_456), ("1969-12-31T23:59:60Z", 0),
    ])
    func otherFormsOfTimesAreRead(_ text: String, _ microseconds: Int64) {
        #expect(Timestamp(iso8601: text)?.microseconds == microseconds)
    }

    @Test(arguments: [
        "", "2026", "2026-11-26", "2026-11-26T03:00:00", "2026-13-26T03:00:00Z", "2026-02-29T03:00:00Z",
        "2026-11-26T24:00:00Z",
        "2026-11-26T03:60:00Z", "2026-11-26T03:00:61Z", "2026-11-26T03:00:00.Z", "2026-11-26T03:00:00+24:00",
        "2026-11-26T03:00:00+01:", "2026-11-26T03:00:00ZZ", " 2026-11-26T03:00:00Z", "٢026-11-26T03:00:00Z",
        "0000-12-31T23:59:59Z", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00", "12026-11-26T03:00:00Z",
    ])
    func otherTextIsNoTime(_ text: String) { #expect(Timestamp(iso8601: text) == nil) }

    @Test(arguments: [
        ("0", 0), ("-0.5", -500_000), ("1700000000.123456", 1_700_000_000_123_456),
        ("1700000000.1234569", 1_700_000_000_123_456),
        ("1.7e9", 1_700_000_000_000_000), ("253402300799.999999", 253_402_300_799_999_999), ("-1.25", -1_250_000),
    ])
    func secondsAreExact(_ text: String, _ microseconds: Int64) {
        #expect(Timestamp(seconds: text)?.microseconds == microseconds)
    }

    @Test(arguments: [
        "", "1e300", "253402300800", "-62135596801", "1e-", "0x10", "nan", "99999999999999999999", "1.", "+1",
    ])
    func otherNumbersAreNoTimes(_ text: String) { #expect(Timestamp(seconds: text) == nil) }

    @Test func timesKeepTheirOrderAsText() {
        var generator = SeededRandom(seed: 1)
        for _ in 0..<1000 {
            let range = Timestamp.range.lowerBound.microseconds...Timestamp.range.upperBound.microseconds
            let time = Timestamp(microseconds: .random(in: range, using: &generator))
            #expect(Timestamp(iso8601: time.iso8601) == time)
        }
    }

    // MARK: Percent-encoding and queries

    @Test func percentEncodingIsDecodedToUTF8() {
        #expect(percentDecoded("a%2Fb%25+%F0%9f%98%80é") == "a/b%+😀é")
        #expect(percentDecoded("a+b%2B", plusIsSpace: true) == "a b+")
        for text in ["%", "%2", "%zz", "%C3", "%ED%A0%80", "a%FF", "\u{FFFD}"] {
            #expect(percentDecoded(text[...]) == nil)
        }
    }

    @Test func parametersAreTakenOnceAndNoneIsLeft() throws {
        var query = try query("n=3&exclude=a%2Cb&exclude=c+d&flag=true&")
        #expect(try query.integer("n", in: 0...5) == 3)
        #expect(try query.all("exclude", limit: 2) == ["a,b", "c d"])
        #expect(try query.flag("flag"))
        #expect(throws: Never.self) { try query.finish() }
    }

    @Test(arguments: [
        ("n=3&n=4", "n"), ("n=", "n"), ("n=x", "n"), ("n=+1", "n"), ("n=%2B1", "n"), ("n=1001", "n"), ("n=-1", "n"),
        ("n=1.0", "n"),
        ("explain=1", "explain"), ("explain", "explain"), ("excludeSeen=30", "excludeSeen"),
        ("excludeSeen=0d", "excludeSeen"),
        ("excludeSeen=-1d", "excludeSeen"), ("excludeSeen=99999d", "excludeSeen"), ("at=yesterday", "at"),
        ("at=%zz", "at"),
        ("exclude=", "exclude"), ("only=%00", "only"), ("category=\(String(repeating: "x", count: 257))", "category"),
        ("N=1", "N"), ("%zz=1", "%zz"), ("=1", ""), ("n%3D=1", "n="),
    ])
    func refusalsNameTheParameter(_ text: String, _ field: String) {
        let problem = #expect(throws: Problem.self) {
            var query = try query(text)
            _ = try query.recommendation()
            try query.finish()
        }
        #expect(problem?.status == .badRequest && problem?.field == field)
    }

    @Test func recommendationsHaveAllTheirParameters() throws {
        var query = try query("n=7&exclude=a&exclude=b&excludeSeen=30d&only=c&category=d&at=1.5&explain=true")
        let recommendation = try query.recommendation()
        var expected = RecommendationQuery()
        expected.count = 7
        expected.excluded = ["a", "b"]
        expected.excludeSeen = .within(seconds: 30 * 86_400)
        expected.only = ["c"]
        expected.categories = ["d"]
        expected.at = Timestamp(microseconds: 1_500_000)
        expected.explains = true
        #expect(recommendation == expected)
    }

    // MARK: Events

    @Test func eventsHaveAllTheirFields() throws {
        let text = """
            {"user":"u/1","item":"😀","type":"buy","timestamp":"1970-01-01T00:00:01Z","value":-2.5,"eventId":"e","recommendationId":"r"}
            """
        let body = try EventsBody(Array(text.utf8))
        #expect(
            body.events == [
                NewEvent(
                    user: "u/1", item: "😀", type: "buy", time: Timestamp(microseconds: 1_000_000), value: -2.5, id: "e",
                    recommendation: "r")
            ])
        #expect(body.field(0, "timestamp") == "timestamp")
        let ofUser = try EventsBody(Array(#"[{"item":"a"},{"item":"b","user":"u"}]"#.utf8), of: "u")
        #expect(ofUser.events == [NewEvent(user: "u", item: "a"), NewEvent(user: "u", item: "b")])
        #expect(ofUser.field(1, "eventId") == "events[1].eventId")
    }

    @Test(arguments: [
        (#"{"user":"u"}"#, "item"), (#"{"item":"i"}"#, "user"),
        (#"[{"user":"u","item":"i"},{"user":"u"}]"#, "events[1].item"),
        (#"[{"user":"u","item":"i","timestamp":"x"}]"#, "events[0].timestamp"), (#"[]"#, "events"),
        (#"[1]"#, "events[0]"),
        (#"{"user":1,"item":"i"}"#, "user"), (#"{"user":"","item":"i"}"#, "user"),
        (#"{"user":"a\u0000","item":"i"}"#, "user"),
        (#"{"user":"u","item":"\u0085"}"#, "item"), (#"{"user":"u","item":null}"#, "item"),
        (#"{"user":"u","item":"i","x":1}"#, "x"),
        (#"{"user":"u","item":"i","value":"1"}"#, "value"), (#"{"user":"u","item":"i","value":1e999}"#, "value"),
        (#"{"user":"u","item":"i","timestamp":true}"#, "timestamp"),
        (#"{"user":"u","item":"i","timestamp":1e12}"#, "timestamp"),
        (#"{"user":"u","item":"i","eventId":"position:1"}"#, "eventId"),
        (#"{"user":"u","item":"i","type":""}"#, "type"),
        (#"{"user":"u","user":"v","item":"i"}"#, "user"),
        (#"{"user":"u","item":"i","recommendationId":[]}"#, "recommendationId"),
    ])
    func refusalsNameTheField(_ text: String, _ field: String) {
        let problem = #expect(throws: Problem.self) { try EventsBody(Array(text.utf8)) }
        #expect(problem?.status == .badRequest && problem?.field == field)
    }

    @Test func otherUsersAndTooManyEventsAreRefused() {
        #expect(throws: Problem(field: "user", "is not the user of the address")) {
            try EventsBody(Array(#"{"item":"a","user":"v"}"#.utf8), of: "u")
        }
        let many = "[" + String(repeating: #"{"item":"a"},"#, count: Limits.events) + #"{"item":"a"}]"#
        #expect(throws: Problem(field: "events", "more than 10000")) { try EventsBody(Array(many.utf8), of: "u") }
    }

    @Test func addressesOfEventsAreIdsOrPositions() throws {
        #expect(try EventSelector(address: "abc") == .id("abc"))
        #expect(try EventSelector(address: "position:17") == .position(17))
        for text in ["position:", "position:x", "position:-1", "position:+1", "position:99999999999999999999"] {
            #expect(throws: Problem.self) { try EventSelector(address: RawID(text)) }
        }
    }

    // MARK: Cursors

    @Test func cursorsReadBackAndAreCheckedForTheirList() {
        let order = EventOrder(time: Timestamp(microseconds: -5), position: 7)
        let text = Cursor.text(order, of: "u")
        #expect(Cursor.order(text, of: "u") == order)
        #expect(Cursor.order(text, of: "v") == nil)
        #expect(Cursor.item(text) == nil)
        #expect(Cursor.item(Cursor.text(after: "é/😀")) == "é/😀")
        for index in text.indices {
            var changed = text
            changed.replaceSubrange(index...index, with: text[index] == "A" ? "B" : "A")
            #expect(Cursor.order(changed, of: "u") == nil)
            #expect(Cursor.order(String(text[..<index]), of: "u") == nil)
        }
        for text in ["", "=", "a b", text + "=", text + "A", "😀"] { #expect(Cursor.order(text, of: "u") == nil) }
    }
}
