import Foundation
import Logging
import Synchronization
import Testing

@testable import Live

/// What waits when the service ends, and what the log is told of troubles that last.
struct EndingTests {
    private final class Numbers: Sendable {
        private let numbers = Mutex([Int]())
        var all: [Int] { numbers.withLock { $0 } }
        func add(_ number: Int) { numbers.withLock { $0.append(number) } }
    }

    @Test func callsThatWaitAreDropped() {
        let group = ThreadGroup()
        let (ran, dropped) = (Numbers(), Numbers())
        let calls = BlockingCalls(threads: 1, in: group)
        let (begun, mayEnd) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        for number in 0..<4 {
            calls.run {
                begun.signal()
                mayEnd.wait()
                ran.add(number)
            } orElse: {
                dropped.add(number)
            }
        }
        begun.wait()
        calls.close()
        #expect(dropped.all == [1, 2, 3])
        mayEnd.signal()
        group.wait()
        #expect(ran.all == [0])
        calls.run {
            ran.add(4)
        } orElse: {
            dropped.add(4)
        }
        #expect(dropped.all == [1, 2, 3, 4] && ran.all == [0])
    }

    @Test func troublesThatLastAreToldOnceAMinute() {
        struct Lines: LogHandler {
            let lines: Collected
            var logLevel = Logger.Level.trace
            var metadata = Logger.Metadata()
            subscript(metadataKey key: String) -> Logger.MetadataValue? {
                get { nil }
                set {}
            }
            func log(event: LogEvent) { lines.add("\(event.level) \(event.message) \(event.metadata?["times"] ?? "")") }
        }
        final class Collected: Sendable {
            let all = Mutex([String]())
            func add(_ line: String) { all.withLock { $0.append(line) } }
        }
        let lines = Collected()
        let logger = Logger(label: "test") { _ in Lines(lines: lines) }
        var trouble = LastingTrouble(logger, .error, "Bad.", end: "Good.")
        let start = ContinuousClock.now
        trouble.ended()
        for second in 0..<130 { trouble.happened(ServiceError.stopping, at: start + .seconds(second)) }
        trouble.ended()
        trouble.ended()
        trouble.happened(ServiceError.stopping, at: start + .seconds(131))
        #expect(
            lines.all.withLock { $0 } == [
                "error Bad. 1", "error Bad. 61", "error Bad. 121", "notice Good. 130", "error Bad. 1",
            ])
    }
}
