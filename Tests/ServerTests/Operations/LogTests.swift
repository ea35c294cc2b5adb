import Foundation
import Logging
import Synchronization
import Testing

@testable import Server

/// Keeps what is written to it.
final class Lines: Sendable {
    private let text = Mutex("")
    var all: String { text.withLock { $0 } }
    func write(_ line: String) { text.withLock { $0 += line } }
}

@Suite struct LogTests {
    private func logged(
        _ format: ServiceLog.Format, showsUsers: Bool = false, _ body: (Logger) -> Void
    ) -> String {
        let lines = Lines()
        let log = ServiceLog(format, level: .info, showsUsers: showsUsers, write: lines.write)
        body(Logger(label: "test", factory: { _ in log }))
        return lines.all
    }

    @Test func textIsOneLineWithQuotesWhereNeeded() throws {
        let line = logged(.text) {
            $0.info(
                "A\nmessage",
                metadata: ["b": "two words", "a": "plain", "c": "line\nend \u{1B}[31m \u{202E}", "n": "\(12)"])
        }
        let rest = try line[#require(line.firstIndex(of: " "))...]
        #expect(rest == " info A message a=plain b=\"two words\" c=\"line\\nend \\u001b[31m \\u202e\" n=12\n")
        #expect(line.hasPrefix("20") && line.contains("Z info"))
    }

    @Test func jsonIsAnObject() throws {
        let line = logged(.json) {
            $0.warning(
                "Quote \" and \u{7}",
                metadata: [
                    "count": .stringConvertible(3), "seconds": .stringConvertible(0.5), "yes": .stringConvertible(true),
                    "list": ["a", "b"], "nested": ["k": "v"],
                ])
        }
        #expect(line.hasSuffix("}\n") && line.filter { $0 == "\n" }.count == 1)
        let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        #expect(object["message"] as? String == "Quote \" and \u{7}")
        #expect(object["level"] as? String == "warning")
        #expect(object["count"] as? Int == 3 && object["seconds"] as? Double == 0.5 && object["yes"] as? Bool == true)
        #expect(object["list"] as? [String] == ["a", "b"] && object["nested"] as? [String: String] == ["k": "v"])
        #expect(
            try Date.ISO8601FormatStyle(includingFractionalSeconds: true).parse(#require(object["time"] as? String))
                <= .now)
    }

    @Test(arguments: [ServiceLog.Format.text, .json]) func usersAreShownOnlyWhereAskedFor(_ format: ServiceLog.Format) {
        func log(_ logger: Logger) { logger.info("Seen.", metadata: [ServiceLog.userKey: "alice"]) }
        #expect(!logged(format, log).contains("alice"))
        #expect(logged(format, showsUsers: true, log).contains("alice"))
    }

    @Test func lowerLevelsAreNotWritten() {
        #expect(logged(.text) { $0.debug("hidden") }.isEmpty)
    }
}
