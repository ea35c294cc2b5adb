public import ArrowData
import Identifiers

extension InteractionLog {
    /// Reads a table that another program gives, one event a row, with the result that a CSV file of the same events has.
    ///
    /// Columns are found as in a file with a header. Ids are texts or whole numbers (floating-point columns count where all their numbers
    /// are whole: 1.0 is the id `1.0`), times are numbers, dates, timestamps or texts, each of them in a dictionary or not. Other columns may
    /// be of any type. A row without user, item or time is an error, or counted where ``ReadOptions/skipsBadLines`` says so.
    ///
    /// O(rows) time; memory grows with the distinct ids and the longest batch, not with the events.
    /// - Parameters:
    ///   - name: what messages call the table.
    ///   - understood: called with the columns before the rows are read.
    ///   - progress: called at least every 2¹⁶ rows with their number so far; what it throws, such as ``DatasetError/stopped``, ends the
    ///     reading.
    public static func read(
        _ table: consuming ArrowStream, named name: String = "the table", _ options: ReadOptions = ReadOptions(),
        understood: (LogLayout) -> Void = { _ in },
        progress: (_ rows: Int) throws(DatasetError) -> Void = { _ in }
    ) throws(DatasetError) -> InteractionLog {
        func read<Value>(_ body: () throws(ArrowError) -> Value) throws(DatasetError) -> Value {
            do { return try body() } catch { throw .malformed(path: name, reason: error.description) }
        }
        var batch: ArrowBatch?
        repeat { batch = try read { () throws(ArrowError) in try table.next() } } while batch?.count == 0
        let layout = try LayoutFinder(path: name, options: options).layout(of: table.fields, batch)
        understood(layout)
        var log = InteractionLog(options)
        var parser = ArrowEventParser(layout, options)
        while let rows = batch {
            let columns = try read { () throws(ArrowError) in
                try layout.columns.map { column throws(ArrowError) in try rows.column(column.position ?? 0) }
            }
            try parser.parse(columns, into: &log, progress)
            batch = try read { () throws(ArrowError) in try table.next() }
        }
        try parser.finish(&log)
        return log
    }
}

extension LayoutFinder {
    /// The columns of a table that are read. `batch` are its first rows, nil where it has none.
    func layout(of fields: [ArrowField], _ batch: ArrowBatch?) throws(DatasetError) -> LogLayout {
        guard options.format == nil, options.delimiter == nil, options.hasHeader == nil, options.columns.kept.isEmpty
        else {
            throw .unusable("\(path): a table in memory has no format, delimiter or header to choose")
        }
        if fields.isEmpty { throw .malformed(path: path, reason: "it has no columns") }
        var layout = LogLayout(path: path, format: nil)
        layout.width = fields.count
        let sample = try sample(fields, batch)
        do {
            let finder = ColumnFinder(names: fields.map(\.name), width: fields.count)
            layout.columns = try columns(finder, &layout.notes) { sample[$0] }
            for column in layout.columns { try column.check(fields[column.position ?? 0]) }
        } catch { throw .malformed(path: path, reason: error.reason, remedies: error.remedies) }
        let rows = 0..<(sample.map(\.count).max() ?? 0)
        layout.first = firstEvent(rows.map { row in layout.columns.map { sample[$0.position ?? 0][row] } }, layout)
        return layout
    }

    /// The first values of each column, as text; none of columns that cannot be read.
    private func sample(_ fields: [ArrowField], _ batch: ArrowBatch?) throws(DatasetError) -> [[String]] {
        guard let batch else { return fields.map { _ in [] } }
        do {
            return try fields.indices.map { position throws(ArrowError) in
                if case .other = fields[position].type { return [] }
                let column = try batch.column(position)
                return try (0..<min(100, batch.count)).map { row throws(ArrowError) in
                    try column.value(at: row).text(column.field.type)
                }
            }
        } catch { throw .malformed(path: path, reason: error.description) }
    }
}

extension LogLayout.Column {
    /// Throws where the type of a table's column is none for its role.
    fileprivate func check(_ field: ArrowField) throws(LineProblem) {
        switch (role, field.type) {
        case (_, .null), (_, .integer), (_, .float32), (_, .float64), (_, .text): return
        case (.time, .timestamp), (.time, .date32), (.time, .date64): return
        case (.condition, .boolean), (.condition, .timestamp), (.condition, .date32), (.condition, .date64): return
        default: break
        }
        let wanted =
            switch role {
            case .time: "times are timestamps, dates, numbers or text"
            case .rating: "ratings are numbers"
            case .condition: "conditions are about plain values"
            default: "ids are text or whole numbers"
            }
        throw LineProblem(
            reason: "the column \(printable(field.name)) of \(role.rawValue)s is of type \(field.type); \(wanted)",
            remedies: role == .condition ? [] : [.nameColumn(role)])
    }
}
