import Events
import HTTPTypes
import Hummingbird
import Live
import Logging
import NIOCore
import NIOHTTP1

/// An error as clients see it: problem details of RFC 9457.
struct Problem: Error, Sendable, Equatable {
    /// The status of the reply.
    var status: HTTPResponse.Status
    /// One sentence for people.
    var detail: String
    /// The field of the body or the parameter that is to blame: `events[2].timestamp`.
    var field: String?
    /// What the log is told and clients are not: it may have paths.
    var reason: String?
    /// Headers that belong to the status, such as `Allow`.
    var headers: HTTPFields = [:]

    /// A problem without a field.
    init(_ status: HTTPResponse.Status, _ detail: String, headers: HTTPFields = [:]) {
        (self.status, self.detail, self.headers) = (status, detail, headers)
    }

    /// A request that cannot be, because of one field.
    init(field: String, _ detail: String) {
        self.init(.badRequest, detail)
        self.field = field
    }

    /// The server does not do it now and may do it later.
    static func unavailable(_ detail: String, retryAfterSeconds: Int) -> Problem {
        Problem(.serviceUnavailable, detail, headers: [.retryAfter: String(max(1, retryAfterSeconds))])
    }

    /// The name of a status.
    static func title(of status: Int) -> String {
        let phrase = HTTPResponseStatus(statusCode: status).reasonPhrase
        return phrase.isEmpty ? "Error" : phrase
    }

    /// Writes the members of the problem.
    func write(to json: inout JSONWriter, requestID: String) {
        json.object { json in
            json.key("type")
            json.string("about:blank")
            json.key("title")
            json.string(Self.title(of: status.code))
            json.key("status")
            json.number(status.code)
            json.key("detail")
            json.string(detail)
            if let field {
                json.key("field")
                json.string(field)
            }
            json.key("requestId")
            json.string(requestID)
        }
    }

    /// Tells the log what the client is not told.
    func report(to logger: Logger) {
        if let reason { logger.error("A request failed.", metadata: ["reason": .string(reason)]) }
    }

    /// The reply: JSON, or plain text for Gorse's clients.
    func response(to request: Request, _ context: ServerContext) -> Response {
        guard !request.isOfGorse else { return gorseResponse }
        var json = JSONWriter(capacity: 256)
        write(to: &json, requestID: context.requestID)
        var headers = headers
        headers[.contentType] = "application/problem+json"
        headers[.contentLength] = String(json.buffer.readableBytes)
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: json.buffer))
    }
}

extension JSONWriter {
    /// A member with the problem of one part of a reply, of which the log is told.
    mutating func problemMember(_ problem: Problem, _ context: ServerContext) {
        problem.report(to: context.logger)
        key("problem")
        problem.write(to: &self, requestID: context.requestID)
    }
}

extension Problem {
    /// What a client is told of an error of the service. `field` names the field of the event at an index of the request.
    init(_ error: ServiceError, field: (_ index: Int, _ name: String) -> String = { _, name in name }) {
        let detail = error.publicDescription
        switch error {
        case .refused(.otherContent(let index, _)):
            self.init(.conflict, "another event of the user has this eventId")
            self.field = field(index, "eventId")
        case .refused(.tooFarAhead(let index, _)):
            self.init(field: field(index, "timestamp"), "more than 10 minutes ahead of the server's clock")
        case .refused(.notFound), .notFound: self.init(.notFound, detail)
        // SQLite calls a page that the disk cannot read damaged.
        case .refused(.outdated), .log(.unavailable), .log(.inUse), .log(.damaged), .stopping, .unpurged:
            self = .unavailable(detail, retryAfterSeconds: 1)
        case .log(.full):
            self.init(HTTPResponse.Status(code: 507, reasonPhrase: Self.title(of: 507)), detail)
        case .log(.notALog), .model: self.init(.internalServerError, detail)
        case .overloaded(let seconds): self = .unavailable(detail, retryAfterSeconds: seconds)
        case .invalid(let field, let reason): self.init(field: field, reason)
        case .release: self.init(.conflict, detail)
        }
        // Of a full disk the log's writer tells, once for all that waited: as many lines as requests would not help.
        if detail != error.description, error != .log(.full(error.description)) { reason = error.description }
    }
}
