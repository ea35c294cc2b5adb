import ArgumentParser
import ErrorSupport
import Events
import FileSupport
import Foundation
import Identifiers
import Interactions
import Models
import Report
import Server

/// Options for the users or histories; exactly one kind must be given.
struct RequestOptions: ParsableArguments {
    @Option(help: "A user of --data; may be given several times.") var user: [String] = []
    @Option(help: "File with one user of --data on each line; - is standard input.", transform: pathArgument) var users:
        String?
    @Flag(help: "Every user of --data.") var allUsers = false
    @Option(help: "The dataset's folder, for --user, --users and --all-users.", transform: pathArgument) var data:
        String?
    @Option(
        help: """
            The history's next items; may be given several times. A value that is not itself an item's id is split at \
            commas.
            """)
    var history: [String] = []
    @Option(help: "Title of the history's next item; may be given several times.") var title: [String] = []
    @Option(
        help: """
            File with one history on each line, gzipped or not; - is standard input. A line is JSON (see above), or ids separated \
            by blanks or commas.
            """, transform: pathArgument)
    var histories: String?
    @Option(
        help: """
            What the first id of a line of --histories is, user or item, where lines are not JSON. (default: inferred from \
            the ids, with a note)
            """)
    var lineStartsWith: LineStart?

    @Option(
        help: """
            For when a model trained with --time is asked: now, a time such as 2026-05-01T12:30:00.5Z, or seconds since 1970; not before a \
            user's last event. (default: the time of each user's last event)
            """)
    var at: String?

    /// The time of ``at`` in nanoseconds since 1970.
    func question(_ model: ModelConfiguration) throws -> Int64? {
        guard let at else { return nil }
        guard model.usesTime else {
            throw fail(.usage, "--at is for models that were trained with --time; this one knows no time")
        }
        guard let time = at == "now" ? Timestamp(Date()) : Timestamp(iso8601: at) ?? Timestamp(seconds: at) else {
            throw fail(
                .usage,
                "--at \(printable(at)): expected now, a time such as 2026-05-01T12:30:00Z, or seconds since 1970")
        }
        guard let nanoseconds = time.nanoseconds else {
            throw fail(.usage, "--at \(printable(at)): it is not of the years 1678 to 2261")
        }
        return nanoseconds
    }

    enum LineStart: String, ExpressibleByArgument, CaseIterable { case user, item }

    func validate() throws {
        let asksForUsers = [!user.isEmpty, users != nil, allUsers].count { $0 }
        let ways = asksForUsers + [!history.isEmpty, !title.isEmpty, histories != nil].count { $0 }
        if ways != 1 {
            throw ValidationError(
                "Give one of --user, --users, --all-users, --history, --title and --histories.")
        }
        if asksForUsers > 0, data == nil {
            throw ValidationError("\(allUsers ? "--all-users" : users != nil ? "--users" : "--user") needs --data.")
        }
        if asksForUsers == 0, data != nil {
            throw ValidationError("--data is read for --user, --users and --all-users alone.")
        }
        if lineStartsWith != nil, histories == nil {
            throw ValidationError("--line-starts-with is about the lines of --histories.")
        }
    }

    /// Opens the requests, for a model of these items, in batches of at most `batchSize`. Throws where a model with time is given a history without times, and
    /// where ``question(_:)`` lies before an event of ``allUsers``.
    func requests(
        _ items: Vocabulary, isWithTime: Bool, askedAt question: Int64?, batchSize: Int
    ) throws -> any RequestSource {
        if isWithTime, let option = !history.isEmpty ? "--history" : !title.isEmpty ? "--title" : nil {
            throw fail(
                .usage,
                "\(option) gives no times, and the model was trained with --time: give users of --data, or --histories with "
                    + "lines such as \(JSONHistory.exampleWithTimes)")
        }
        if !history.isEmpty {
            let list = ItemList(history, items)
            return RequestList([
                Request(
                    subject: .history, items: list.known, unknownCount: list.unknown.count,
                    unknownExample: list.unknown.first)
            ])
        }
        if !title.isEmpty {
            return RequestList([Request(subject: .history, items: try title.map { try items.item(ofTitle: $0) })])
        }
        if let histories {
            return try HistoryFile(
                inputURL(histories), items, lineStartsWith, isWithTime: isWithTime, batchSize: batchSize)
        }
        let dataset = try openDataset(data ?? "")
        if isWithTime { try checkDates(dataset, data ?? "") }
        let users = try DatasetUsers(dataset, items, isWithTime: isWithTime)
        if allUsers {
            // Before the first answer, not after half of them.
            if let question, let late = (0..<users.count).lazy.map(users.request).firstWithEvent(after: question) {
                throw tooEarly(question, for: late)
            }
            return AllUsers(users, batchSize: batchSize)
        }
        if let file = self.users { return try UserFile(inputURL(file), users, batchSize: batchSize) }
        return RequestList(user.map(users.request))
    }

    /// Whether there may be many requests.
    var isBatch: Bool { users != nil || allUsers || histories != nil }
}

/// Options for the items that may be recommended.
struct ChoiceOptions: ParsableArguments {
    @Option(name: .short, help: "How many items to recommend.") var k = 10
    @Flag(inversion: .prefixedNo, help: "Leave out items of the history.") var excludeSeen = true
    @Option(help: "Items to leave out, said as for --history.") var exclude: [String] = []
    @Option(help: "Recommend only these items, said as for --history.") var only: [String] = []

    func validate() throws {
        if k < 1 { throw ValidationError("-k must be at least 1.") }
    }
}

extension Timestamp {
    /// Nanoseconds since 1970; nil for other years than 1678 to 2261.
    var nanoseconds: Int64? {
        let (product, overflows) = microseconds.multipliedReportingOverflow(by: 1000)
        return overflows ? nil : product
    }
}

/// The refusal of a question that lies before a history's last event.
func tooEarly(_ question: Int64, for request: Request) -> Failure {
    let who = if case .user(let id) = request.subject { "user \(id)" } else { "a history" }
    func text(_ time: Int64) -> String { Timestamp(microseconds: time.flooredQuotient(1000)).iso8601 }
    let last = request.times.last.map(text) ?? "unknown"
    return fail(.usage, "--at \(text(question)): it lies before the last event of \(printable(who)), at \(last)")
}

/// The URL of a path; - is standard input.
func inputURL(_ path: String) -> URL { path == "-" ? URL(fileURLWithPath: "/dev/stdin") : fileURL(path) }

/// The name of a file in messages.
func inputName(_ url: URL) -> String { url.path == "/dev/stdin" ? "standard input" : url.path }
