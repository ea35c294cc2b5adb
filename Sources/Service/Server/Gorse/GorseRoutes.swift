import HTTPTypes
import Hummingbird
import Live
import NIOCore

/// What Gorse's clients call, under `/api`, so that they need not be changed: https://gorse.io/docs/api.
///
/// Different from Gorse: a user's feedback of one type and item is one event for each timestamp, since repetitions matter here; items of the
/// model need not be inserted; and times more than 10 minutes ahead are refused.
struct GorseRoutes {
    let service: LiveService

    func add(to router: Router<ServerContext>) {
        GorseUserRoutes(service: service).add(to: router)
        GorseItemRoutes(service: service).add(to: router)
        GorseFeedbackRoutes(service: service).add(to: router)
        GorseRecommendationRoutes(service: service).add(to: router)
        router.get("/api/health/live") { _, _ in health }
        router.get("/api/health/ready") { _, _ in
            guard service.isReady else { throw Problem(ServiceError.stopping) }
            return health
        }
        for (path, what) in Self.missing {
            router.get(RouterPath(path)) { _, _ -> Response in
                throw Problem(.notImplemented, "RecBLR has no \(what); it recommends to users and sessions")
            }
        }
    }

    private var health: Response {
        .json { json in
            json.member("Ready", service.isReady)
            for key: StaticString in ["DataStoreError", "CacheStoreError"] {
                json.key(key)
                json.null()
            }
            json.member("DataStoreConnected", true)
            json.member("CacheStoreConnected", true)
        }
    }

    /// Routes of Gorse for which there is nothing here.
    private static let missing = [
        ("/api/item/{item}/neighbors", "neighbors of items"),
        ("/api/item/{item}/neighbors/{category}", "neighbors of items"),
        ("/api/item-to-item/{name}/{item}", "neighbors of items"),
        ("/api/user/{user}/neighbors", "neighbors of users"),
        ("/api/user-to-user/{name}/{user}", "neighbors of users"),
        ("/api/item/{item}/feedback", "list of an item's feedback"),
        ("/api/item/{item}/feedback/{type}", "list of an item's feedback"),
        ("/api/popular", "list of popular items"), ("/api/popular/{category}", "list of popular items"),
        ("/api/latest", "list of the latest items"), ("/api/latest/{category}", "list of the latest items"),
        ("/api/non-personalized/{name}", "recommendations for nobody"),
        ("/api/collaborative-filtering/{user}", "intermediate recommendations"),
        ("/api/collaborative-filtering/{user}/{category}", "intermediate recommendations"),
        ("/api/intermediate/recommend/{user}", "intermediate recommendations"),
        ("/api/intermediate/recommend/{user}/{category}", "intermediate recommendations"),
        ("/api/measurements/{name}", "measurements of this kind; see /metrics"),
    ]
}

extension Request {
    /// Whether it is one of Gorse's clients, also where there is no such address.
    var isOfGorse: Bool { uri.path == "/api" || uri.path.hasPrefix("/api/") }
}

extension Problem {
    /// The reply as Gorse writes it: plain text.
    var gorseResponse: Response {
        let text = ByteBuffer(string: field.map { "\($0): \(detail)" } ?? detail)
        var headers = headers
        headers[.contentType] = "text/plain; charset=utf-8"
        headers[.contentLength] = String(text.readableBytes)
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: text))
    }
}

extension Response {
    /// What Gorse replies to changes.
    static func rowsAffected(_ count: Int) -> Response { .json { $0.member("RowAffected", count) } }
}
