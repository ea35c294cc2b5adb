import Events
import Foundation
import Hummingbird
import Identifiers
import Live

/// Recommendations: of a user, of many, and of a session that its client keeps.
struct RecommendationRoutes {
    let service: LiveService
    let keys: TokenKeys

    func add(to router: Router<ServerContext>) {
        router.get("/v1/users/{user}/recommendations", use: ofUser)
        router.post("/v1/recommendations:batch", use: batch)
        router.post("/v1/sessions/recommendations", use: ofSession)
    }

    private func ofUser(_ request: Request, _ context: ServerContext) async throws -> Response {
        let user = try context.id("user")
        var parameters = try Query(request)
        let query = try parameters.recommendation()
        try parameters.finish()
        let answer = try await service.recommend(to: user, query)
        return .json(capacity: 256 + 96 * answer.items.count) { $0.recommendationMembers(answer, of: user) }
    }

    private func batch(_ request: Request, _ context: ServerContext) async throws -> Response {
        try Query(request).finish()
        let (users, query) = try BatchBody.read(await request.jsonBody())
        let answers = try await service.recommend(to: users, query)
        return .json(capacity: 64 + 1024 * users.count) { json in
            json.key("results")
            json.array { json in
                for (user, answer) in zip(users, answers) {
                    switch answer {
                    case .success(let answer): json.recommendations(answer, of: user)
                    case .failure(let error):
                        json.object { json in
                            json.member("user", user)
                            json.problemMember(Problem(error), context)
                        }
                    }
                }
            }
        }
    }

    private func ofSession(_ request: Request, _ context: ServerContext) async throws -> Response {
        try Query(request).finish()
        let now = Timestamp(Date())
        let body = try SessionBody(await request.jsonBody())
        let session = try body.token.map { (token) throws(Problem) in try StateToken.open(token, keys, now: now) }
        let events = try body.events(after: session?.events.last?.time, now: now)
        let (answer, next, isTruncated) = try await service.recommend(
            session: session ?? .empty, adding: events, body.query)
        let (token, kept) = StateToken.seal(next, keys, now: now)
        return .json(capacity: 256 + 96 * answer.items.count + token.utf8.count) { json in
            json.recommendationMembers(answer, of: nil)
            json.member("token", token)
            json.member("tokenEvents", kept)
            json.member("truncated", isTruncated)
        }
    }
}

/// The body of a batch.
private enum BatchBody {
    static func read(_ body: [UInt8]) throws(Problem) -> (users: [RawID], query: RecommendationQuery) {
        var (users, query): ([RawID]?, RecommendationQuery) = (nil, RecommendationQuery())
        try JSONReader.read(body) { (reader) throws(Problem) in
            try reader.object { (key, reader) throws(Problem) in
                if key == "users" {
                    users = try reader.ids(limit: Limits.users)
                } else if try !query.read(key, &reader) {
                    throw reader.unknownField()
                }
            }
        }
        guard let users else { throw Problem(field: "users", "is missing") }
        return (users, query)
    }
}

/// The body of a session's request.
private struct SessionBody {
    var token: String?
    var query = RecommendationQuery()
    private var newEvents: [(item: RawID, time: Timestamp?)] = []

    init(_ body: [UInt8]) throws(Problem) {
        self = try JSONReader.read(body) { (reader) throws(Problem) in try SessionBody(&reader) }
    }

    private init(_ reader: inout JSONReader) throws(Problem) {
        try reader.object { (key, reader) throws(Problem) in
            switch key {
            case "token": token = try reader.string()
            case "events":
                newEvents = try reader.array(limit: Limits.events) { (reader) throws(Problem) in
                    try reader.sessionEvent()
                }
            default: guard try query.read(key, &reader) else { throw reader.unknownField() }
            }
        }
    }

    /// The events with their times: now where they have none, and never before the one that precedes them.
    func events(after last: Timestamp?, now: Timestamp) throws(Problem) -> [SessionState.Event] {
        var previous = last ?? Timestamp.range.lowerBound
        var events: [SessionState.Event] = []
        for (index, (item, given)) in newEvents.enumerated() {
            let time = given ?? max(now, previous)
            guard time >= previous else {
                throw Problem(field: "events[\(index)].timestamp", "is before the event that precedes it")
            }
            guard time <= now.adding(seconds: EventLogRules.secondsAhead) else {
                throw Problem(
                    field: "events[\(index)].timestamp", "more than 10 minutes ahead of the server's clock")
            }
            events.append(SessionState.Event(item: item, time: time))
            previous = time
        }
        return events
    }
}

extension JSONReader {
    fileprivate mutating func sessionEvent() throws(Problem) -> (item: RawID, time: Timestamp?) {
        var (item, time): (RawID?, Timestamp?) = (nil, nil)
        try object { (key, reader) throws(Problem) in
            switch key {
            case "item": item = try reader.id()
            case "timestamp": time = try reader.time()
            default: throw reader.unknownField()
            }
        }
        guard let item else { throw problem("is missing", at: "item") }
        return (item, time)
    }
}
