import ErrorSupport
import Evaluation
import FileSupport
import Foundation
package import Identifiers
package import Interactions

/// The users of a dataset, with their histories in the model's items.
package struct DatasetUsers: Sendable {
    private let dataset: Dataset
    private let names: Vocabulary
    private let itemNames: Vocabulary
    private let mapping: ItemMapping

    /// For a model of these items, which may be one with time. Throws where the dataset has no ids, or no dates that such a model needs.
    package init(_ dataset: Dataset, _ items: Vocabulary, isWithTime: Bool) throws {
        guard let users = dataset.users, let own = dataset.items else {
            throw fail(.badData, "the dataset has no ids of users and items")
        }
        if isWithTime { try dataset.requireDates() }
        (self.dataset, names, itemNames) = (dataset, users, own)
        mapping = ItemMapping(own, to: items)
    }

    package var count: Int { dataset.userCount }

    func length(_ user: Int) -> Int { dataset.length(ofUser: user) }

    /// For a user by id. The history is empty where the dataset has no such user.
    package func request(_ id: String) -> Request {
        names.position(of: id).map(request) ?? Request(subject: .user(id), isInData: false)
    }

    /// For a user by number, 0 ..< ``count``. O(events).
    package func request(_ user: Int) -> Request {
        let events = dataset.sequence(ofUser: user)
        let known = mapping.known(events)
        let times = zip(events, dataset.timestamps(ofUser: user) ?? []).filter { mapping[$0.0] != nil }.map(\.1)
        let unknown = known.count < events.count ? events.first { mapping[$0] == nil } : nil
        return Request(
            subject: .user(names.ids[user]), items: known, times: times, unknownCount: events.count - known.count,
            unknownExample: unknown.map { itemNames.ids[$0.row] })
    }
}

/// Requests for every user of a dataset.
final class AllUsers: RequestSource {
    private let users: DatasetUsers
    private let batchSize: Int
    private var position = 0

    init(_ users: DatasetUsers, batchSize: Int) { (self.users, self.batchSize) = (users, batchSize) }

    func next() -> RequestBatch? {
        guard position < users.count else { return nil }
        let start = position
        var events = 0
        while position < users.count, position - start < batchSize, events < 8192 {
            events += users.length(position)
            position += 1
        }
        return .users(start..<position)
    }

    var parse: @Sendable (RequestBatch) throws -> [Request] {
        { [users] in if case .users(let range) = $0 { range.map(users.request) } else { [] } }
    }

    var fractionRead: Double { Double(position) / Double(users.count) }
    let subjectColumn = "user"
}

/// Requests for the users in a file with one user on each line.
final class UserFile: RequestSource {
    private let users: DatasetUsers
    private let batchSize: Int
    private let path: String
    private var reader: LineReader

    init(_ url: URL, _ users: DatasetUsers, batchSize: Int) throws {
        (self.users, self.batchSize) = (users, batchSize)
        path = inputName(url)
        reader = try LineReader(url)
    }

    func next() throws -> RequestBatch? {
        var lines = PackedLines()
        while !lines.isFull(at: batchSize), let line = try reader.next() {
            if !line.allSatisfy(isBlank) { lines.append(line, number: reader.lineNumber) }
        }
        return lines.isEmpty ? nil : .lines(lines)
    }

    var parse: @Sendable (RequestBatch) throws -> [Request] {
        { [users, path] piece in
            guard case .lines(let lines) = piece else { return [] }
            var requests: [Request] = []
            try lines.forEach { line, number in
                guard let id = String(validating: line, as: UTF8.self) else {
                    throw DatasetError.line(path: path, number: number, reason: "not UTF-8")
                }
                let exact = users.request(id)
                requests.append(exact.isInData ? exact : users.request(id.trimmingCharacters(in: .whitespaces)))
            }
            return requests
        }
    }

    var fractionRead: Double { reader.fractionRead }
    let subjectColumn = "user"
}

/// Whether a byte is white space.
func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
