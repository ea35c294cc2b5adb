import FileSupport
import Identifiers
import Interactions

/// Parses lines of one form.
struct HistoryLineParser: Sendable {
    let form: HistoryForm
    let items: Vocabulary
    let path: String

    /// The request of a line; nil where it is blank and has no meaning in this form.
    func request(_ line: UnsafeRawBufferPointer, _ number: Int) throws(DatasetError) -> Request? {
        guard isUTF8(line) else { throw .line(path: path, number: number, reason: "not UTF-8") }
        var request = Request(subject: .line(number))
        if case .json = form {
            if line.allSatisfy(isBlank) { return nil }
            var reader = JSONHistory(line)
            do throws(JSONHistory.Problem) { try reader.read(into: &request, items) } catch {
                throw .line(path: path, number: number, reason: error.reason)
            }
            return request
        }
        var words = historyWords(line, items)[...]
        if case .userAndItems = form {
            guard let user = words.popFirst() else { return nil }
            request.subject = .user(String(decoding: user, as: UTF8.self))
        }
        for word in words { request.add(word, items) }
        return request
    }
}

/// The ids of a line, separated by blanks and then by commas, except where an id with a comma is an item. The first of several may be a
/// user and is not split.
func historyWords(_ line: UnsafeRawBufferPointer, _ items: Vocabulary) -> [UnsafeRawBufferPointer] {
    let words = line.split(whereSeparator: isBlank).map { UnsafeRawBufferPointer(rebasing: $0) }
    let comma = UInt8(ascii: ",")
    guard words.contains(where: { $0.contains(comma) }) else { return words }
    return words.enumerated().flatMap { index, word in
        let isWhole = !word.contains(comma) || (index == 0 && words.count > 1 && word.last != comma)
        if isWhole || items.item(of: word) != nil { return [word] }
        return word.split(separator: comma).map { UnsafeRawBufferPointer(rebasing: $0) }
    }
}

extension Request {
    /// Adds an event, or counts it where the model does not know its item.
    mutating func add(_ id: UnsafeRawBufferPointer, _ known: Vocabulary) {
        if let item = known.item(of: id) {
            items.append(item)
        } else {
            unknownCount += 1
            if unknownExample == nil { unknownExample = String(decoding: id, as: UTF8.self) }
        }
    }
}

/// Parses a history in JSON: a list of ids, or an object with one.
struct JSONHistory {
    struct Problem: JSONFailure {
        var reason: String

        init(reason: String) { self.reason = reason }
        init(expected: String, atByte byte: Int) { reason = "expected \(expected) at byte \(byte)" }
    }

    private static let userKeys: Set = ["user", "user_id"]
    private static let historyKeys: Set = ["history", "items"]
    private var json: JSONScanner<Problem>

    init(_ line: UnsafeRawBufferPointer) { json = JSONScanner(line) }

    mutating func read(into request: inout Request, _ items: Vocabulary) throws(Problem) {
        if json.take("[") {
            try list(into: &request, items)
        } else {
            guard json.take("{") else { throw json.expected("an object or a list") }
            try object(into: &request, items)
        }
        guard json.next() == nil else { throw json.expected("the end of the line") }
    }

    private mutating func object(into request: inout Request, _ items: Vocabulary) throws(Problem) {
        var (keys, hasUser, hasHistory): ([String], Bool, Bool) = ([], false, false)
        while let bytes = try json.nextKey(isFirst: keys.isEmpty) {
            let key = try json.text(bytes)
            keys.append(key)
            if Self.userKeys.contains(key) {
                if hasUser { throw Problem(reason: "the user is given more than once") }
                hasUser = true
                if json.next() != nil, json.pass("null") { continue }  // without a user
                request.subject = .user(String(decoding: try id("the user"), as: UTF8.self))
            } else if Self.historyKeys.contains(key) {
                if hasHistory { throw Problem(reason: "the history is given more than once") }
                hasHistory = true
                guard json.take("[") else { throw json.expected("the history as a list of ids") }
                try list(into: &request, items)
            } else {
                try json.passValue()
            }
        }
        guard hasHistory else {
            let found = keys.isEmpty ? "none" : keys.joined(separator: ", ")
            throw Problem(reason: "there is no key history; found \(found)")
        }
    }

    /// Parses an array after its opening bracket.
    private mutating func list(into request: inout Request, _ items: Vocabulary) throws(Problem) {
        if json.take("]") { return }
        repeat { request.add(try id("an item"), items) } while json.take(",")
        guard json.take("]") else { throw json.expected("a comma or the end of the list") }
    }

    /// A string, or a number as it is written.
    private mutating func id(_ what: String) throws(Problem) -> UnsafeRawBufferPointer {
        guard let first = json.next() else { throw json.expected("\(what) as text or a number") }
        switch first {
        case UInt8(ascii: "\""):
            json.position += 1
            return try json.string()
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            return try json.number { Double(String(decoding: $0, as: UTF8.self)) != nil }
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            let hint = "a file that is one JSON array becomes one line a history with: jq -c '.[]' FILE"
            throw Problem(reason: "\(json.expected("\(what) as text or a number").reason); \(hint)")
        default: throw json.expected("\(what) as text or a number")
        }
    }
}
