import FileSupport
import Foundation
import Identifiers
import Interactions

/// Understands lines of one form.
struct HistoryLineParser: Sendable {
    let form: HistoryForm
    let items: Vocabulary
    let path: String

    /// What a line asks; nil where it is blank and stands for nobody.
    func question(_ line: UnsafeRawBufferPointer, _ number: Int) throws(DatasetError) -> Question? {
        guard isUTF8(line) else { throw .line(path: path, number: number, reason: "not UTF-8") }
        var question = Question(asker: .line(number))
        if case .json = form {
            if line.allSatisfy(isBlank) { return nil }
            var reader = JSONHistory(line)
            do throws(JSONHistory.Problem) { try reader.read(into: &question, items) } catch {
                throw .line(path: path, number: number, reason: error.reason)
            }
            return question
        }
        var words = historyWords(line, items)[...]
        if case .userAndItems = form {
            guard let user = words.popFirst() else { return nil }
            question.asker = .user(String(decoding: user, as: UTF8.self))
        }
        for word in words { question.add(word, items) }
        return question
    }
}

/// The ids of a line: what blanks separate, and within that what commas do, unless it is an item as it stands. The first of
/// several may be a user and stays whole.
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

extension Question {
    /// Adds an event, if the model knows its item.
    mutating func add(_ id: UnsafeRawBufferPointer, _ known: Vocabulary) {
        if let item = known.item(of: id) {
            items.append(item)
        } else {
            unknownCount += 1
            if unknownExample == nil { unknownExample = String(decoding: id, as: UTF8.self) }
        }
    }
}

/// Reads a history that is written in JSON: a list of ids, or an object with one.
struct JSONHistory {
    struct Problem: Error { var reason: String }

    private static let userKeys: Set = ["user", "user_id"]
    private static let historyKeys: Set = ["history", "items"]
    private let bytes: UnsafeRawBufferPointer
    private var position = 0

    init(_ line: UnsafeRawBufferPointer) { bytes = line }

    mutating func read(into question: inout Question, _ items: Vocabulary) throws(Problem) {
        if take("[") {
            try list(into: &question, items)
        } else {
            guard take("{") else { throw expected("an object or a list") }
            try object(into: &question, items)
        }
        guard peek() == nil else { throw expected("the end of the line") }
    }

    private mutating func object(into question: inout Question, _ items: Vocabulary) throws(Problem) {
        var (keys, hasUser, hasHistory): ([String], Bool, Bool) = ([], false, false)
        while !take("}") {
            if !keys.isEmpty, !take(",") { throw expected("a comma or the end of the object") }
            let key = try text()
            keys.append(key)
            guard take(":") else { throw expected("a colon") }
            if Self.userKeys.contains(key) {
                if hasUser { throw Problem(reason: "the user is given more than once") }
                hasUser = true
                if pass("null") { continue }  // nobody in particular
                question.asker = .user(String(decoding: try id("the user"), as: UTF8.self))
            } else if Self.historyKeys.contains(key) {
                if hasHistory { throw Problem(reason: "the history is given more than once") }
                hasHistory = true
                guard take("[") else { throw expected("the history as a list of ids") }
                try list(into: &question, items)
            } else {
                try passValue()
            }
        }
        guard hasHistory else {
            let found = keys.isEmpty ? "none" : keys.joined(separator: ", ")
            throw Problem(reason: "there is no key history; found \(found)")
        }
    }

    /// Behind the opening bracket.
    private mutating func list(into question: inout Question, _ items: Vocabulary) throws(Problem) {
        if take("]") { return }
        repeat {
            let id = try id("an item")
            id.withUnsafeBytes { question.add($0, items) }
        } while take(",")
        guard take("]") else { throw expected("a comma or the end of the list") }
    }

    /// Text, or a number as it is written.
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

    /// Goes behind a value that nobody asks for.
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
