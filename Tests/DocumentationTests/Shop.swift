import Foundation
import RecBLR

/// A folder in which examples run: the log of a shop is in `data/shop`, as they expect it.
final class Shop {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("recblr-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        let log = url.appendingPathComponent("shop.csv")
        try Data(Self.log.utf8).write(to: log)
        _ = try InteractionLog.read(log).prepare(
            Filters(), source: "shop.csv", to: url.appendingPathComponent("data/shop"))
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    /// 40 customers that go around a circle of 20 articles.
    private static let log: String = {
        let events = (0..<40).flatMap { user in
            (0..<12).map { time in "u\(user),a\((user * 7 + time) % 20),\(time)\n" }
        }
        return "user_id,item_id,timestamp\n" + events.joined()
    }()

    /// Runs an example, whose standard input is `input`, to its end; the lines that it prints.
    func run(_ example: String, input: String = "") throws -> [String] {
        let process = Process()
        process.executableURL = try Self.executable(example)
        process.currentDirectoryURL = url
        let file = url.appendingPathComponent("input")
        try Data(input.utf8).write(to: file)
        process.standardInput = try FileHandle(forReadingFrom: file)
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let text = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failure(status: process.terminationStatus) }
        return String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    struct Failure: Error { let status: Int32 }

    /// The example that was built with these tests.
    private static func executable(_ name: String) throws -> URL {
        var folder = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
        while folder.path != "/" {
            let candidate = folder.appendingPathComponent(name)
            if FileManager.default.isExecutableFile(atPath: candidate.path) { return candidate }
            folder.deleteLastPathComponent()
        }
        throw CocoaError(.fileNoSuchFile)
    }
}
