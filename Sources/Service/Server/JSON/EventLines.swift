package import Events
import Identifiers
import NIOCore

/// Events as lines of JSON, with the names of the API: what `recblr store export` writes and `import` reads.
package enum EventLines {
    /// Why a line is no event.
    package struct Refusal: Error {
        /// What is wrong, and where.
        package let reason: String
    }

    /// The time of a text such as 2026-11-26T03:00:00Z; nil where it is none.
    package static func time(_ text: String) -> Timestamp? { Timestamp(iso8601: text) }

    /// Why an event cannot be in a log, as POST /v1/events judges its identifiers; nil where it can.
    package static func refusal(of event: NewEvent) -> String? {
        func say(_ name: String, _ text: String, _ refusal: String?) -> String? {
            refusal.map { "the \(name) '\(text.prefix(40))' \($0)" }
        }
        return say("user", event.user.text, IDRules.refusal(event.user.text))
            ?? say("item", event.item.text, IDRules.refusal(event.item.text))
            ?? say("type", event.type, IDRules.refusal(event.type))
            ?? event.id.flatMap { say("event id", $0.text, EventSelector.refusal(ofID: $0.text)) }
    }

    /// The line of an event, with its end.
    package static func line(_ stored: StoredEvent) -> [UInt8] {
        var json = JSONWriter(capacity: 256)
        json.object { json in
            json.member("user", stored.event.user)
            json.eventMembers(stored, withPosition: false)
        }
        return Array(json.buffer.readableBytesView) + [UInt8(ascii: "\n")]
    }

    /// The event of a line.
    package static func event(_ line: [UInt8]) throws(Refusal) -> NewEvent {
        do {
            let body = try EventsBody(line)
            guard !body.isArray else { throw Refusal(reason: "it is an array, not an event") }
            return body.events[0]
        } catch let problem as Problem {
            throw Refusal(reason: problem.field.map { "\($0) \(problem.detail)" } ?? problem.detail)
        } catch let refusal as Refusal {
            throw refusal
        } catch { throw Refusal(reason: "\(error)") }
    }
}
