import FileSupport
import Foundation
package import Identifiers
import Interactions

/// A request for recommendations for one user or one history.
package struct Request: Sendable {
    package enum Subject: Sendable {
        case user(String)
        /// A history without a user, by its line in the file.
        case line(Int)
        /// The history on the command line.
        case history
    }

    package var subject: Subject
    /// False for a user who is not in the dataset.
    var isInData = true
    /// The events whose items the model knows, in order of time.
    package var items: [ItemID] = []
    /// The times of these events, in nanoseconds since 1970; empty where they are not known.
    package var times: [Int64] = []
    /// Number of events that were skipped because the model does not know their items.
    var unknownCount = 0
    /// The id of one of these items.
    var unknownExample: String?
}

extension Collection<Request> {
    /// The first that has an event after the time of a question; nil where none has. To the microsecond, as questions are.
    package func firstWithEvent(after question: Int64) -> Request? {
        first { question.flooredQuotient(1000) < ($0.times.last ?? question).flooredQuotient(1000) }
    }
}

/// A batch of requests, not yet parsed: parsing is done on many threads.
enum RequestBatch: Sendable {
    case requests([Request])
    /// Users of a dataset, by index.
    case users(Range<Int>)
    case lines(PackedLines)
}

/// A source of requests. Batches are read on one thread and parsed on many.
protocol RequestSource: AnyObject {
    /// The next batch; nil after the last. The size of batches depends on the input only.
    func next() throws -> RequestBatch?
    /// Parses batches, on any thread.
    var parse: @Sendable (RequestBatch) throws -> [Request] { get }
    /// The fraction that has been read, 0 ... 1; 0 where it is not known.
    var fractionRead: Double { get }
    /// Name of the first column of answers, "user" or "line".
    var subjectColumn: String { get }
}

/// Lines, concatenated, each with its number in the file.
struct PackedLines: Sendable {
    private(set) var bytes: [UInt8] = []
    private var ends: [(end: Int, number: Int)] = []

    /// Whether the batch is large enough.
    func isFull(at limit: Int) -> Bool { ends.count >= limit || bytes.count >= 1 << 16 }
    var isEmpty: Bool { ends.isEmpty }
    var count: Int { ends.count }

    mutating func append(_ line: UnsafeRawBufferPointer, number: Int) {
        bytes.append(contentsOf: line)
        ends.append((bytes.count, number))
    }

    func forEach(_ body: (UnsafeRawBufferPointer, _ number: Int) throws -> Void) rethrows {
        try bytes.withUnsafeBytes { bytes in
            var start = 0
            for (end, number) in ends {
                try body(UnsafeRawBufferPointer(rebasing: bytes[start..<end]), number)
                start = end
            }
        }
    }
}

/// Requests from the command line.
final class RequestList: RequestSource {
    private var rest: [Request]

    init(_ requests: [Request]) { rest = requests }

    func next() -> RequestBatch? {
        guard !rest.isEmpty else { return nil }
        defer { rest = [] }
        return .requests(rest)
    }

    var parse: @Sendable (RequestBatch) throws -> [Request] {
        { if case .requests(let list) = $0 { list } else { [] } }
    }

    let fractionRead = 0.0
    let subjectColumn = "user"
}
