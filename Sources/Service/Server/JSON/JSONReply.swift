import HTTPTypes
import Hummingbird

extension Response {
    /// A reply with one JSON object, whose members `members` writes.
    static func json(capacity: Int = 1024, _ members: (inout JSONWriter) -> Void) -> Response {
        var json = JSONWriter(capacity: capacity)
        json.object(members)
        return Response(json)
    }

    /// A reply with one JSON array, whose elements `elements` writes.
    static func jsonArray(capacity: Int = 1024, _ elements: (inout JSONWriter) -> Void) -> Response {
        var json = JSONWriter(capacity: capacity)
        json.array(elements)
        return Response(json)
    }

    private init(_ json: JSONWriter) {
        var headers = HTTPFields()
        headers.reserveCapacity(4)
        headers[.contentType] = "application/json"
        headers[.contentLength] = String(json.buffer.readableBytes)
        self.init(status: .ok, headers: headers, body: ResponseBody(byteBuffer: json.buffer))
    }
}
