import Live

/// The parts of the document that operations refer to, as JSON.
enum Schemas {
    /// Parameters by the names that operations use.
    static let parameters: [(name: String, json: String)] = [
        ("user", path("user", "A user. Percent-encoded; slashes too.", "u1")),
        ("item", path("item", "An item. Percent-encoded; slashes too.", "i7")),
        ("event", path("event", "An eventId, or position: and the event's position in the log.", "position:17")),
        ("version", path("version", "A version of the model.", "2026-11")),
        ("n", query("n", "How many.", #"{"type":"integer","minimum":0,"maximum":\#(Limits.count),"default":10}"#)),
        (
            "recommend",
            query(
                "recommend", "How many recommendations; none without it.",
                #"{"type":"integer","minimum":0,"maximum":\#(Limits.count)}"#)
        ),
        (
            "exclude",
            query("exclude", "Items that are not recommended. Repeated for each.", list("Id", Limits.queryChoices))
        ),
        ("excludeSeen", query("excludeSeen", "Whether items that the user has met are left out.", ref("SeenRule"))),
        ("only", query("only", "Items that may be recommended; all without it.", list("Id", Limits.queryChoices))),
        (
            "category",
            query("category", "Categories, of which an item has at least one.", list("Id", Limits.categories))
        ),
        ("at", query("at", "The time of the request, if it is not now. Not before the last event.", ref("Time"))),
        (
            "explain",
            query(
                "explain",
                "Whether to say which events speak for each item, for at most \(RecommendationQuery.maximumExplained) items: of more, 400 names the field that says how many.",
                flag)
        ),
        (
            "limit",
            query("limit", "How many.", #"{"type":"integer","minimum":1,"maximum":\#(Limits.page),"default":100}"#)
        ),
        ("before", query("before", "The next of the page before.", #"{"type":"string"}"#)),
        ("after", query("after", "The next of the page before. Not with q.", #"{"type":"string"}"#)),
        ("q", query("q", "A part of a title or of an identifier.", #"{"type":"string","maxLength":\#(Limits.title)}"#)),
        ("itemToDelete", query("item", "The item.", ref("Id"), isRequired: true)),
        ("type", query("type", "Events of this type only.", ref("Id"))),
        ("wait", query("wait", "Whether to wait until no file of the store holds the bytes.", flag)),
    ]

    /// Schemas by name.
    static let all: [(name: String, json: String)] = basic + requests + replies

    private static let basic = [
        (
            "Id",
            #"""
            {"type":"string","minLength":1,"maxLength":\#(IDRules.maximumBytes),"pattern":"^[^\\u0000-\\u001F\\u007F-\\u009F]+$",
             "description":"1 to \#(IDRules.maximumBytes) bytes of UTF-8 without control characters. Compared byte by byte."}
            """#
        ),
        (
            "Time",
            #"""
            {"description":"ISO 8601 with a zone, or seconds since 1970; of the years 1 to 9999.","oneOf":[
             {"type":"string","format":"date-time"},{"type":"number","minimum":-62135596800,"exclusiveMaximum":253402300800}]}
            """#
        ),
        ("Moment", #"{"type":"string","format":"date-time","description":"In UTC, to the microsecond."}"#),
        (
            "SeenRule",
            #"""
            {"type":"string","pattern":"^(always|never|([1-9][0-9]{0,3}|[12][0-9]{4}|3[0-5][0-9]{3}|36[0-4][0-9]{2}|36500)d)$","default":"always",
             "description":"always, never, or as in 30d: those of the last so many days before at. Times are compared in whole seconds, so an item is \#
             left out for up to a second more. Of a session only the items of the events that its token holds are known (tokenEvents)."}
            """#
        ),
        (
            "Problem",
            object(
                required: ["type", "title", "status", "detail", "requestId"],
                #"""
                "type":{"type":"string"},"title":{"type":"string"},"status":{"type":"integer"},
                "detail":{"type":"string","description":"One sentence for people."},
                "field":{"type":"string","description":"What is to blame: events[2].timestamp"},
                "requestId":{"type":"string","description":"As in the server's log."}
                """#)
        ),
        ("Metrics", #"{"type":"string"}"#),
        ("OpenAPI", #"{"type":"object","required":["openapi"]}"#),
        ("Health", object(required: ["status"], #""status":{"enum":["live","ready"]}"#)),
    ]

    private static let choiceMembers = #"""
        "n":{"type":"integer","minimum":0,"maximum":\#(Limits.count),"default":10},
        "exclude":\#(list("Id", Limits.choices)),"excludeSeen":\#(ref("SeenRule")),
        "only":\#(list("Id", Limits.choices)),"category":\#(list("Id", Limits.categories)),
        "at":\#(ref("Time")),
        "explain":{"type":"boolean","default":false,"description":"For at most \#(RecommendationQuery.maximumExplained) items; of more, 400 names n."}
        """#
    private static let eventMembers = #"""
        "item":\#(ref("Id")),
        "type":{"$ref":"#/components/schemas/Id","default":"event","description":"The kind of the event."},
        "timestamp":{"$ref":"#/components/schemas/Time","description":"When; now without it. At most 10 minutes ahead of the server's clock."},
        "value":{"type":"number","description":"A number that comes with it; models do not use it."},
        "eventId":{"type":"string","minLength":1,"maxLength":\#(IDRules.maximumBytes),"pattern":"^(?!position:)[^\\u0000-\\u001F\\u007F-\\u009F]+$",
         "description":"The sender's name of the event, unique per user: a retry is a duplicate."},
        "recommendationId":{"$ref":"#/components/schemas/Id","description":"The recommendation that led to it."}
        """#
    private static let annotationMembers = #"""
        "title":{"type":"string","maxLength":\#(Limits.title),"pattern":"^[^\\u0000-\\u001F\\u007F-\\u009F]*$"},
        "categories":\#(list("Id", Limits.categories)),"hidden":{"type":"boolean","default":false}
        """#

    private static let requests = [
        ("NewEvent", object(required: ["user", "item"], #""user":\#(ref("Id")),\#(eventMembers)"#)),
        ("NewEventOfUser", object(required: ["item"], eventMembers)),
        ("EventsOfUsers", oneOrMany("NewEvent", Limits.events)),
        ("EventsOfUser", oneOrMany("NewEventOfUser", Limits.events)),
        (
            "BatchRequest",
            object(required: ["users"], #""users":\#(list("Id", Limits.users)),\#(choiceMembers)"#)
        ),
        (
            "SessionRequest",
            object(
                required: [],
                #"""
                "events":{"type":"array","maxItems":\#(Limits.events),"description":"In the order of their times.","items":
                \#(object(required: ["item"], #""item":\#(ref("Id")),"timestamp":\#(ref("Time"))"#))},
                "token":{"type":"string","maxLength":\#(StateToken.maximumLength),"description":"Of the last reply."},\#(choiceMembers)
                """#)
        ),
        ("ItemAnnotation", object(required: [], annotationMembers)),
        (
            "ItemAnnotations",
            #"""
            {"type":"array","minItems":1,"maxItems":\#(Limits.items),"items":
            \#(object(required: ["item"], #""item":\#(ref("Id")),\#(annotationMembers)"#))}
            """#
        ),
    ]

    private static let receiptMembers = #"""
        "events":{"type":"array","items":\#(ref("Receipt"))},
        "durability":{"enum":["full","relaxed"],"description":"full: on disk; relaxed: handed to the system."}
        """#
    private static let recommendationMembers = #"""
        "modelVersion":{"type":"string"},
        "recommendationId":{"$ref":"#/components/schemas/Id","description":"Events that it led to may cite it."},
        "basis":{"enum":["history","emptyHistory","popularity","none"],"description":"history: the user's events; emptyHistory: the model's answer without \#
        events; popularity: the most popular items, since there are no events that the model knows; none: nothing is known."},
        "events":{"type":"integer","description":"Events that the answer knows of."},
        "knownEvents":{"type":"integer","description":"Those of them whose items the model knows."},
        "items":{"type":"array","description":"Best first.","items":\#(ref("RecommendedItem"))},
        "timing":\#(object(required: ["stepMicroseconds", "rankMicroseconds"], #"""
        "stepMicroseconds":{"type":"number","description":"How long the pass took that moved the state by the events of this request. A pass moves the states of \#
        all users whose events wait, and is the same time for each; 0 where nothing had to move."},
        "rankMicroseconds":{"type":"number","description":"How long the ranking took, for all requests that were ranked together."}
        """#))
        """#
    private static let recommendationRequired = [
        "modelVersion", "recommendationId", "basis", "events", "knownEvents", "items", "timing",
    ]

    private static let replies = [
        (
            "Receipt",
            object(
                required: ["position", "timestamp", "known", "duplicate"],
                #"""
                "position":{"type":"integer","description":"Its place in the log."},"timestamp":\#(ref("Moment")),
                "known":{"type":"boolean","description":"Whether the model knows the item and the event moves the state."},
                "duplicate":{"type":"boolean","description":"Whether it was there before."},"eventId":\#(ref("Id"))
                """#)
        ),
        ("Receipts", object(required: ["events", "durability"], receiptMembers)),
        (
            "ReceiptsAndRecommendations",
            object(
                required: ["events", "durability"],
                #"""
                \#(receiptMembers),"recommendations":\#(ref("Recommendations")),
                "problem":{"$ref":"#/components/schemas/Problem","description":"Why there are no recommendations, where they were asked for and failed. \#
                The events are stored: do not send them again, ask for the recommendations."}
                """#)
        ),
        (
            "Event",
            object(
                required: ["position", "item", "type", "timestamp"],
                #"""
                "position":{"type":"integer"},"item":\#(ref("Id")),"type":\#(ref("Id")),"timestamp":\#(ref("Moment")),
                "value":{"type":"number"},"eventId":\#(ref("Id")),"recommendationId":\#(ref("Id"))
                """#)
        ),
        (
            "Events",
            object(
                required: ["events"], #""events":{"type":"array","items":\#(ref("Event"))},"next":{"type":"string"}"#)
        ),
        ("DeletedEvents", object(required: ["deleted"], #""deleted":{"type":"integer","minimum":1}"#)),
        ("DeletedUser", object(required: ["deleted"], #""deleted":{"const":true}"#)),
        (
            "User",
            object(
                required: ["user", "events"],
                #""user":\#(ref("Id")),"events":{"type":"integer"},"first":\#(ref("Moment")),"last":\#(ref("Moment"))"#)
        ),
        (
            "RecommendedItem",
            object(
                required: ["item", "score"],
                #"""
                "item":\#(ref("Id")),"title":{"type":"string"},
                "score":{"type":"number","description":"The model's logit; of popular items the number of training events."},
                "explanation":\#(ref("Explanation"))
                """#)
        ),
        (
            "Explanation",
            object(
                required: ["terms", "earlier", "constant", "repeats", "transitions"],
                #"""
                "terms":{"type":"array","description":"The latest events, the last one first. With the other members they add up to the score.","items":\#(
                    object(required: ["item", "timestamp", "contribution"], #"""
                    "item":\#(ref("Id")),"timestamp":\#(ref("Moment")),"contribution":{"type":"number"},
                    "scoreWithout":{"type":"number","description":"The score if the event had not been; for the three largest contributions."}
                    """#))},
                "earlier":{"type":"number"},"constant":{"type":"number"},"repeats":{"type":"number"},"transitions":{"type":"number"}
                """#)
        ),
        (
            "Recommendations",
            object(required: recommendationRequired, #""user":\#(ref("Id")),\#(recommendationMembers)"#)
        ),
        (
            "BatchReply",
            object(
                required: ["results"],
                #"""
                "results":{"type":"array","items":{"oneOf":[\#(ref("Recommendations")),
                \#(object(required: ["user", "problem"], #""user":\#(ref("Id")),"problem":\#(ref("Problem"))"#))]}}
                """#)
        ),
        (
            "SessionReply",
            object(
                required: recommendationRequired + ["token", "tokenEvents", "truncated"],
                #"""
                \#(recommendationMembers),"token":{"type":"string","description":"For the next request."},
                "tokenEvents":{"type":"integer","description":"How many of the session's events the token has room for: the latest."},
                "truncated":{"type":"boolean","description":"Whether the state was computed anew from fewer events than there were."}
                """#)
        ),
        (
            "Item",
            object(
                required: ["item", "categories", "hidden", "known"],
                #"""
                "item":\#(ref("Id")),"title":{"type":"string"},"categories":{"type":"array","items":{"type":"string"}},
                "hidden":{"type":"boolean"},"known":{"type":"boolean","description":"Whether the model that serves knows it."}
                """#)
        ),
        (
            "Items",
            object(required: ["items"], #""items":{"type":"array","items":\#(ref("Item"))},"next":{"type":"string"}"#)
        ),
        ("ItemCount", object(required: ["items"], #""items":{"type":"integer"}"#)),
        ("HiddenItem", object(required: ["hidden"], #""hidden":{"const":true}"#)),
        (
            "Model",
            object(
                required: ["version", "status"],
                #"""
                "version":{"type":"string"},"status":{"enum":["active","previous","loading","available"]},"items":{"type":"integer"},
                "summary":{"type":"string"},"failure":{"type":"string","description":"Why it could not be released."}
                """#)
        ),
        ("Models", object(required: ["models"], #""models":{"type":"array","items":\#(ref("Model"))}"#)),
    ]

    // MARK: Building blocks

    private static let flag = #"{"type":"boolean","default":false}"#

    static func ref(_ schema: String) -> String { ##"{"$ref":"#/components/schemas/\##(schema)"}"## }

    private static func list(_ schema: String, _ limit: Int) -> String {
        #"{"type":"array","maxItems":\#(limit),"items":\#(ref(schema))}"#
    }

    private static func oneOrMany(_ schema: String, _ limit: Int) -> String {
        #"{"oneOf":[\#(ref(schema)),{"type":"array","minItems":1,"maxItems":\#(limit),"items":\#(ref(schema))}]}"#
    }

    private static func object(required: [String], _ members: String) -> String {
        let names = required.map { "\"\($0)\"" }.joined(separator: ",")
        return #"{"type":"object","additionalProperties":false,"required":[\#(names)],"properties":{\#(members)}}"#
    }

    private static func path(_ name: String, _ description: String, _ example: String) -> String {
        #"{"name":"\#(name)","in":"path","required":true,"description":"\#(description)","schema":\#(ref("Id")),"example":"\#(example)"}"#
    }

    private static func query(_ name: String, _ description: String, _ schema: String, isRequired: Bool = false)
        -> String
    {
        #"{"name":"\#(name)","in":"query","required":\#(isRequired),"description":"\#(description)","schema":\#(schema)}"#
    }
}
