import FileSupport
import Foundation
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
    struct Problem: Error { var reason: String }

    private static let userKeys: Set = ["user", "user_id"]
    private static let historyKeys: Set = ["history", "items"]
    private let bytes: UnsafeRawBufferPointer
    private var position = 0

    init(_ line: UnsafeRawBufferPointer) { bytes = line }

    mutating func read(into request: inout Request, _ items: Vocabulary) throws(Problem) {
        if take("[") {
            try list(into: &request, items)
        } else {
            guard take("{") else { throw expected("an object or a list") }
            try object(into: &request, items)
        }
        guard peek() == nil else { throw expected("the end of the line") }
    }

    private mutating func object(into request: inout Request, _ items: Vocabulary) throws(Problem) {
        var (keys, hasUser, hasHistory): ([String], Bool, Bool) = ([], false, false)
        while !take("}") {
            if !keys.isEmpty, !take(",") { throw expected("a comma or the end of the object") }
            let key = try text()
            keys.append(key)
            guard take(":") else { throw expected("a colon") }
            if Self.userKeys.contains(key) {
                if hasUser { throw Problem(reason: "the user is given more than once") }
                hasUser = true
                if pass("null") { continue }  // without a user
                request.subject = .user(String(decoding: try id("the user"), as: UTF8.self))
            } else if Self.historyKeys.contains(key) {
                if hasHistory { throw Problem(reason: "the history is given more than once") }
                hasHistory = true
                guard take("[") else { throw expected("the history as a list of ids") }
                try list(into: &request, items)
            } else {
                try passValue()
            }
        }
        guard hasHistory else {
            let found = keys.isEmpty ? "none" : keys.joined(separator: ", ")
            throw Problem(reason: "there is no key history; found \(found)")
        }
    }

    /// Parses an array after its opening bracket.
    private mutating func list(into request: inout Request, _ items: Vocabulary) throws(Problem) {
        if take("]") { return }
        repeat {
            let id = try id("an item")
            id.withUnsafeBytes { request.add($0, items) }
        } while take(",")
        guard take("]") else { throw expected("a comma or the end of the list") }
    }

    /// A string, or a number as it is written.
    private mutating func id(_ what: String) throws(Problem) -> [UInt8] {
        guard let first = peek() else { throw expected("\(what) as text or a number") }
        switch first {
        case UInt8(ascii: "\""): return Array(try text().utf8)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            let start = position
            while position < bytes.count, !isBlank(bytes[position]), !",]}".utf8.contains(bytes[position]) {
                position += 1
            }
            guard Double(String(decoding: bytes[start..<position], as: UTF8.self)) != nil else {
                position = start
                throw expected("a number")
            }
            return Array(bytes[start..<position])
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            let hint = "a file that is one JSON array becomes one line a history with: jq -c '.[]' FILE"
            throw Problem(reason: "expected \(what) as text or a number at byte \(position + 1); \(hint)")
        default: throw expected("\(what) as text or a number")
        }
    }

    private mutating func text() throws(Problem) -> String {
        guard take("\"") else { throw expected("text in quotes") }
        let start = position
        var isPlain = true
        while position < bytes.count, bytes[position] != UInt8(ascii: "\"") {
            if bytes[position] < 0x20 { throw expected("a closing quote") }
            if bytes[position] == UInt8(ascii: "\\") { (isPlain, position) = (false, position + 1) }
            position += 1
        }
        guard position < bytes.count else { throw expected("a closing quote") }
        position += 1
        if isPlain { return String(decoding: bytes[start..<position - 1], as: UTF8.self) }
        let quoted = Data(bytes[start - 1..<position])
        guard let text = try? JSONSerialization.jsonObject(with: quoted, options: .fragmentsAllowed) as? String else {
            position = start
            throw expected("text with valid escapes")
        }
        return text
    }

    /// Skips a value that is not needed.
    private mutating func passValue() throws(Problem) {
        var depth = 0
        repeat {
            guard let byte = peek() else { throw expected("a value") }
            switch byte {
            case UInt8(ascii: "\""): _ = try text()
            case UInt8(ascii: "{"), UInt8(ascii: "["): (depth, position) = (depth + 1, position + 1)
            case UInt8(ascii: "}"), UInt8(ascii: "]"): (depth, position) = (depth - 1, position + 1)
            case UInt8(ascii: ","), UInt8(ascii: ":"):
                guard depth > 0 else { throw expected("a value") }
                position += 1
            default:
                while position < bytes.count, !isBlank(bytes[position]), !",:]}\"".utf8.contains(bytes[position]) {
                    position += 1
                }
            }
            if depth < 0 { throw expected("a value") }
        } while depth > 0
    }

    /// The next byte that is not blank; nil at the end.
    private mutating func peek() -> UInt8? {
        while position < bytes.count, isBlank(bytes[position]) { position += 1 }
        return position < bytes.count ? bytes[position] : nil
    }

    private mutating func pass(_ word: String) -> Bool {
        guard peek() != nil, bytes[position...].starts(with: word.utf8) else { return false }
        position += word.utf8.count
        return true
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard let byte = peek(), UInt32(byte) == character.value else { return false }
        position += 1
        return true
    }

    private func expected(_ what: String) -> Problem { Problem(reason: "expected \(what) at byte \(position + 1)") }
}
