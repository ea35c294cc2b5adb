import HTTPTypes
import Hummingbird
import NIOCore

/// The OpenAPI 3.1 document: what ``Operation/all`` and ``Schemas`` say, as one JSON object.
enum OpenAPIDocument {
    /// The document.
    static let json: ByteBuffer = {
        var json = JSONWriter(capacity: 64 << 10)
        json.object { json in
            json.member("openapi", "3.1.0")
            json.key("info")
            json.literal(info)
            json.key("servers")
            json.literal(#"[{"url":"/"}]"#)
            json.key("paths")
            json.object(paths)
            json.key("components")
            json.object(components)
        }
        return json.buffer
    }()

    private static let info = #"""
        {"title":"RecBLR","version":"1","summary":"Next items for users, from a recurrent state per user",
        "description":"Every event moves its user's state by one step, and the next request sees it. Bodies are JSON in UTF-8; fields and parameters that a route \#
        does not know are refused. Every path that takes GET takes HEAD. \#
        Another method gets 405 with the header Allow, which lists those that the path takes; another path gets 404. Without configured keys the service listens on loopback only and no request needs a key. \#
        Under /api the service answers clients of Gorse, whose own document describes them; comments of feedback are not kept.",
        "license":{"name":"Apache-2.0","identifier":"Apache-2.0"}}
        """#

    private static let titles: [Int: String] = [
        400: "A field or a parameter cannot be: the member field names it.", 401: "No key, or one that is not known.",
        403: "The key may not do this.", 404: "There is none.", 409: "It contradicts what is there.",
        413: "The body is too long.", 415: "The body is not application/json.", 421: "Another host was meant.",
        431: "The headers are too long.", 500: "The server failed.",
        503: """
        Not now. Overloaded or stopping: nothing was stored. The disk failed: it is not known whether anything was stored, and events with an eventId can be \
        sent again. Of a deletion with wait: it is deleted, but bytes of it are still in a file.
        """,
        507: "The disk is full. Nothing was stored.",
    ]

    private static func paths(_ json: inout JSONWriter) {
        var done: Set<String> = []
        for path in Operation.all.map(\.path) where done.insert(path).inserted {
            json.key(text: path)
            json.object { json in
                for operation in Operation.all where operation.path == path {
                    json.key(text: operation.method.rawValue.lowercased())
                    json.object { write(operation, to: &$0) }
                }
            }
        }
    }

    private static func write(_ operation: Operation, to json: inout JSONWriter) {
        json.member("operationId", operation.id)
        json.member("summary", operation.summary)
        json.member("description", operation.description)
        json.key("security")
        json.literal(
            operation.permission.map { #"[{"bearer":["\#($0.name)"]},{"key":["\#($0.name)"]},{}]"# } ?? "[]")
        if !operation.parameters.isEmpty {
            json.key("parameters")
            json.array { json in
                for name in operation.parameters { json.literal(##"{"$ref":"#/components/parameters/\##(name)"}"##) }
            }
        }
        if let body = operation.body {
            json.key("requestBody")
            json.literal(#"{"required":true,"content":\#(content(body))}"#)
        }
        json.key("responses")
        json.object { json in
            json.key("200")
            json.literal(#"{"description":"Done.","content":\#(content(operation.reply))}"#)
            for status in operation.allProblems {
                json.key(text: "\(status)")
                json.literal(##"{"$ref":"#/components/responses/\##(status)"}"##)
            }
        }
    }

    private static func content(_ content: Operation.Content) -> String {
        #"{"\#(content.mediaType)":{"schema":\#(Schemas.ref(content.schema)),"example":\#(content.example)}}"#
    }

    private static func components(_ json: inout JSONWriter) {
        json.key("parameters")
        json.object { json in
            for (name, parameter) in Schemas.parameters { json.member(text: name, json: parameter) }
        }
        json.key("schemas")
        json.object { json in
            for (name, schema) in Schemas.all { json.member(text: name, json: schema) }
        }
        json.key("responses")
        json.object { json in
            for (status, title) in titles.sorted(by: { $0.key < $1.key }) {
                json.member(text: "\(status)", json: problem(status, title))
            }
        }
        json.key("securitySchemes")
        json.literal(
            #"""
            {"bearer":{"type":"http","scheme":"bearer","description":"Authorization: Bearer KEY"},
            "key":{"type":"apiKey","in":"header","name":"X-API-Key"}}
            """#)
    }

    private static func problem(_ status: Int, _ title: String) -> String {
        let retry =
            #","headers":{"Retry-After":{"description":"Seconds.","required":true,"schema":{"type":"integer"}}}"#
        return #"""
            {"description":"\#(title)"\#(status == 503 ? retry : ""),"content":{"application/problem+json":{"schema":\#(Schemas.ref("Problem")),
            "example":{"type":"about:blank","title":"\#(Problem.title(of: status))","status":\#(status),"detail":"\#(title)",
            "requestId":"5f0c"}}}}
            """#
    }
}

extension JSONWriter {
    fileprivate mutating func member(text: String, json: String) {
        key(text: text)
        literal(json)
    }
}
