import HTTPTypes
import Hummingbird

extension Response {
    /// A reply with one JSON object, whose members `members` writes.
    static func json(capacity: Int = 1024, _ members: (inout JSONWriter) -> Void) -> Response {
        var json = JSONWriter(capacity: capacity)
        json.object(members)
        var headers = HTTPFields()
        headers.reserveCapacity(4)
        headers[.contentType] = "application/json"
        headers[.contentLength] = String(json.buffer.readableBytes)
        return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: json.buffer))
    }
}
