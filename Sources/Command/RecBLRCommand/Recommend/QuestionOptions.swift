import ArgumentParser
import FileSupport
import Foundation
import Identifiers
import Interactions

/// Who asks: exactly one way of saying it.
struct QuestionOptions: ParsableArguments {
    @Option(help: "A user of --data; may be given several times.") var user: [String] = []
    @Option(help: "File with one user of --data a line; - is standard input.", transform: pathArgument) var users:
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
            File with one history a line, gzipped or not; - is standard input. A line is JSON (see above), or ids separated \
            by blanks or commas.
            """, transform: pathArgument)
    var histories: String?
    @Option(
        help: """
            What the first id of a line of --histories is, user or item, where lines are not JSON. (default: told by \
            what the ids are, and said)
            """)
    var lineStartsWith: LineStart?

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

    /// Opens what is asked of a model of these items, in pieces of so many questions at most.
    func questions(_ items: Vocabulary, pieceSize: Int) throws -> any QuestionSource {
        if !history.isEmpty {
            let list = ItemList(history, items)
            return QuestionList([
                Question(
                    asker: .history, items: list.known, unknownCount: list.unknown.count,
                    unknownExample: list.unknown.first)
            ])
        }
        if !title.isEmpty {
            return QuestionList([Question(asker: .history, items: try title.map { try items.item(ofTitle: $0) })])
        }
        if let histories { return try HistoryFile(inputURL(histories), items, lineStartsWith, pieceSize: pieceSize) }
        let users = try DatasetUsers(data ?? "", items)
        if allUsers { return AllUsers(users, pieceSize: pieceSize) }
        if let file = self.users { return try UserFile(inputURL(file), users, pieceSize: pieceSize) }
        return QuestionList(user.map(users.question))
    }

    /// Whether there may be more questions than fit on a command line.
    var isBatch: Bool { users != nil || allUsers || histories != nil }
}

/// Which items may be recommended.
struct ChoiceOptions: ParsableArguments {
    @Option(name: .short, help: "How many items to recommend.") var k = 10
    @Flag(inversion: .prefixedNo, help: "Leave out items of the history.") var excludeSeen = true
    @Option(help: "Items to leave out, said as for --history.") var exclude: [String] = []
    @Option(help: "Recommend only these items, said as for --history.") var only: [String] = []

    func validate() throws {
        if k < 1 { throw ValidationError("-k must be at least 1.") }
    }
}

/// A path as a file's address; - is standard input.
func inputURL(_ path: String) -> URL { path == "-" ? URL(fileURLWithPath: "/dev/stdin") : fileURL(path) }

/// What people call the file at an address.
func inputName(_ url: URL) -> String { url.path == "/dev/stdin" ? "standard input" : url.path }
