import FileSupport
import Foundation
import Identifiers
import Interactions

/// A dataset's users and the items that the model knows of their histories.
struct DatasetUsers: Sendable {
    private let dataset: Dataset
    private let names: Vocabulary
    private let itemNames: Vocabulary
    private let mapping: ItemMapping

    init(_ path: String, _ items: Vocabulary) throws {
        dataset = try openDataset(path)
        guard let users = dataset.users, let own = dataset.items else {
            throw fail(.badData, "\(path) has no ids of users and items")
        }
        (names, itemNames) = (users, own)
        mapping = ItemMapping(own, to: items)
    }

    var count: Int { dataset.userCount }

    func length(_ user: Int) -> Int { dataset.length(ofUser: user) }

    func question(_ id: String) -> Question {
        names.position(of: id).map(question) ?? Question(asker: .user(id), isInData: false)
    }

    func question(_ user: Int) -> Question {
        let events = dataset.sequence(ofUser: user)
        let known = mapping.known(events)
        let unknown = known.count < events.count ? events.first { mapping[$0] == nil } : nil
        return Question(
            asker: .user(names.ids[user]), items: known, unknownCount: events.count - known.count,
            unknownExample: unknown.map { itemNames.ids[$0.row] })
    }
}

/// Every user of a dataset.
final class AllUsers: QuestionSource {
    private let users: DatasetUsers
    private let pieceSize: Int
    private var position = 0

    init(_ users: DatasetUsers, pieceSize: Int) { (self.users, self.pieceSize) = (users, pieceSize) }

    func next() -> QuestionPiece? {
        guard position < users.count else { return nil }
        let start = position
        var events = 0
        while position < users.count, position - start < pieceSize, events < 8192 {
            events += users.length(position)
            position += 1
        }
        return .users(start..<position)
    }

    var understand: @Sendable (QuestionPiece) throws -> [Question] {
        { [users] in if case .users(let range) = $0 { range.map(users.question) } else { [] } }
    }

    var fractionRead: Double { Double(position) / Double(users.count) }
    let askerColumn = "user"
}

/// A file with one user a line.
final class UserFile: QuestionSource {
    private let users: DatasetUsers
    private let pieceSize: Int
    private let path: String
    private var reader: LineReader

    init(_ url: URL, _ users: DatasetUsers, pieceSize: Int) throws {
        (self.users, self.pieceSize) = (users, pieceSize)
        path = inputName(url)
        reader = try LineReader(url)
    }

    func next() throws -> QuestionPiece? {
        var lines = PackedLines()
        while !lines.isFull(at: pieceSize), let line = try reader.next() {
            if !line.allSatisfy(isBlank) { lines.append(line, number: reader.lineNumber) }
        }
        return lines.isEmpty ? nil : .lines(lines)
    }

    var understand: @Sendable (QuestionPiece) throws -> [Question] {
        { [users, path] piece in
            guard case .lines(let lines) = piece else { return [] }
            var questions: [Question] = []
            try lines.forEach { line, number in
                guard let id = String(validating: line, as: UTF8.self) else {
                    throw DatasetError.line(path: path, number: number, reason: "not UTF-8")
                }
                let exact = users.question(id)
                questions.append(exact.isInData ? exact : users.question(id.trimmingCharacters(in: .whitespaces)))
            }
            return questions
        }
    }

    var fractionRead: Double { reader.fractionRead }
    let askerColumn = "user"
}

/// Whether a byte only separates.
func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
