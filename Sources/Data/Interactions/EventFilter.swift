/// The conditions on the events of one file or table.
struct EventFilter {
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
        let indices = layout.columns.indices.filter { layout.columns[$0].role == .condition }
        for (index, condition) in zip(indices, options.conditions) {
            conditions.append(
                Condition(index: index, column: condition.column, values: condition.values.map { Array($0.utf8) }))
        }
    }

    /// Whether there is no condition.
    var isEmpty: Bool { conditions.isEmpty }

    /// Whether an event meets all conditions. `field` gives the text of the layout's columns by their positions.
    mutating func accept<Failure: Error>(_ field: (_ index: Int) throws(Failure) -> Bytes) throws(Failure) -> Bool {
        for i in conditions.indices {
            let field = try field(conditions[i].index)
            if conditions[i].values.contains(where: { $0.count == field.count && $0.elementsEqual(field) }) { continue }
            if conditions[i].others.count < 8 { conditions[i].others.insert(text(field)) }
            return false
        }
        return true
    }

    /// The condition that every dropped event failed, with some of their values.
    var unmet: String? {
        let texts = conditions.filter { !$0.others.isEmpty }.map { condition in
            "\(printable(condition.column)) is \(condition.others.sorted().map { quoted($0) }.joined(separator: ", "))"
        }
        return texts.isEmpty ? nil : texts.joined(separator: "; ")
    }
}
