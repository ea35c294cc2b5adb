import Events
import FileSupport
import Identifiers
import Interactions
import Report
import Server

/// Parses lines of one form.
struct HistoryLineParser: Sendable {
    let form: HistoryForm
    let items: Vocabulary
    /// Whether the model needs the times of events.
    let isWithTime: Bool
    let path: String

    /// The request of a line; nil where it is blank and has no meaning in this form.
    func request(_ line: UnsafeRawBufferPointer, _ number: Int) throws(DatasetError) -> Request? {
        guard isUTF8(line) else { throw .line(path: path, number: number, reason: "not UTF-8") }
        var request = Request(subject: .line(number))
        if case .json = form {
            if line.allSatisfy(isBlank) { return nil }
            var reader = JSONHistory(line, isWithTime: isWithTime)
            do throws(JSONHistory.Problem) { try reader.read(into: &request, items) } catch {
                throw .line(path: path, number: number, reason: error.reason)
            }
            return request
        }
        if isWithTime { throw .line(path: path, number: number, reason: JSONHistory.needsTimes) }
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
    /// Adds an event, or counts it where the model does not know its item. Returns whether it does.
    @discardableResult mutating func add(_ id: UnsafeRawBufferPointer, _ known: Vocabulary) -> Bool {
        if let item = known.item(of: id) {
            items.append(item)
            return true
        }
        unknownCount += 1
        if unknownExample == nil { unknownExample = String(decoding: id, as: UTF8.self) }
        return false
    }
}

/// Parses a history in JSON: a list of ids, or an object with one, and with the times of events where the model needs them.
struct JSONHistory {
    struct Problem: JSONFailure {
        var reason: String

        init(reason: String) { self.reason = reason }
        init(expected: String, atByte byte: Int) { reason = "expected \(expected) at byte \(byte)" }
    }

    private static let userKeys: Set = ["user", "user_id"]
    private static let historyKeys: Set = ["history", "items"]
    private static let timeKeys: Set = ["times", "timestamps"]
    /// What a line for a model with time looks like.
    static let exampleWithTimes = #"{"history": ["50", "181"], "times": ["2026-05-01T12:30:00Z", 1777638700]}"#
    static let needsTimes = "it has no times, and the model was trained with --time: expected \(exampleWithTimes)"
    private let isWithTime: Bool
    private var json: JSONScanner<Problem>
    /// For each id whether the model knows it.
    private var areKnown: [Bool] = []
    /// In nanoseconds since 1970.
    private var times: [Int64]?

    init(_ line: UnsafeRawBufferPointer, isWithTime: Bool) {
        json = JSONScanner(line)
        self.isWithTime = isWithTime
    }

    mutating func read(into request: inout Request, _ items: Vocabulary) throws(Problem) {
        if json.take("[") {
            try list(into: &request, items)
        } else {
            guard json.take("{") else { throw json.expected("an object or a list") }
            try object(into: &request, items)
        }
        guard json.next() == nil else { throw json.expected("the end of the line") }
        if isWithTime { request.times = try timesOfKnown() }
    }

    /// The times of the events that the model knows.
    private func timesOfKnown() throws(Problem) -> [Int64] {
        guard let times else { throw Problem(reason: Self.needsTimes) }
        guard times.count == areKnown.count else {
            throw Problem(reason: "\(counted(times.count, "time")) for \(counted(areKnown.count, "event"))")
        }
        guard zip(times, times.dropFirst()).allSatisfy({ $0 <= $1 }) else {
            throw Problem(reason: "the times of its events do not ascend: expected the earliest event first")
        }
        return zip(times, areKnown).filter(\.1).map(\.0)
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
            } else if isWithTime, Self.timeKeys.contains(key) {
                if times != nil { throw Problem(reason: "the times are given more than once") }
                try readTimes()
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
        repeat { areKnown.append(request.add(try id("an item"), items)) } while json.take(",")
        guard json.take("]") else { throw json.expected("a comma or the end of the list") }
    }

    private mutating func readTimes() throws(Problem) {
        guard json.take("[") else { throw json.expected("the times as a list") }
        var read: [Int64] = []
        if !json.take("]") {
            repeat { read.append(try time()) } while json.take(",")
            guard json.take("]") else { throw json.expected("a comma or the end of the list") }
        }
        times = read
    }

    private mutating func time() throws(Problem) -> Int64 {
        let text = String(decoding: try id("a time"), as: UTF8.self)
        let time = Timestamp(iso8601: text) ?? Timestamp(seconds: text)
        if let nanoseconds = time?.nanoseconds { return nanoseconds }
        throw Problem(
            reason:
                "the time '\(printable(text))': expected one of the years 1678 to 2261 such as 2026-05-01T12:30:00Z, or "
                + "seconds since 1970")
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
