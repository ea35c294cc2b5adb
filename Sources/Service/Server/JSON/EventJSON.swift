import Events
import Identifiers
import Live

/// Events of a request's body: one object, or an array of them.
struct EventsBody {
    var events: [NewEvent] = []
    /// Whether it was an array.
    var isArray = false

    /// Reads the events of a user, whom they need not name then; nil: each names its own.
    init(_ body: [UInt8], of user: RawID? = nil) throws(Problem) {
        self = try JSONReader.read(body) { (reader) throws(Problem) in
            try EventsBody(&reader, of: user)
        }
    }

    private init(_ reader: inout JSONReader, of user: RawID?) throws(Problem) {
        switch try reader.kind() {
        case .array:
            isArray = true
            events = try reader.array(limit: Limits.events, name: "events") { (reader) throws(Problem) in
                try reader.newEvent(of: user)
            }
            guard !events.isEmpty else { throw Problem(field: "events", "must not be empty") }
        case .object: events = [try reader.newEvent(of: user)]
        default: throw reader.problem("must be an object or an array of objects")
        }
    }

    /// How refusals call a field of an event.
    func field(_ index: Int, _ name: String) -> String { isArray ? "events[\(index)].\(name)" : name }
}

extension JSONReader {
    /// An event of a user, who may be named but must not be another one; nil: it names its user.
    fileprivate mutating func newEvent(of expected: RawID?) throws(Problem) -> NewEvent {
        var (user, item): (RawID?, RawID?) = (expected, nil)
        var event = NewEvent(user: "", item: "")
        try object { (key, reader) throws(Problem) in
            switch key {
            case "user":
                user = try reader.id()
                guard expected == nil || user == expected else {
                    throw reader.problem("is not the user of the address")
                }
            case "item": item = try reader.id()
            case "type": event.type = try reader.idText()
            case "timestamp": event.time = try reader.time()
            case "value": event.value = try reader.double()
            case "eventId": event.id = try reader.eventID()
            case "recommendationId": event.recommendation = try reader.id()
            default: throw reader.unknownField()
            }
        }
        guard let user else { throw problem("is missing", at: "user") }
        guard let item else { throw problem("is missing", at: "item") }
        (event.user, event.item) = (user, item)
        return event
    }

    private mutating func eventID() throws(Problem) -> RawID {
        let id = try id()
        if let refusal = EventSelector.refusal(ofID: id.text) { throw problem(refusal) }
        return id
    }
}

extension EventSelector {
    /// In an address, it distinguishes an event's place in the log from its id.
    static let positionPrefix = "position:"

    /// Why a text cannot be an event's identifier; nil where it can.
    static func refusal(ofID text: String) -> String? {
        IDRules.refusal(text) ?? (text.hasPrefix(positionPrefix) ? "must not begin with \(positionPrefix)" : nil)
    }

    /// The event that an address means: its id, or `position:17`.
    init(address: RawID) throws(Problem) {
        guard address.text.hasPrefix(Self.positionPrefix) else {
            self = .id(address)
            return
        }
        let digits = address.text.dropFirst(Self.positionPrefix.count)
        guard let position = Int64(digits), position >= 0, digits.first != "+" else {
            throw Problem(field: "event", "must be an event's id, or position: and a whole number")
        }
        self = .position(position)
    }
}

extension JSONWriter {
    /// What became of the events of a request.
    mutating func receipts(_ receipts: [EventReceipt], _ durability: Durability) {
        key("events")
        array { json in
            for receipt in receipts { json.receipt(receipt) }
        }
        member("durability", durability.rawValue)
    }

    private mutating func receipt(_ receipt: EventReceipt) {
        object { json in
            json.member("position", receipt.stored.order.position)
            json.member("timestamp", receipt.stored.order.time)
            json.member("known", receipt.isKnown)
            json.member("duplicate", receipt.isDuplicate)
            if let id = receipt.stored.event.id { json.member("eventId", id) }
        }
    }

    /// An event of the log, without its user.
    mutating func event(_ stored: StoredEvent) {
        object { json in json.eventMembers(stored) }
    }

    /// The members of an event of the log.
    mutating func eventMembers(_ stored: StoredEvent, withPosition: Bool = true) {
        if withPosition { member("position", stored.order.position) }
        member("item", stored.event.item)
        member("type", stored.event.type)
        member("timestamp", stored.order.time)
        if let value = stored.event.value { member("value", value) }
        if let id = stored.event.id { member("eventId", id) }
        if let recommendation = stored.event.recommendation { member("recommendationId", recommendation) }
    }
}
