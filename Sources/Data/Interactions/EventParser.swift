/// Turns the records of one file into events.
struct EventParser {
    private let isSequence: Bool
    private let time: Int?
    private let type: Int?
    private let eventID: Int?
    private let rating: (index: Int, minimum: Double)?
    private var conditions: [Condition] = []

    /// The values that one column must have.
    private struct Condition {
        let index: Int
        let column: String
        let values: [[UInt8]]
        /// Some of the other values, for a message.
        var others: Set<String> = []
    }

    init(_ layout: LogLayout, _ options: ReadOptions) {
        isSequence = layout.format == .sequences
        (time, type, eventID) = (layout.index(.time), layout.index(.type), layout.index(.eventID))
        rating = options.minimumRating.flatMap { minimum in layout.index(.rating).map { ($0, minimum) } }
        let indices = layout.columns.indices.filter { layout.columns[$0].role == .condition }
        for (index, condition) in zip(indices, options.conditions) {
            conditions.append(
                Condition(index: index, column: condition.column, values: condition.values.map { Array($0.utf8) }))
        }
    }

    /// The condition that every dropped event failed, with some of their values.
    var unmet: String? {
        let texts = conditions.filter { !$0.others.isEmpty }.map { condition in
            "\(printable(condition.column)) is \(condition.others.sorted().map { quoted($0) }.joined(separator: ", "))"
        }
        return texts.isEmpty ? nil : texts.joined(separator: "; ")
    }

    mutating func parse(_ fields: [Bytes], into log: inout InteractionLog) throws(LineProblem) {
        if isSequence { return try log.append(user: fields[0], items: fields[1...]) }
        for i in conditions.indices where !meets(&conditions[i], fields) { return log.dropByCondition() }
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

    private func meets(_ condition: inout Condition, _ fields: [Bytes]) -> Bool {
        let field = fields[condition.index]
        if condition.values.contains(where: { $0.count == field.count && $0.elementsEqual(field) }) { return true }
        if condition.others.count < 8 { condition.others.insert(text(field)) }
        return false
    }
}
