import Foundation
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The line that shows progress, on terminals of several widths and kinds.
@Suite struct TerminalTests {
    private static let training = [
        "train", "data", "--epochs", "500", "--batch-tokens", "64", "--hidden-size", "4", "--threads", "1",
    ]

    private func prepared() throws -> Workplace {
        let place = try Workplace()
        try place.write(walks(), "log.csv")
        try #require(try run(["prepare", "log.csv", "-o", "data"], in: place).status == 0)
        return place
    }

    /// What a training that is stopped after some epochs leaves on a terminal.
    private func interrupted(_ terminal: Terminal, in place: Workplace, _ environment: [String: String]) throws
        -> String
    {
        let process = try start(
            Self.training + ["-m", "model"], in: place, environment: environment, error: terminal.slave)
        wait(for: checkpointOfModel, by: process, in: place)
        usleep(300_000)  // so that there is something to draw
        kill(process.processIdentifier, SIGINT)
        process.waitUntilExit()
        #expect(process.terminationReason == .exit && process.terminationStatus == 75)
        return try terminal.text()
    }

    @Test(arguments: [200, 80, 40, 20, 8, 1] as [UInt16])
    func theLineFits(columns: UInt16) throws {
        let text = try interrupted(try Terminal(columns: columns), in: try prepared(), ["TERM": "xterm"])
        let drawn = text.split(separator: "\r\u{1B}[J").compactMap { $0.contains("\n") ? nil : $0 }
        #expect(!drawn.isEmpty, "\(text)")
        for line in drawn {
            #expect(line.last == "\r" && line.dropLast().count < max(2, Int(columns)), "\(line.debugDescription)")
        }
        // What is said after Ctrl-C begins where the line was erased, or where an epoch's had just ended.
        #expect(
            text.contains("\r\u{1B}[JStopping with a checkpoint") || text.contains("\nStopping with a checkpoint"),
            "\(text.debugDescription)")
        let last = text.split(whereSeparator: { $0 == "\n" || $0 == "\r" }).last ?? ""
        #expect(last.drop { $0 != "r" }.hasPrefix("recblr: stopped in epoch"), "\(text.debugDescription)")
    }

    @Test(arguments: ["dumb", "", "unknown"])
    func terminalsThatKnowNoSequencesGetPlainLines(kind: String) throws {
        let text = try interrupted(try Terminal(columns: 80), in: try prepared(), ["TERM": kind])
        #expect(!text.contains("\u{1B}") && !text.contains("\r"), "\(text.debugDescription)")
        #expect(text.contains("\nrecblr: stopped in epoch"), "\(text.debugDescription)")
    }
}
