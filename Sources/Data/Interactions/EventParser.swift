/// Turns the records of one file into events.
struct EventParser {
    private let isSequence: Bool
    private let time: Int?
    private let type: Int?
    private let eventID: Int?
    private let rating: (index: Int, minimum: Double)?
    private var conditions: EventFilter

    init(_ layout: LogLayout, _ options: ReadOptions) {
        isSequence = layout.format == .sequences
        (time, type, eventID) = (layout.index(.time), layout.index(.type), layout.index(.eventID))
        rating = options.minimumRating.flatMap { minimum in layout.index(.rating).map { ($0, minimum) } }
        conditions = EventFilter(layout, options)
    }

    /// The condition that every dropped event failed, with some of their values.
    var unmet: String? { conditions.unmet }

    mutating func parse(_ fields: [Bytes], into log: inout InteractionLog) throws(LineProblem) {
        if isSequence { return try log.append(user: fields[0], items: fields[1...]) }
        guard conditions.accept({ fields[$0] }) else { return log.dropByCondition() }
        let when = try time.map { index throws(LineProblem) in try log.time(fields[index]) }
        if let rating {
            guard let value = parseNumber(fields[rating.index]) else {
                throw LineProblem(reason: "the rating \(quoted(fields[rating.index])) is not a number")
            }
            if value < rating.minimum { return log.dropByRating() }
        }
        let kept = try kept(fields)
        try log.append(user: fields[0], item: fields[1], timestamp: when)
        if let kept { log.keep(kept) }
    }

    /// What is kept of an event as it is; nil where no such column was asked for.
    private func kept(_ fields: [Bytes]) throws(LineProblem) -> KeptFields? {
        guard type != nil || eventID != nil else { return nil }
        var kept = KeptFields(type: type.map { fields[$0] }, eventID: eventID.map { fields[$0] })
        if let id = kept.eventID, trimmed(id).isEmpty || Identifier.isNullMark(id) { kept.eventID = nil }
        if let type = kept.type { _ = try Identifier.check(type, "type") }
        if let id = kept.eventID { _ = try Identifier.check(id, "event id") }
        return kept
    }
}
