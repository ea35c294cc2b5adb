import HTTPTypes

/// One route as the document describes it.
struct Operation {
    /// What is in a body.
    struct Content {
        /// JSON nearly everywhere.
        var mediaType = "application/json"
        /// The name of its schema.
        var schema: String
        /// An example, as JSON.
        var example: String

        init(_ schema: String, _ example: String) { (self.schema, self.example) = (schema, example) }
    }

    var method: HTTPRequest.Method
    /// The address, with parameters in braces.
    var path: String
    /// Its name in programs.
    var id: String
    /// A line for people.
    var summary: String
    /// More for people.
    var description: String
    /// Names of parameters, of the path first.
    var parameters: [String] = []
    var body: Content?
    var reply: Content
    /// Statuses of problems beside those that every route may have.
    var problems: [Int] = []

    /// What a key must allow; nil: no key is needed.
    var permission: Permission? { Permission.needed(method, path) }

    /// Statuses of problems that it may have.
    var allProblems: [Int] {
        // An empty part of a path makes another path of it.
        (problems + [400, 421, 431, 500, 503] + (permission == nil ? [] : [401, 403])
            + (body == nil ? [] : [413, 415]) + (path.contains("{") ? [404] : []))
            .sorted()
    }
}
