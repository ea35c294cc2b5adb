import HTTPTypes
import Hummingbird
import NIOCore

/// `/openapi.json`.
struct OpenAPIRoute {
    func add(to router: Router<ServerContext>) {
        router.get("/openapi.json") { request, _ in
            try Query(request).finish()
            let json = OpenAPIDocument.json
            return Response(
                status: .ok,
                headers: [.contentType: "application/json", .contentLength: String(json.readableBytes)],
                body: ResponseBody(byteBuffer: json))
        }
    }
}
