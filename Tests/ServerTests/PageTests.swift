import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Testing

@testable import Server

struct PageTests {
    /// A server with nothing but the page.
    private var application: some ApplicationProtocol {
        let router = Router(context: ServerContext.self, options: .autoGenerateHeadEndpoints)
        PageRoutes().add(to: router)
        return Application(router: router)
    }

    @Test func thePageAndItsFilesAreServed() async throws {
        try await application.test(.live) { client in
            for file in PageFile.all {
                let response = try await client.execute(uri: file.path, method: .get)
                #expect(response.status == .ok)
                #expect(response.headers[.contentType] == file.contentType)
                #expect(
                    response.headers[.contentSecurityPolicy]?.hasPrefix("default-src 'none'; script-src 'self';")
                        == true)
                #expect(response.body == file.body && response.body.readableBytes > 0)
                let head = try await client.execute(uri: file.path, method: .head)
                #expect(head.status == .ok && head.body.readableBytes == 0)
            }
        }
    }

    /// Every file that one of them names is there, each is named, and none is of another site.
    @Test func filesNameFilesThatAreThere() throws {
        let texts = PageFile.all.map { String(buffer: $0.body) }
        let paths = Set(PageFile.all.map(\.path))
        var named: Set = ["/"]
        for text in texts {
            for match in text.matches(of: #/(?:src|href)="(page/[^"]+)"/#) { named.insert("/\(match.1)") }
            for match in text.matches(of: #/from "\./([^"]+)"/#) { named.insert("/page/\(match.1)") }
        }
        #expect(named == paths)
        for text in texts {
            let addresses = text.matches(of: #/(?:href|src|url|from|fetch)\W{1,3}(?:https?:)?\/\//#)
            #expect(addresses.isEmpty)
        }
    }

    /// What a server says is inserted as text only.
    @Test func noTextBecomesMarkup() {
        for file in PageFile.all where file.path.hasSuffix(".js") {
            let text = String(buffer: file.body)
            for sink in [
                "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "createContextualFragment",
            ] {
                #expect(!text.contains(sink), "\(sink) in \(file.path)")
            }
        }
    }
}
