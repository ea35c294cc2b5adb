/// The layout of a file as inferred from its first lines.
public struct LogLayout: Sendable, Equatable {
    /// A column of a table or a key of JSON objects.
    public struct Column: Sendable, Equatable {
        /// The role of the column.
        public var role: ColumnRole
        /// The name in the header, or the key; nil without a header.
        public var name: String?
        /// The position from 0; nil for keys.
        public var position: Int?
        /// Other columns with a name for the same role.
        public var others: [String] = []
        /// Whether the caller named the column.
        public var isGiven = false
    }

    /// The path as the caller gave it.
    public var path: String
    /// The format of the file; nil for a table in memory.
    public var format: InputFormat?
    /// How lines are split into fields; nil for JSON and sequences.
    public var table: TableDialect?
    /// The columns that are read, in this order; empty for sequences.
    public var columns: [Column] = []
    /// Number of columns of every line, for tables.
    public var width = 0
    /// Notes for the user.
    public var notes: [String] = []
    /// The fields of `columns` in the first event; for sequences the user and the items. Empty where there is none.
    public var first: [String] = []
    /// Number of lines before the header or the first event.
    var linesBefore = 0

    /// Position in `columns`.
    func index(_ role: ColumnRole) -> Int? { columns.firstIndex { $0.role == role } }

    /// A description in a few lines: format, columns, notes, first event.
    public var description: String {
        ([path + ": " + formText] + columnTexts + notes + firstText).joined(separator: "\n  ")
    }

    /// Whether another file is read in the same way.
    public func isReadLike(_ other: LogLayout) -> Bool {
        format == other.format && table == other.table && columns == other.columns && notes == other.notes
    }

    private var formText: String {
        switch format {
        case nil: return "a table in memory"
        case .sequences: return "one user a line: a user id, then item ids in order of time"
        case .jsonl: return "one JSON object a line"
        case .csv, .tsv, .recbole, .movielens:
            guard let format, let table else { return "" }
            let quotes = table.isQuoted ? "fields may be quoted" : "no quotes"
            let header = table.hasHeader ? "with a header" : "without a header"
            return "\(format.rawValue), delimiter \(table.delimiter), \(header), \(quotes)"
        }
    }

    private var columnTexts: [String] {
        guard format != .sequences else { return [] }
        var texts = columns.filter { $0.role != .condition }.map(text)
        let unit = format == nil ? RecordUnit.row : .line
        if index(.time) == nil, index(.title) == nil { texts.append("time: the order of the \(unit)s") }
        return texts
    }

    private func text(_ column: Column) -> String {
        var place = column.name.map { "\($0)" } ?? ""
        if let position = column.position {
            place += place.isEmpty ? "column \(position + 1)" : " (column \(position + 1))"
        }
        let others = column.others.prefix(4).joined(separator: ", ")
        let hint = others.isEmpty ? "" : ", not \(others)"
        let why = column.isGiven ? "as asked" : column.name == nil ? "as is usual" : "by its name"
        return "\(column.role.rawValue): \(printable(place)), \(why)\(hint)"
    }

    private var firstText: [String] {
        guard !first.isEmpty else { return [] }
        if format == .sequences {
            let items = first.dropFirst().prefix(5).map { quoted($0) }.joined(separator: ", ")
            return ["first line: user \(quoted(first[0])), items \(items)" + (first.count > 6 ? ", …" : "")]
        }
        let values = zip(columns, first).map { column, value in
            column.role == .condition
                ? "\(column.name ?? "column") \(quoted(value))" : "\(column.role.rawValue) \(quoted(value))"
        }
        return [(index(.title) == nil ? "first event: " : "first title: ") + values.joined(separator: ", ")]
    }
}
