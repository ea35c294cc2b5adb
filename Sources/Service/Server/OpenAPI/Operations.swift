import HTTPTypes

extension Operation {
    /// All routes but those for Gorse's clients, under `/api`.
    static let all = events + users + recommendations + items + models + others

    private static let recommendationParameters = ["exclude", "excludeSeen", "only", "category", "at", "explain"]

    private static let events = [
        Operation(
            method: .post, path: "/v1/events", id: "storeEvents", summary: "Store events",
            description: """
                One event or an array of them, stored whole or refused. The reply comes when they are in the log (on disk, where durability is \
                full). An event with an eventId that is there already is a duplicate and changes nothing; with other content it is a conflict.
                """,
            body: Content("EventsOfUsers", #"[{"user":"u1","item":"i7","type":"view","eventId":"c41"}]"#),
            reply: Content("Receipts", #"{"events":[\#(receipt)],"durability":"full"}"#), problems: [409, 507]),
        Operation(
            method: .post, path: "/v1/users/{user}/events", id: "storeEventsOfUser",
            summary: "Store events of a user and recommend",
            description: """
                As storeEvents, for one user. With the parameter recommend, the reply has that many recommendations, made of these events too; \
                the other parameters say which, as in recommend. When the events are stored, the reply is a success even where the recommendations \
                fail: then it has the problem instead of them.
                """,
            parameters: ["user", "recommend"] + recommendationParameters,
            body: Content("EventsOfUser", #"{"item":"i7","eventId":"c41"}"#),
            reply: Content(
                "ReceiptsAndRecommendations",
                #"{"events":[\#(receipt)],"durability":"full","recommendations":\#(answer)}"#),
            problems: [409, 507]),
        Operation(
            method: .get, path: "/v1/users/{user}/events", id: "listEvents", summary: "Events of a user",
            description:
                "The last one first. `next` is there where more follow, and is the next page's parameter before.",
            parameters: ["user", "limit", "before"],
            reply: Content("Events", #"{"events":[\#(event)],"next":"hTw0ZgAGYWLTZSAAAAAAAAAAEQ"}"#)),
        Operation(
            method: .delete, path: "/v1/users/{user}/events", id: "deleteEventsOfItem",
            summary: "Forget a user's events of an item",
            description: "The user's state is as if they had never been.",
            parameters: ["user", "itemToDelete", "type", "wait"],
            reply: Content("DeletedEvents", #"{"deleted":2}"#), problems: [507]),
        Operation(
            method: .get, path: "/v1/users/{user}/events/{event}", id: "getEvent", summary: "An event",
            description: "By its eventId, or by its position in the log.", parameters: ["user", "event"],
            reply: Content("Event", event)),
        Operation(
            method: .delete, path: "/v1/users/{user}/events/{event}", id: "deleteEvent",
            summary: "Forget an event",
            description: "The user's state is as if it had never been.", parameters: ["user", "event", "wait"],
            reply: Content("DeletedEvents", #"{"deleted":1}"#), problems: [507]),
    ]

    private static let users = [
        Operation(
            method: .get, path: "/v1/users/{user}", id: "getUser", summary: "What is known of a user",
            description: "The number of events, and the times of the first and the last.", parameters: ["user"],
            reply: Content("User", #"{"user":"u1","events":2,"first":"\#(time)","last":"\#(time)"}"#)),
        Operation(
            method: .delete, path: "/v1/users/{user}", id: "deleteUser", summary: "Forget a user",
            description: "Events, event ids, state, and the user's identifier.", parameters: ["user", "wait"],
            reply: Content("DeletedUser", #"{"deleted":true}"#), problems: [507]),
    ]

    private static let recommendations = [
        Operation(
            method: .get, path: "/v1/users/{user}/recommendations", id: "recommend",
            summary: "The best next items of a user",
            description:
                "Made of all events whose storing was acknowledged before. A user without events gets an answer too: see basis.",
            parameters: ["user", "n"] + recommendationParameters,
            reply: Content("Recommendations", answer)),
        Operation(
            method: .post, path: "/v1/recommendations:batch", id: "recommendMany",
            summary: "The best next items of many users",
            description: "All by one version of the model. Each user has recommendations or a problem.",
            body: Content("BatchRequest", #"{"users":["u1","u2"],"n":1}"#),
            reply: Content("BatchReply", #"{"results":[\#(answer)]}"#)),
        Operation(
            method: .post, path: "/v1/sessions/recommendations", id: "recommendToSession",
            summary: "The best next items of a session that the client keeps",
            description: """
                Nothing is stored. The first request has the session's events; later ones have the token of the last reply and the events since. A token \
                that is sent twice gives the same answer twice. Tokens are accepted for a week; forgetting a user does not reach tokens.
                """,
            body: Content("SessionRequest", #"{"events":[{"item":"i7"},{"item":"i9","timestamp":"\#(time)"}],"n":1}"#),
            reply: Content(
                "SessionReply",
                #"{\#(answerMembers),"token":"AQx1rGk…","tokenEvents":2,"truncated":false}"#)),
    ]

    private static let items = [
        Operation(
            method: .get, path: "/v1/items", id: "listItems", summary: "Items",
            description: """
                Those that the model knows, then annotated ones that it does not. With q: those whose title or identifier contains it, the most \
                popular first, on one page; an empty q is none.
                """, parameters: ["limit", "after", "q"],
            reply: Content("Items", #"{"items":[\#(item)]}"#)),
        Operation(
            method: .post, path: "/v1/items", id: "annotateItems", summary: "Annotate many items",
            description: "All or none; each as in annotateItem.",
            body: Content("ItemAnnotations", #"[{"item":"i7","title":"Tea","categories":["drinks"]}]"#),
            reply: Content("ItemCount", #"{"items":1}"#), problems: [507]),
        Operation(
            method: .get, path: "/v1/items/{item}", id: "getItem", summary: "An item",
            description: "What the model and annotations say about it.", parameters: ["item"],
            reply: Content("Item", item)),
        Operation(
            method: .put, path: "/v1/items/{item}", id: "annotateItem", summary: "Annotate an item",
            description: """
                Title, categories and hidden are replaced, also where the body leaves them out: a hidden item is shown again unless hidden is true. \
                Labels, comment and time that clients of Gorse's interface have given to it stay.
                """,
            parameters: ["item"],
            body: Content("ItemAnnotation", #"{"title":"Tea","categories":["drinks"],"hidden":false}"#),
            reply: Content("Item", item), problems: [507]),
        Operation(
            method: .delete, path: "/v1/items/{item}", id: "hideItem", summary: "Hide an item",
            description: "It is not recommended until it is annotated again. Its events stay.", parameters: ["item"],
            reply: Content("HiddenItem", #"{"hidden":true}"#), problems: [507]),
    ]

    private static let models = [
        Operation(
            method: .get, path: "/v1/models", id: "listModels", summary: "Versions of the model",
            description: "Those in the folder, and what the service does with each.",
            reply: Content("Models", #"{"models":[\#(model)]}"#)),
        Operation(
            method: .post, path: "/v1/models/{version}:activate", id: "activateModel",
            summary: "Release a version",
            description: """
                Returns when it answers; until then the version before does, and it goes on where the new one cannot be released. Going back is \
                activating the version before.
                """, parameters: ["version"], reply: Content("Model", model), problems: [409, 507]),
    ]

    private static let others = [
        Operation(
            method: .get, path: "/health/live", id: "isLive", summary: "Whether the process answers",
            description: "Needs no key.", reply: Content("Health", #"{"status":"live"}"#)),
        Operation(
            method: .get, path: "/health/ready", id: "isReady",
            summary: "Whether the service takes requests",
            description: "Needs no key. 503 while it starts or stops.", reply: Content("Health", #"{"status":"ready"}"#)
        ),
        Operation(
            method: .get, path: "/metrics", id: "getMetrics", summary: "Metrics for Prometheus",
            description: "In its text format.", reply: metrics),
        Operation(
            method: .get, path: "/openapi.json", id: "getOpenAPI", summary: "This document",
            description: "Needs no key.", reply: Content("OpenAPI", #"{"openapi":"3.1.0"}"#)),
    ]

    private static let metrics = {
        var content = Content("Metrics", ##""# TYPE recblr_events_total counter\nrecblr_events_total 17\n""##)
        content.mediaType = "text/plain"
        return content
    }()

    // MARK: Examples

    private static let time = "2026-11-26T03:00:00.5Z"
    private static let receipt =
        #"{"position":17,"timestamp":"\#(time)","known":true,"duplicate":false,"eventId":"c41"}"#
    private static let event = #"{"position":17,"item":"i7","type":"view","timestamp":"\#(time)","eventId":"c41"}"#
    private static let answer = #"{"user":"u1",\#(answerMembers)}"#
    private static let answerMembers = """
        "modelVersion":"2026-11","recommendationId":"2026-11:4f3a09c27be1d586","basis":"history","events":2,"knownEvents":2,\
        "items":[{"item":"i9","title":"Tea","score":4.25}],"timing":{"stepMicroseconds":13.5,"rankMicroseconds":60.25}
        """
    private static let item = #"{"item":"i7","title":"Tea","categories":["drinks"],"hidden":false,"known":true}"#
    private static let model =
        #"{"version":"2026-11","status":"active","items":3416,"summary":"bdlru, hidden size 64, 2 layers"}"#
}
