import Foundation
import Testing

@testable import Benchmarks

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The generator that loads a server.
@Suite struct LoadTests {
    @Test func aHeadSaysWhereTheBodyIs() throws {
        let reply = Array("HTTP/1.1 503 Service Unavailable\r\nA: b\r\ncontent-LENGTH: 12\r\n\r\nbody".utf8)
        let head = try #require(try ReplyHead(reply[...]))
        #expect((head.status, head.bodyLength, head.length) == (503, 12, reply.count - 4))
        for count in 0..<head.length { #expect(try ReplyHead(reply[..<count]) == nil) }
    }

    @Test(arguments: ["HTTP/1.1 200 OK\r\n\r\n", "SSH-2.0\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"])
    func whatCannotBeReadIsAnError(reply: String) {
        #expect(throws: ConnectionError.self) { try ReplyHead(Array(reply.utf8)[...]) }
    }

    /// The ring goes round, and no event id comes twice.
    @Test func requestsRepeatAndEventIdsDoNot() throws {
        var ring = RequestRing(.appendAndRecommend, users: 5, items: ["a\"b"], run: "r", seed: 1, length: 3)
        let texts = (0..<7).map { _ in String(decoding: ring.next(), as: UTF8.self) }
        let ids = try texts.map { try #require($0.firstMatch(of: /r-[0-9]{12}/)).output }
        #expect(ids == (0..<7).map { "r-00000000000\($0)" })
        #expect(texts[3].replacing(ids[3], with: ids[0]) == texts[0])
        let parts = texts[0].split(separator: "\r\n\r\n")
        let event = try JSONSerialization.jsonObject(with: Data(parts[1].utf8)) as? [String: String]
        #expect(event == ["item": "a\"b", "eventId": "r-000000000000"])
        #expect(parts[0].contains("Content-Length: \(parts[1].utf8.count)"))
    }

    @Test func popularNumbersFollowZipfsLaw() {
        var generator = SplitMix(seed: 1)
        let numbers = ZipfNumbers(below: 100, using: &generator)
        var counts = Array(repeating: 0, count: 100)
        for _ in 0..<100_000 { counts[numbers.next(using: &generator)] += 1 }
        counts.sort(by: >)
        let first = 100_000 / (1...100).reduce(0) { $0 + 1 / Double($1) }
        for place in [1, 2, 4, 10] { #expect(abs(Double(counts[place - 1]) * Double(place) / first - 1) < 0.1) }
    }

    /// Arrivals are due ten times as fast as the server answers: what waits for the connection counts.
    @Test func waitingCountsWithOpenArrivals() throws {
        let server = try SlowServer(milliseconds: 20)
        func outcome(_ arrivals: Arrivals) throws -> LoadOutcome {
            let load = Load(
                kind: .recommend, arrivals: arrivals, connections: 1, users: 1, items: ["a"], seconds: 1,
                warmUpSeconds: 0)
            var generator = try LoadGenerator(load, to: server.address, process: getpid())
            return try generator.run()
        }
        let open = try outcome(.open(perSecond: 500))
        #expect(open.all.milliseconds(percentile: 50) > 200)
        #expect(open.unsent > 300)
        #expect(open.statuses.keys.sorted() == [200])
        #expect(open.resident.last! > 0)
        let closed = try outcome(.closed)
        #expect(closed.all.milliseconds(percentile: 0) >= 20)
        #expect(closed.all.count <= 50 && closed.unsent == 0 && closed.failures == 0)
    }

    @Test func brokenConnectionsAndRefusalsAreFailures() throws {
        let server = try SlowServer(
            milliseconds: 5, reply: "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", breaks: true)
        let load = Load(
            kind: .append, arrivals: .closed, connections: 2, users: 1, items: ["a"], seconds: 1, warmUpSeconds: 0)
        var generator = try LoadGenerator(load, to: server.address, process: getpid())
        let outcome = try generator.run()
        #expect(outcome.statuses.keys.sorted() == [0, 503])
        #expect(outcome.failures == outcome.statuses.values.reduce(0, +))
        #expect(outcome.all.count == 0)
    }
}

/// Answers every request after a pause; where it `breaks`, it closes each connection after a reply.
private final class SlowServer: Sendable {
    let address: ServerAddress
    private let listener: Int32

    init(milliseconds: UInt32, reply: String = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", breaks: Bool = false)
        throws
    {
        #if canImport(Glibc)
            let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #else
            let listener = socket(AF_INET, SOCK_STREAM, 0)
        #endif
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &name) { name in
            name.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, size) == 0 && listen(listener, 16) == 0 && getsockname(listener, $0, &size) == 0
            }
        }
        try #require(isBound)
        (self.listener, address) = (listener, ServerAddress(port: UInt16(bigEndian: name.sin_port)))
        Thread.detachNewThread {
            while case let connection = accept(listener, nil, nil), connection >= 0 {
                Thread.detachNewThread {
                    var buffer = [UInt8](repeating: 0, count: 4096)
                    repeat {
                        guard read(connection, &buffer, buffer.count) > 0 else { break }
                        usleep(1000 * milliseconds)
                        _ = send(connection, reply, reply.utf8.count, Int32(MSG_NOSIGNAL))
                    } while !breaks
                    close(connection)
                }
            }
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }
}
