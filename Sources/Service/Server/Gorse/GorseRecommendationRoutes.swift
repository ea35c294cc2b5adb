import Events
import Foundation
import HTTPTypes
import Hummingbird
import Identifiers
import Live

/// Gorse's recommendations: of a user, and of a session.
struct GorseRecommendationRoutes {
    let service: LiveService

    func add(to router: Router<ServerContext>) {
        router.get("/api/recommend/{user}", use: ofUser)
        router.get("/api/recommend/{user}/{category}", use: ofUser)
        router.post("/api/session/recommend", use: ofSession)
        router.post("/api/session/recommend/{category}", use: ofSession)
    }

    private func ofUser(_ request: Request, _ context: ServerContext) async throws -> Response {
        let user = try context.id("user")
        var parameters = try Query(request)
        let choice = try Choice(&parameters, context)
        let writeBack = try WriteBack(&parameters)
        let answer = try await service.recommend(to: user, choice.query)
        let items = answer.items.dropFirst(choice.offset)
        if let writeBack, !items.isEmpty {
            _ = try await service.append(writeBack.events(items.map(\.item), of: user))
        }
        guard request.headers[.apiVersion] == "2" else {
            return .jsonArray { json in items.forEach { json.string($0.item) } }
        }
        return .scores(items)
    }

    private func ofSession(_ request: Request, _ context: ServerContext) async throws -> Response {
        var parameters = try Query(request)
        let choice = try Choice(&parameters, context)
        let feedback = try GorseFeedback.read(await request.jsonBody())
        let now = Timestamp(Date())
        let events = feedback.enumerated().map {
            (index: $0.offset, item: $0.element.item!, time: $0.element.time ?? now)
        }
        .sorted { ($0.time, $0.index) < ($1.time, $1.index) }
        .map { SessionState.Event(item: $0.item, time: $0.time) }
        let answer = try await service.recommend(session: .empty, adding: events, choice.query)
        return .scores(answer.recommendations.items.dropFirst(choice.offset))
    }
}

/// Which items are asked for.
private struct Choice {
    var query = RecommendationQuery()
    /// So many of the best are left out.
    let offset: Int

    init(_ parameters: inout Query, _ context: ServerContext) throws(Problem) {
        offset = try parameters.goInteger("offset", in: 0...GorseLimits.count) ?? 0
        let count = try parameters.goInteger("n", in: 0...GorseLimits.count) ?? GorseLimits.defaultCount
        query.count = offset + count
        var categories = try parameters.all("category", limit: Limits.categories).filter { !$0.isEmpty }
        if context.parameters["category"] != nil { categories.append(try context.id("category").text) }
        guard categories.count < 2 else {
            throw Problem(.notImplemented, "RecBLR takes one category; with more, Gorse wants items that have all")
        }
        if !categories.isEmpty { query.categories = categories }
    }
}

/// That what is recommended is stored as if the user had met it.
private struct WriteBack {
    let type: String
    let time: Timestamp

    /// Nil where it is not asked for. The log takes no times more than 10 minutes ahead; a longer delay counts as 10 minutes.
    init?(_ parameters: inout Query) throws(Problem) {
        let text = try parameters.goOne("write-back-delay") ?? "0"
        guard let delay = GoDuration(text) else {
            throw Problem(field: "write-back-delay", "must be a length of time, as in 10m or 1h30m")
        }
        guard let type = try parameters.goOne("write-back-type") else { return nil }
        if let refusal = IDRules.refusal(type) { throw Problem(field: "write-back-type", refusal) }
        let seconds = min(delay.seconds, Double(EventLogRules.secondsAhead))
        guard seconds > -1e9 else { throw Problem(field: "write-back-delay", "is too long ago") }
        self.type = type
        time = Timestamp(microseconds: Timestamp(Date()).microseconds + Int64(seconds * 1_000_000))
    }

    func events(_ items: [RawID], of user: RawID) -> [NewEvent] {
        items.map { NewEvent(gorse: type, user, $0, at: time) }
    }
}

extension Response {
    /// Items with their scores, as Gorse writes them.
    fileprivate static func scores(_ items: ArraySlice<Recommendations.Item>) -> Response {
        .jsonArray(capacity: 64 + 64 * items.count) { json in
            for item in items {
                json.object { json in
                    json.member("Id", item.item)
                    json.member("Score", item.score)
                }
            }
        }
    }
}

extension HTTPField.Name {
    fileprivate static let apiVersion = HTTPField.Name("X-API-Version")!
}
