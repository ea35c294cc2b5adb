import HTTPTypes
import Hummingbird
import NIOCore

/// The page for people: files of the folder `Page`, which are part of the program.
struct PageRoutes {
    func add(to router: Router<ServerContext>) {
        for file in PageFile.all {
            router.get(RouterPath(file.path)) { _, _ in file.response }
        }
    }
}

/// A file of the page.
struct PageFile: Sendable {
    /// Where it is served.
    let path: String
    let contentType: String
    let body: ByteBuffer

    static let all = [
        PageFile("/", "text/html; charset=utf-8", PackageResources.index_html),
        PageFile("/page/style.css", "text/css; charset=utf-8", PackageResources.style_css),
        PageFile("/page/icon.svg", "image/svg+xml", PackageResources.icon_svg),
        script("page", PackageResources.page_js),
        script("client", PackageResources.client_js),
        script("dom", PackageResources.dom_js),
        script("explanation", PackageResources.explanation_js),
        script("lists", PackageResources.lists_js),
        script("search", PackageResources.search_js),
        script("subjects", PackageResources.subjects_js),
        script("titles", PackageResources.titles_js),
    ]

    /// The page's own files and addresses, and nothing else; no text of a server's reply becomes markup or a script.
    static let policy = [
        "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'",
        "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    ].joined(separator: "; ")

    private init(_ path: String, _ contentType: String, _ bytes: [UInt8]) {
        (self.path, self.contentType, body) = (path, contentType, ByteBuffer(bytes: bytes))
    }

    private static func script(_ name: String, _ bytes: [UInt8]) -> PageFile {
        PageFile("/page/\(name).js", "text/javascript; charset=utf-8", bytes)
    }

    fileprivate var response: Response {
        let headers: HTTPFields = [
            .contentType: contentType, .contentLength: String(body.readableBytes), .contentSecurityPolicy: Self.policy,
            .xContentTypeOptions: "nosniff", .cacheControl: "no-store",
        ]
        return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: body))
    }
}
