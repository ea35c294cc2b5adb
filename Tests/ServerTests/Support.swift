import CPUBackend
import Events
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Identifiers
import Live
import Logging
import ModelStore
import Models
import NIOCore

@testable import Server

/// A service with small random models (versions `v1.0-a` and `v2`), a log in memory, and a client.
struct TestService {
    static let items = (1...20).map { "i\($0)" }
    static let versions = ["v1.0-a", "v2"]

    let client: any TestClientProtocol
    /// Methods and templates of all routes: `GET /v1/users/{user}`.
    let routes: [String]

    /// Runs `body` against the router alone, or against a server and over a socket.
    static func run(_ setup: TestingSetup, _ body: @escaping @Sendable (TestService) async throws -> Void) async throws
    {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("recblr-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        try writeModels(to: folder)
        var options = LiveOptions()
        options.maximumWait = 60_000  // a busy machine is no overload
        let service = try LiveService(models: folder, log: MemoryEventLog(), options: options)
        let router = router(service)
        let routes = router.routes.map { "\($0.method) \($0.path)" }
        let application = Application(router: router, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        do { try await application.test(setup) { try await body(TestService(client: $0, routes: routes)) } } catch {
            await service.stop()
            throw error
        }
        await service.stop()
    }

    private static func writeModels(to folder: URL) throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for (seed, version) in versions.enumerated() {
            var shape = ModelConfiguration(itemCount: items.count)
            shape.hiddenSize = 8
            let model = try SequenceModel(initializing: shape, seed: UInt64(seed), on: CPUBackend())
            try ModelFolder.write(
                model, items: Vocabulary(ids: items, titles: items.map { "Title of \($0)" })!,
                popularity: items.indices.map { 100 - $0 }, trainingRecord: nil,
                to: folder.appendingPathComponent(version))
        }
    }

    /// One request. `body` is sent as JSON.
    func send(
        _ method: HTTPRequest.Method, _ path: String, _ body: String? = nil, headers: HTTPFields = [:]
    ) async throws -> Answer {
        var headers = headers
        if body != nil, headers[.contentType] == nil { headers[.contentType] = "application/json" }
        return try await client.execute(
            uri: path, method: method, headers: headers, body: body.map { ByteBuffer(string: $0) }
        ) { Answer(status: $0.status.code, headers: $0.headers, body: Data($0.body.readableBytesView)) }
    }

    /// A request that must succeed; its reply.
    func json(_ method: HTTPRequest.Method, _ path: String, _ body: String? = nil) async throws -> [String: Any] {
        let answer = try await send(method, path, body)
        guard answer.status == 200, answer.headers[.contentType] == "application/json" else { throw Unexpected(answer) }
        return answer.json
    }

    /// A request that must be refused; the reply.
    func problem(
        _ method: HTTPRequest.Method, _ path: String, _ body: String? = nil, headers: HTTPFields = [:]
    ) async throws -> Refusal {
        let answer = try await send(method, path, body, headers: headers)
        let json = answer.json
        guard answer.headers[.contentType] == "application/problem+json", json["type"] as? String == "about:blank",
            json["status"] as? Int == answer.status, json["title"] is String, let detail = json["detail"] as? String,
            json["requestId"] is String
        else { throw Unexpected(answer) }
        return Refusal(status: answer.status, field: json["field"] as? String, detail: detail)
    }
}

/// A reply.
struct Answer {
    var status: Int
    var headers: HTTPFields
    var body: Data

    /// The members of its object.
    var json: [String: Any] { (try? JSONSerialization.jsonObject(with: body)) as? [String: Any] ?? [:] }
}

/// What a problem says.
struct Refusal {
    var status: Int
    var field: String?
    var detail: String
}

/// A reply that should have been another one.
struct Unexpected: Error, CustomStringConvertible {
    let answer: Answer

    init(_ answer: Answer) { self.answer = answer }

    var description: String { "\(answer.status) \(answer.headers): \(String(decoding: answer.body, as: UTF8.self))" }
}

/// Objects of a reply's array.
func objects(_ value: Any?) -> [[String: Any]] { value as? [[String: Any]] ?? [] }

/// Values of one member of objects.
func column<Value>(_ name: String, _ objects: [[String: Any]]) -> [Value] { objects.compactMap { $0[name] as? Value } }
