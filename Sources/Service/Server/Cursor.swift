import Events
import Foundation
import Identifiers

/// The place where a page ends, as clients see it: text that means nothing to them. A cursor of another list is refused.
enum Cursor {
    /// A cursor before which a list of a user's events goes on.
    static func text(_ order: EventOrder, of user: RawID) -> String {
        seal(bytes(order.time.microseconds) + bytes(order.position), list: .events(user))
    }

    /// The place that a cursor of a user's events names.
    static func order(_ text: String, of user: RawID) -> EventOrder? {
        guard let content = open(text, list: .events(user)), content.count == 16 else { return nil }
        return EventOrder(
            time: Timestamp(microseconds: integer(content.prefix(8))), position: integer(content.dropFirst(8)))
    }

    /// A cursor after which the list of items goes on.
    static func text(after item: RawID) -> String { seal(Array(item.text.utf8), list: .items) }

    /// The item after which the list goes on.
    static func item(_ text: String) -> RawID? {
        open(text, list: .items).flatMap { String(validating: $0, as: UTF8.self) }.map { RawID($0) }
    }

    /// A cursor after which the list of users goes on.
    static func text(afterUser user: RawID) -> String { seal(Array(user.text.utf8), list: .users) }

    /// The user after whom the list goes on.
    static func user(_ text: String) -> RawID? {
        open(text, list: .users).flatMap { String(validating: $0, as: UTF8.self) }.map { RawID($0) }
    }

    /// A cursor after which the list of all users' events goes on.
    static func text(after order: EventOrder, ofUser user: RawID) -> String {
        seal(bytes(order.time.microseconds) + bytes(order.position) + user.text.utf8, list: .allEvents)
    }

    /// The event after which the list of all users' events goes on.
    static func event(_ text: String) -> (user: RawID, order: EventOrder)? {
        guard let content = open(text, list: .allEvents), content.count > 16,
            let user = String(validating: content.dropFirst(16), as: UTF8.self)
        else { return nil }
        let time = Timestamp(microseconds: integer(content[..<8]))
        return (RawID(user), EventOrder(time: time, position: integer(content[8..<16])))
    }

    private enum List {
        case events(RawID)
        case items
        case users
        case allEvents

        /// A number that differs between lists, nearly always: of FNV-1a, which is the same in all processes.
        func check(_ content: [UInt8]) -> [UInt8] {
            var hash: UInt64 = 0xcbf2_9ce4_8422_2325
            func add(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
            switch self {
            case .events(let user):
                add(1)
                user.text.utf8.forEach(add)
            case .items: add(2)
            case .users: add(3)
            case .allEvents: add(4)
            }
            content.forEach(add)
            return Array(bytes(Int64(bitPattern: hash)).suffix(4))
        }
    }

    private static func seal(_ content: [UInt8], list: List) -> String {
        Data(list.check(content) + content).base64URL
    }

    private static func open(_ text: String, list: List) -> [UInt8]? {
        guard let bytes = Data(base64URL: text), bytes.count >= 4 else { return nil }
        let content = Array(bytes.dropFirst(4))
        return list.check(content) == Array(bytes.prefix(4)) ? content : nil
    }

    private static func bytes(_ integer: Int64) -> [UInt8] { withUnsafeBytes(of: integer.bigEndian, Array.init) }

    private static func integer(_ bytes: ArraySlice<UInt8>) -> Int64 { bytes.reduce(0) { $0 << 8 | Int64($1) } }
}

extension Data {
    /// Base64 with the characters of URLs, without padding (RFC 4648, section 5).
    var base64URL: String {
        var text = base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
        while text.last == "=" { text.removeLast() }
        return text
    }

    /// The bytes of a text as ``base64URL`` writes it; nil for any other text.
    init?(base64URL text: String) {
        guard text.utf8.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "=") })
        else { return nil }
        let usual = text.replacing("-", with: "+").replacing("_", with: "/")
        self.init(base64Encoded: usual + String(repeating: "=", count: (4 - usual.utf8.count % 4) % 4))
        guard base64URL == text else { return nil }
    }
}
