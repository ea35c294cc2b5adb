import HTTPTypes
import Hummingbird
import NIOHTTP1
import NIOHTTPTypes

/// The reply to what is no HTTP request, or one whose head is too large.
func malformedReply(_ error: any Error) -> [HTTPResponsePart] {
    let problem =
        switch error {
        case HTTPParserError.headerOverflow:
            Problem(.requestHeaderFieldsTooLarge, "the request's line and headers are too long or too many")
        case HTTPParserError.invalidVersion:
            Problem(.badRequest, "this server speaks HTTP/1.1")
        case is HostError:
            Problem(.badRequest, "a request has one Host, which is a name and perhaps a port")
        default: Problem(.badRequest, "this is no HTTP request")
        }
    var json = JSONWriter(capacity: 256)
    let id = "\(RequestID())"
    problem.write(to: &json, requestID: id)
    let headers: HTTPFields = [
        .contentType: "application/problem+json", .contentLength: "\(json.buffer.readableBytes)", .connection: "close",
        .requestID: id,
    ]
    return [.head(HTTPResponse(status: problem.status, headerFields: headers)), .body(json.buffer), .end(nil)]
}
