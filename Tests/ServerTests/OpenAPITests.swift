import Foundation
import Hummingbird
import HummingbirdTesting
import NIOCore
import Testing

@testable import Server

struct OpenAPITests {
    private static func document() throws -> [String: Any] {
        let json = OpenAPIDocument.json
        return try #require(try JSONSerialization.jsonObject(with: Data(json.readableBytesView)) as? [String: Any])
    }

    @Test func isServed() async throws {
        try await TestService.run(.live) { (service) async throws in
            let document = try await service.json(.get, "/openapi.json")
            #expect(document["openapi"] as? String == "3.1.0")
        }
    }

    @Test func describesTheRoutesAndNoOthers() async throws {
        try await TestService.run(.router) { (service) async throws in
            // Gorse's clients have documents of their own, the page needs none, and HTTPService adds the metrics.
            let page = Set(PageFile.all.map { "GET \($0.path)" })
            let routes = service.routes.filter { !$0.contains(" /api/") && !page.contains($0) }
            let described = Operation.all.map { "\($0.method) \($0.path)" }
            #expect(Set(routes).union(["GET /metrics"]) == Set(described))
        }
    }

    @Test func everyReferenceHasATargetAndEveryTargetAReference() throws {
        let document = try Self.document()
        var references: Set<String> = []
        func visit(_ value: Any) {
            if let object = value as? [String: Any] {
                if let reference = object["$ref"] as? String { references.insert(reference) }
                object.values.forEach(visit)
            } else if let array = value as? [Any] {
                array.forEach(visit)
            }
        }
        visit(document)
        let components = document["components"] as? [String: [String: Any]] ?? [:]
        let targets = components.filter { $0.key != "securitySchemes" }.flatMap { kind, members in
            members.keys.map { "#/components/\(kind)/\($0)" }
        }
        #expect(references == Set(targets))
    }

    @Test func problemsHaveTitles() throws {
        let components = try #require(try Self.document()["components"] as? [String: Any])
        for (status, response) in try #require(components["responses"] as? [String: [String: Any]]) {
            let content = response["content"] as? [String: [String: Any]]
            let example = content?["application/problem+json"]?["example"] as? [String: Any]
            #expect(!["", "Error", nil].contains(example?["title"] as? String), "\(status)")
        }
        #expect(
            [400, 431, 507].map { Problem.title(of: $0) } == [
                "Bad Request", "Request Header Fields Too Large", "Insufficient Storage",
            ])
    }

    @Test func pathsHaveTheirParameters() throws {
        for operation in Operation.all {
            let inPath = operation.path.matches(of: #/\{([a-z]+)\}/#).map { String($0.output.1) }
            #expect(Array(operation.parameters.prefix(inPath.count)) == inPath, "\(operation.id)")
        }
        #expect(Set(Operation.all.map(\.id)).count == Operation.all.count)
    }
}
