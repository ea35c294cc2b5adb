import FileSupport
import Foundation
import Identifiers
import Interactions

/// One user, or one history, that asks what comes next.
struct Question: Sendable {
    enum Asker: Sendable {
        case user(String)
        /// A history without a user, by its line in the file.
        case line(Int)
        /// The history on the command line.
        case history
    }

    var asker: Asker
    /// False for a user whom the dataset does not have.
    var isInData = true
    /// The events whose items the model knows, in order of time.
    var items: [ItemID] = []
    /// Events that were passed over.
    var unknownCount = 0
    /// The item of one of them.
    var unknownExample: String?
}

/// Some questions, not yet understood: that is work for many threads.
enum QuestionPiece: Sendable {
    case questions([Question])
    /// Users of a dataset, by index.
    case users(Range<Int>)
    case lines(PackedLines)
}

/// Where questions come from. Reading is one thread's work, understanding what was read that of many.
protocol QuestionSource: AnyObject {
    /// The next questions; nil after the last. Where one piece ends depends on nothing but what is asked.
    func next() throws -> QuestionPiece?
    /// Turns pieces into questions, on any thread.
    var understand: @Sendable (QuestionPiece) throws -> [Question] { get }
    /// How much has been read: 0 ... 1; 0 where nobody knows.
    var fractionRead: Double { get }
    /// What tells the questions apart: users, or lines of a file.
    var askerColumn: String { get }
}

/// Lines end to end, each with its number in the file.
struct PackedLines: Sendable {
    private(set) var bytes: [UInt8] = []
    private var ends: [(end: Int, number: Int)] = []

    /// Whether another line would make a piece of work too large.
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

/// Questions of the command line.
final class QuestionList: QuestionSource {
    private var rest: [Question]

    init(_ questions: [Question]) { rest = questions }

    func next() -> QuestionPiece? {
        guard !rest.isEmpty else { return nil }
        defer { rest = [] }
        return .questions(rest)
    }

    var understand: @Sendable (QuestionPiece) throws -> [Question] {
        { if case .questions(let list) = $0 { list } else { [] } }
    }

    let fractionRead = 0.0
    let askerColumn = "user"
}
