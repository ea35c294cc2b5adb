import Events
import Identifiers
import Live

extension Query {
    /// The parameters of a recommendation. `count`: the one that says how many.
    mutating func recommendation(count: String = "n") throws(Problem) -> RecommendationQuery {
        var query = RecommendationQuery()
        if let n = try integer(count, in: 0...Limits.count) { query.count = n }
        if let text = try one("excludeSeen") {
            guard let rule = RecommendationQuery.SeenRule(text) else {
                throw Problem(field: "excludeSeen", RecommendationQuery.SeenRule.expectation)
            }
            query.excludeSeen = rule
        }
        query.excluded = try ids("exclude", limit: Limits.queryChoices) ?? []
        query.only = try ids("only", limit: Limits.queryChoices)
        query.categories = try ids("category", limit: Limits.categories)?.map(\.text)
        if let text = try one("at") {
            guard let time = Timestamp(iso8601: text) ?? Timestamp(seconds: text) else {
                throw Problem(field: "at", Timestamp.expectation)
            }
            query.at = time
        }
        query.explains = try flag("explain")
        return query
    }

    /// The first parameter that makes sense for a recommendation only; nil where there is none.
    var recommendationParameter: String? {
        ["exclude", "excludeSeen", "only", "category", "at", "explain"].first(where: has)
    }

    private mutating func ids(_ name: String, limit: Int) throws(Problem) -> [RawID]? {
        let values = try all(name, limit: limit)
        for value in values {
            if let refusal = IDRules.refusal(value) { throw Problem(field: name, refusal) }
        }
        return values.isEmpty ? nil : values.map { RawID($0) }
    }
}

extension RecommendationQuery {
    /// Reads the member `key` of a body that asks for recommendations; returns whether there is one of this name.
    mutating func read(_ key: String, _ reader: inout JSONReader) throws(Problem) -> Bool {
        switch key {
        case "n": count = try reader.integer(in: 0...Limits.count)
        case "excludeSeen":
            guard let rule = SeenRule(try reader.string()) else { throw reader.problem(SeenRule.expectation) }
            excludeSeen = rule
        case "exclude": excluded = try reader.ids(limit: Limits.choices)
        case "only": only = try reader.ids(limit: Limits.choices)
        case "category": categories = try reader.ids(limit: Limits.categories).map(\.text)
        case "at": at = try reader.time()
        case "explain": explains = try reader.boolean()
        default: return false
        }
        return true
    }
}

extension RecommendationQuery.SeenRule {
    /// What is wrong with a rule that is none.
    static let expectation = "must be always, never, or a number of days as in 30d"

    /// The rule of a parameter: `always`, `never`, `30d`.
    init?(_ text: String) {
        switch text {
        case "always": self = .always
        case "never": self = .never
        default:
            let digits = text.dropLast()
            guard text.last == "d", !digits.hasPrefix("+"), let days = Int64(digits), (1...36_500).contains(days) else {
                return nil
            }
            self = .within(seconds: days * 86_400)
        }
    }
}

extension JSONWriter {
    /// Recommendations as an object.
    mutating func recommendations(_ answer: Recommendations, of user: RawID?) {
        object { json in json.recommendationMembers(answer, of: user) }
    }

    /// The members of recommendations.
    mutating func recommendationMembers(_ answer: Recommendations, of user: RawID?) {
        if let user { member("user", user) }
        member("modelVersion", answer.modelVersion)
        member("recommendationId", answer.id)
        member("basis", answer.basis.rawValue)
        member("events", answer.eventCount)
        member("knownEvents", answer.knownCount)
        key("items")
        array { json in
            for item in answer.items { json.recommendedItem(item) }
        }
        key("timing")
        object { json in
            json.member("stepMicroseconds", Double(answer.stepNanoseconds) / 1000)
            json.member("rankMicroseconds", Double(answer.rankNanoseconds) / 1000)
        }
    }

    private mutating func recommendedItem(_ item: Recommendations.Item) {
        object { json in
            json.member("item", item.item)
            if let title = item.title { json.member("title", title) }
            json.member("score", item.score)
            if let explanation = item.explanation {
                json.key("explanation")
                json.explanation(explanation)
            }
        }
    }

    private mutating func explanation(_ explanation: Recommendations.Explanation) {
        object { json in
            json.key("terms")
            json.array { json in
                for term in explanation.terms {
                    json.object { json in
                        json.member("item", term.item)
                        json.member("timestamp", term.time)
                        json.member("contribution", term.contribution)
                        if let without = term.scoreWithout { json.member("scoreWithout", without) }
                    }
                }
            }
            json.member("earlier", explanation.earlier)
            json.member("constant", explanation.constant)
            json.member("repeats", explanation.repeats)
            json.member("transitions", explanation.transitions)
        }
    }
}
