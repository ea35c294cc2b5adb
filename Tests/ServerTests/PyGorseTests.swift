import Foundation
import HummingbirdTesting
import Testing

/// Gorse's client for Python, unchanged; `scripts/get-pygorse.sh` gets it.
struct PyGorseTests {
    private static let root = URL(fileURLWithPath: #filePath).appendingPathComponent("../../..").standardized
    private static let isThere = FileManager.default.fileExists(
        atPath: root.appendingPathComponent(".build/pygorse/complete").path)

    @Test(.enabled(if: isThere, "pygorse is not installed")) func everyMethodOfBothClientsWorks() async throws {
        try await TestService.run(.live) { (service) async throws in
            let port = try #require(service.client.port)
            let (status, output) = try await Self.python("Tests/Gorse/check.py", "http://localhost:\(port)")
            #expect(status == 0, "\(output)")
        }
    }

    /// Runs a script; what it says and how it ends.
    private static func python(_ arguments: String...) async throws -> (status: Int32, output: String) {
        let (process, pipe) = (Process(), Pipe())
        process.executableURL = root.appendingPathComponent(".build/pygorse/bin/python")
        process.arguments = ["-B"] + arguments
        process.currentDirectoryURL = root
        (process.standardOutput, process.standardError) = (pipe, pipe)
        return try await withCheckedThrowingContinuation { continuation in
            do { try process.run() } catch { return continuation.resume(throwing: error) }
            // The output's end may be a long time coming, and no thread of Swift's concurrency may wait for it.
            Thread {
                let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
                process.waitUntilExit()
                continuation.resume(returning: (process.terminationStatus, output))
            }.start()
        }
    }
}
