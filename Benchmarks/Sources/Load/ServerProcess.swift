import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A running `recblr serve`, which ends with this value.
final class ServerProcess: Sendable {
    /// Where it listens.
    let address: ServerAddress
    /// From the start of the process to the first request that finds it ready.
    let secondsToReady: Double
    private let process = Process()

    /// Starts the program and waits until it is ready. What it writes on standard error goes to the file `log`.
    init(_ program: URL, _ arguments: [String], log: URL) throws {
        try Data().write(to: log)
        process.executableURL = program
        process.arguments = ["serve", "--port", "0"] + arguments
        process.standardOutput = FileHandle.nullDevice
        process.standardError = try FileHandle(forWritingTo: log)
        let start = nanoseconds()
        try process.run()
        address = try Self.address(process, log)
        let request = httpRequest("GET", "/health/ready")
        while try Connection(to: address).exchange(Array(request.utf8)).status != 200 { usleep(1000) }
        secondsToReady = Double(nanoseconds() - start) / 1e9
    }

    deinit {
        if process.isRunning { stop() }
    }

    var identifier: Int32 { process.processIdentifier }
    var usage: ProcessUsage { ProcessUsage(of: identifier) }

    /// Asks it to end, as `kill` does, and waits until it has.
    func stop() {
        process.terminate()
        process.waitUntilExit()
    }

    /// Asks for something on a connection of its own and returns the body of a reply that is 200.
    @discardableResult
    func ask(_ method: String, _ path: String, body: String = "") throws -> [UInt8] {
        let reply = try Connection(to: address).exchange(Array(httpRequest(method, path, body: body).utf8))
        guard reply.status / 100 == 2 else {
            let said = String(decoding: reply.body.prefix(500), as: UTF8.self)
            throw ConnectionError(description: "\(method) \(path): \(reply.status): \(said)")
        }
        return Array(reply.body)
    }

    /// The port that the program says it listens on.
    private static func address(_ process: Process, _ log: URL) throws -> ServerAddress {
        while true {
            let text = try String(contentsOf: log, encoding: .utf8)
            if let port = text.firstMatch(of: /Serving version .* on https?:\/\/.*:([0-9]+)/)?.output.1 {
                return ServerAddress(port: UInt16(port)!)
            }
            guard process.isRunning else { throw ConnectionError(description: "the server has ended: \(text)") }
            usleep(1000)
        }
    }
}
