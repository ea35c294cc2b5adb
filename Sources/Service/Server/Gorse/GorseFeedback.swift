import Crypto
import Events
import Foundation
import Identifiers

/// Feedback as Gorse's clients send it.
struct GorseFeedback {
    var type: String?
    var user: RawID?
    var item: RawID?
    var time: Timestamp?
    var value: Double?

    /// Reads a body's array.
    static func read(_ body: [UInt8]) throws(Problem) -> [GorseFeedback] {
        try JSONReader.read(body) { (reader) throws(Problem) in
            try reader.array(limit: Limits.events) { (reader) throws(Problem) in try GorseFeedback(&reader) }
        }
    }

    /// Reads feedback whose item is named, as it must be. Comments are passed over.
    private init(_ reader: inout JSONReader) throws(Problem) {
        let latest = Timestamp(Date()).adding(seconds: EventLogRules.secondsAhead)
        try reader.goObject { (key, reader) throws(Problem) in
            switch key {
            case "feedbacktype": type = try reader.idText()
            case "userid": user = try reader.id()
            case "itemid": item = try reader.id()
            case "timestamp":
                time = try reader.goTime()
                if let time, time > latest {
                    throw reader.problem("is more than 10 minutes ahead of the server's clock")
                }
            case "value": value = try reader.double()
            default: return false
            }
            return true
        }
        guard item != nil else { throw reader.problem("is missing", at: "ItemId") }
    }

    /// The event that it tells of. `index`: its place in the body, for refusals.
    func event(at index: Int) throws(Problem) -> NewEvent {
        guard let type else { throw Problem(field: "[\(index)].FeedbackType", "is missing") }
        guard let user else { throw Problem(field: "[\(index)].UserId", "is missing") }
        return NewEvent(gorse: type, user, item!, at: time, value: value == 0 ? nil : value)
    }
}

extension NewEvent {
    /// The event of a feedback, whose identity is type, user, item and time: a repetition of these is no new event.
    init(gorse type: String, _ user: RawID, _ item: RawID, at time: Timestamp?, value: Double? = nil) {
        // No identifier has control characters.
        let key = "\(type)\0\(item)\0\(time.map { "\($0.microseconds)" } ?? "")"
        let digest = Data(SHA256.hash(data: Data(key.utf8)).prefix(16))
        self.init(user: user, item: item, type: type, time: time, value: value, id: RawID("gorse:\(digest.base64URL)"))
    }
}

extension JSONWriter {
    /// A feedback's object.
    mutating func gorseFeedback(_ stored: StoredEvent) {
        object { json in json.gorseFeedbackMembers(stored) }
    }

    /// The members of a feedback's object. When it was updated is not known.
    mutating func gorseFeedbackMembers(_ stored: StoredEvent) {
        member("FeedbackType", stored.event.type)
        member("UserId", stored.event.user)
        member("ItemId", stored.event.item)
        member("Value", stored.event.value ?? 0)
        member("Timestamp", stored.order.time)
        member("Updated", goTime: nil)
        member("Comment", "")
    }
}
