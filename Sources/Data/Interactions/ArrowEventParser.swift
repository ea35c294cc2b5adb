import ArrowData
import FileSupport
import Identifiers

/// Why a row of a table could not be read.
enum RowProblem: Error {
    /// The row is not what it should be.
    case row(LineProblem)
    /// Nor is the table.
    case table(ArrowError)
    /// The rows before it cannot be kept.
    case log(DatasetError)
}

/// Turns the rows of a table into events.
struct ArrowEventParser {
    private static let piece = 1 << 16

    private let layout: LogLayout
    private let options: ReadOptions
    private let time: Int?
    private let rating: (index: Int, minimum: Double)?
    private var conditions: EventFilter
    /// The events that are not in the log yet.
    private var users = ColumnIDs("user")
    private var items = ColumnIDs("item")
    private var times: [Int64] = []
    private var timeColumn = TimeColumn()
    private var report = ReadReport()
    private var firstSkipped: String?
    private let scratch = Scratch()

    init(_ layout: LogLayout, _ options: ReadOptions) {
        (self.layout, self.options, time) = (layout, options, layout.index(.time))
        rating = options.minimumRating.flatMap { minimum in layout.index(.rating).map { ($0, minimum) } }
        conditions = EventFilter(layout, options)
        timeColumn.place = TimePlace(path: layout.path, line: 0, unit: .row)
    }

    /// The columns of a batch: those of each row by their names, so that no reference is counted for each value.
    private struct Batch: ~Copyable {
        let user: ArrowColumn
        let item: ArrowColumn
        let time: ArrowColumn?
        /// The layout's.
        let all: [ArrowColumn]
    }

    /// Reads the rows of a batch. `columns` are those of the layout.
    mutating func parse(
        _ columns: [ArrowColumn], into log: inout InteractionLog, _ progress: (Int) throws(DatasetError) -> Void
    ) throws(DatasetError) {
        users.begin(columns[0])
        items.begin(columns[1])
        let batch = Batch(
            user: columns[0], item: columns[1], time: time.map { columns[$0] }, all: columns)
        let count = batch.user.count
        for start in stride(from: 0, to: count, by: Self.piece) {
            for row in start..<min(start + Self.piece, count) { try parse(row, batch, into: &log) }
            try flush(into: &log)
            try progress(report.lines)
        }
    }

    private mutating func parse(
        _ row: Int, _ batch: borrowing Batch, into log: inout InteractionLog
    ) throws(DatasetError) {
        timeColumn.place.line = report.lines
        report.lines += 1
        do { try add(row, batch, into: &log) } catch {
            switch error {
            case .table(let error): throw .malformed(path: layout.path, reason: error.description)
            case .log(let error): throw error
            case .row(let problem):
                let place = timeColumn.place
                let failure = place.unit.error(place.path, place.line, problem)
                guard options.skipsBadLines else { throw failure }
                report.skippedLines += 1
                firstSkipped = firstSkipped ?? failure.description
            }
        }
    }

    /// Ends the log.
    mutating func finish(_ log: inout InteractionLog) throws(DatasetError) {
        report.composedIDs = users.composed + items.composed > 0 ? users.composed + items.composed : nil
        let rows = report.lines
        try log.finishAdding(
            users: users.interner, items: items.interner, times: timeColumn, report: report, firstSkipped: firstSkipped)
        guard log.count > 0 else { throw log.nothing(layout.path, isEmpty: rows == 0, conditions.unmet) }
    }

    private mutating func flush(into log: inout InteractionLog) throws(DatasetError) {
        try log.append(users: users.takeNumbers(), items: items.takeNumbers(), times: time.map { _ in times })
        times.removeAll(keepingCapacity: true)
    }

    // MARK: Rows

    private mutating func add(
        _ row: Int, _ batch: borrowing Batch, into log: inout InteractionLog
    ) throws(RowProblem) {
        if !conditions.isEmpty, try !meetsConditions(row, batch.all) {
            report.droppedByCondition = (report.droppedByCondition ?? 0) + 1
            return
        }
        var when: Int64?
        if let time = batch.time { when = try readTime(time, row, into: &log) }
        if let rating {
            let column = batch.all[rating.index]
            let value = try column.value(row)
            guard let number = value.number else {
                throw column.problem("the rating \(quoted(value.text(column.field.type))) is not a number")
            }
            if number < rating.minimum { return report.droppedByRating += 1 }
        }
        let (user, item) = (try users.id(at: row, of: batch.user), try items.id(at: row, of: batch.item))
        users.add(user)
        items.add(item)
        if let when { times.append(when) }
    }

    private mutating func meetsConditions(_ row: Int, _ columns: [ArrowColumn]) throws(RowProblem) -> Bool {
        let scratch = scratch
        return try conditions.accept { index throws(RowProblem) in try columns[index].text(row, scratch) }
    }

    private mutating func readTime(
        _ column: ArrowColumn, _ row: Int, into log: inout InteractionLog
    ) throws(RowProblem) -> Int64 {
        let value = try column.value(row)
        let time: Int64
        do { time = try timeColumn.read(value, column.field.type) } catch { throw column.problem(error) }
        if let change = timeColumn.change {
            timeColumn.change = nil
            do { try flush(into: &log) } catch { throw .log(error) }
            log.changeTimes(change)
        }
        return time
    }
}

extension TimeColumn {
    /// A value as ``read(_:)`` reads its text in a CSV file.
    fileprivate mutating func read(_ value: ArrowValue, _ type: ArrowType) throws(LineProblem) -> Int64 {
        func text() -> String { value.text(type) }
        switch value {
        case .signed(let number): return try read(number, text: text)
        case .text(let bytes): return try read(bytes)
        case .time(let count, let unit):
            let (nanoseconds, overflows) = count.multipliedReportingOverflow(by: unit)
            return try read(date: overflows ? nil : nanoseconds, text: text)
        case .unsigned(let number) where number <= Int64.max: return try read(Int64(number), text: text)
        case .null: throw LineProblem(reason: "the timestamp is null", remedies: [.skipBadLines])
        case .float32, .float64, .unsigned, .boolean:
            if let number = value.wholeNumber { return try read(number, text: text) }
            return try withBytes(text()) { bytes throws(LineProblem) in try read(bytes) }
        }
    }
}

extension ArrowColumn {
    /// The value of a row.
    func value(_ row: Int) throws(RowProblem) -> ArrowValue {
        do { return try value(at: row) } catch { throw .table(error) }
    }

    /// The text of a row's value, valid as long as the batch and until the next text in `scratch`.
    fileprivate func text(_ row: Int, _ scratch: Scratch) throws(RowProblem) -> Bytes {
        let value = try value(row)
        if case .text(let bytes) = value { return bytes }
        return withBytes(value.text(field.type)) { bytes in
            scratch.reserve(bytes.count)
            scratch.append(bytes)
            return scratch.bytes(from: 0)
        }
    }

    /// What is wrong with a value.
    func problem(_ problem: LineProblem) -> RowProblem {
        .row(LineProblem(reason: "\(problem.reason) (column \(printable(field.name)))", remedies: problem.remedies))
    }

    func problem(_ reason: String) -> RowProblem { problem(LineProblem(reason: reason)) }
}
