/// Parses the times of one log: exactly, and all in one format and one unit.
///
/// Numbers and dates become nanoseconds since 1970. The meaning of a text may follow from a later one (whether the day or the month
/// comes first, the unit of numbers): then ``read(_:)`` sets ``change``, which applies to all earlier times, and ``finish()`` returns
/// the last one.
struct TimeColumn {
    /// The position of the next text.
    var place = TimePlace(path: "", line: 0)
    /// A change that applies to all times read before. The caller applies it and sets it to nil.
    var change: TimeChange?
    private var spelling: Spelling?
    /// The first time.
    private var example: TimeExample?
    private(set) var numbers = NumberColumn()
    /// Number of dates at the beginning of 1970.
    private var epochs = 0
    private var dayOrder: (order: DayOrder, example: TimeExample)?
    /// The first date that is valid in both orders of day and month.
    private var ambiguous: TimeExample?

    private enum Spelling {
        case number
        case date(TimeSpelling)
    }

    private enum DayOrder { case dayFirst, monthFirst }

    /// The time as nanoseconds since 1970 or, until the unit is certain, a number with `numbers.places` decimals.
    mutating func read(_ bytes: Bytes) throws(LineProblem) -> Int64 {
        let text = trimmed(bytes)
        switch spelling {
        case .date: break
        case .number: if let number = try numbers.read(text, place, &change) { return number }
        case nil:
            if let number = try numbers.read(text, place, &change) {
                try settle(.number, text)
                return number
            }
        }
        guard let time = TimeText.parse(text) else {
            if DecimalText(text) != nil { try settle(.number, text) }
            throw TimeText.problem(text)
        }
        if case .date(time.spelling) = spelling {} else { try settle(.date(time.spelling), text) }
        guard time.isInRange else {
            throw LineProblem(reason: "the timestamp \(quoted(text)) is not of the years 1678 to 2261")
        }
        let nanoseconds =
            time.spelling.form == .yearLast
            ? try inDayOrder(time, text) : time.nanoseconds(month: time.month, day: time.day)
        guard let nanoseconds else {
            throw LineProblem(reason: "the timestamp \(quoted(text)) is no day of the calendar")
        }
        if nanoseconds == 0 { epochs += 1 }
        return nanoseconds
    }

    /// A whole number as ``read(_:)`` reads its text.
    mutating func read(_ number: Int64, text: () -> String) throws(LineProblem) -> Int64 {
        if case .number = spelling, let time = numbers.read(number) { return time }
        return try withBytes(text()) { bytes throws(LineProblem) in try read(bytes) }
    }

    /// A date or time whose type says what it means, in nanoseconds since 1970; nil where 64 bits do not hold it.
    mutating func read(date nanoseconds: Int64?, text: () -> String) throws(LineProblem) -> Int64 {
        guard let nanoseconds, Self.inRange.contains(nanoseconds) else {
            throw LineProblem(reason: "the timestamp \(quoted(text())) is not of the years 1678 to 2261")
        }
        if spelling == nil {
            try withBytes(text()) { bytes throws(LineProblem) in
                try settle(.date(TimeSpelling(form: .yearFirst)), bytes)
            }
        }
        if nanoseconds == 0 { epochs += 1 }
        return nanoseconds
    }

    /// The years 1678 to 2261.
    private static let inRange =
        Int64(CivilDay(year: 1678, month: 1, day: 1)!.daysSinceEpoch) * nanosecondsADay..<Int64(
            CivilDay(year: 2262, month: 1, day: 1)!.daysSinceEpoch) * nanosecondsADay

    /// Number of dates on or before 1970-01-01, which often stand for unknown times.
    var unlikely: Int { epochs + numbers.notAfterZero }

    /// Sets the format of the column by its first text; throws for any other.
    private mutating func settle(_ new: Spelling, _ text: Bytes) throws(LineProblem) {
        guard let spelling, let example else {
            (self.spelling, self.example) = (new, TimeExample(text, place))
            return
        }
        let other = example.seen(from: place)
        switch (new, spelling) {
        case (.number, .date):
            throw LineProblem(reason: "the timestamp \(quoted(text)) is a bare number, but \(other) is a date")
        case (.date, .number):
            throw LineProblem(reason: "the timestamp \(quoted(text)) is a date, but \(other) is a bare number")
        default:
            throw LineProblem(
                reason:
                    "the timestamp \(quoted(text)) is written otherwise than \(other); one column holds one spelling")
        }
    }

    /// A date whose first two numbers are a day and a month, or a month and a day.
    private mutating func inDayOrder(_ time: TimeText, _ text: Bytes) throws(LineProblem) -> Int64? {
        // As written: `time.month` is the first number, `time.day` the second.
        let (first, second) = (time.month, time.day)
        if first != second, first <= 12, second <= 12, dayOrder == nil {
            guard time.offset == 0, time.nanosecondsOfDay < nanosecondsADay else {
                throw LineProblem(
                    reason:
                        "whether the day or the month comes first in \(quoted(text)) does not follow from the lines before"
                )
            }
            if ambiguous == nil { ambiguous = TimeExample(text, place) }
        }
        if first > 12 || second > 12 {
            let order = first > 12 ? DayOrder.dayFirst : .monthFirst
            if let dayOrder, dayOrder.order != order {
                let (day, other) = (order == .dayFirst ? "day" : "month", dayOrder.example.seen(from: place))
                throw LineProblem(reason: "the timestamp \(quoted(text)) has the \(day) first, but \(other) has not")
            }
            guard time.nanoseconds(month: min(first, second), day: max(first, second)) != nil else { return nil }
            if dayOrder == nil {
                dayOrder = (order, TimeExample(text, place))
                if order == .monthFirst { change = .dayAndMonthSwapped }
            }
        }
        return dayOrder?.order == .monthFirst
            ? time.nanoseconds(month: first, day: second) : time.nanoseconds(month: second, day: first)
    }

    /// Ends the column; returns the last change of its times and their interpretation.
    func finish() throws(DatasetError) -> (change: TimeChange?, meaning: TimeMeaning) {
        guard case .date(let form) = spelling, let example else { return try numbers.finish() }
        guard form.form == .yearLast else { return (nil, TimeMeaning("dates such as \(example.text)")) }
        if let dayOrder {
            let order = dayOrder.order == .dayFirst ? "day before month" : "month before day"
            return (nil, TimeMeaning("dates with the \(order), as in \(dayOrder.example.text)"))
        }
        guard let ambiguous else { return (nil, TimeMeaning("dates such as \(example.text)")) }
        guard form.separator == UInt8(ascii: ".") else {
            throw ambiguous.place.error(
                "whether the day or the month comes first in \(ambiguous.text) is ambiguous: no date of the log has "
                    + "a day after the 12th; write the times as 2024-05-01")
        }
        return (nil, TimeMeaning("dates with the day before the month, as is usual with dots: \(ambiguous.text)"))
    }
}

/// The interpretation of a column of times.
public struct TimeMeaning: Sendable {
    /// In words: "seconds since 1970".
    public let text: String
    /// Whether they are dates rather than ordinal numbers.
    public let areDates: Bool

    init(_ text: String, areDates: Bool = true) {
        self.text = text
        self.areDates = areDates
    }
}

/// The position of a text: its file and line, or its table and row.
struct TimePlace: Equatable {
    var path: String
    var line: Int
    var unit = RecordUnit.line

    func error(_ reason: String) -> DatasetError { unit.error(path, line, LineProblem(reason: reason)) }
}

/// What an event stands in.
enum RecordUnit: String {
    case line, row

    func error(_ path: String, _ number: Int, _ problem: LineProblem) -> DatasetError {
        switch self {
        case .line: problem.error(path, line: number)
        case .row: .row(table: path, number: number, reason: problem.reason, remedies: problem.remedies)
        }
    }
}

/// An example of a column's texts, for messages.
struct TimeExample {
    let text: String
    let place: TimePlace

    init(_ bytes: Bytes, _ place: TimePlace) {
        text = quoted(bytes)
        self.place = place
    }

    /// "'12' in line 7", with the file's name if that is another one.
    func seen(from other: TimePlace) -> String {
        "\(text) in \(place.unit.rawValue) \(place.line)" + (place.path == other.path ? "" : " of \(place.path)")
    }
}
