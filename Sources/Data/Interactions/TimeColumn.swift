/// The times of one log while it is read: exact, and all of one spelling and one unit.
///
/// Numbers and dates become nanoseconds since 1970. What a text means may follow from a later one (whether the day or the
/// month stands first, what the unit of numbers is): ``read(_:)`` then leaves a change of the times before in ``change``, and
/// ``finish()`` the last one.
struct TimeColumn {
    /// Where the text that is read next stands.
    var place = TimePlace(path: "", line: 0)
    /// How all times read before are to be understood from now on; whoever keeps them takes it away.
    var change: TimeChange?
    private var spelling: Spelling?
    /// The first time.
    private var example: TimeExample?
    private(set) var numbers = NumberColumn()
    /// Dates that are the beginning of 1970.
    private var epochs = 0
    private var dayOrder: (order: DayOrder, example: TimeExample)?
    /// The first date that is the same day in both orders only by chance.
    private var ambiguous: TimeExample?

    private enum Spelling {
        case number
        case date(TimeSpelling)
    }

    private enum DayOrder { case dayFirst, monthFirst }

    /// The time as nanoseconds since 1970 or, for the time being, a number at `numbers.places`.
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

    /// Times that are 1970-01-01 or before it, if they are dates: often the mark of a time that is not known.
    var unlikely: Int { epochs + numbers.notAfterZero }

    /// Takes the first spelling for that of the column; throws for any other.
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
        // As they stand: `time.month` is the first number, `time.day` the second.
        let (first, second) = (time.month, time.day)
        if first != second, first <= 12, second <= 12, dayOrder == nil {
            guard time.offset == 0, time.nanosecondsOfDay < nanosecondsADay else {
                throw LineProblem(
                    reason:
                        "whether the day or the month stands first in \(quoted(text)) cannot be told from the lines before"
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

    /// Ends the column: the last change of its times, and what they were taken for, in words.
    func finish() throws(DatasetError) -> (change: TimeChange?, meaning: TimeMeaning) {
        guard case .date(let form) = spelling, let example else { return try numbers.finish() }
        guard form.form == .yearLast else { return (nil, TimeMeaning("dates such as \(example.text)")) }
        if let dayOrder {
            let order = dayOrder.order == .dayFirst ? "day before month" : "month before day"
            return (nil, TimeMeaning("dates with the \(order), as in \(dayOrder.example.text)"))
        }
        guard let ambiguous else { return (nil, TimeMeaning("dates such as \(example.text)")) }
        guard form.separator == UInt8(ascii: ".") else {
            throw .line(
                path: ambiguous.place.path, number: ambiguous.place.line,
                reason:
                    "whether the day or the month stands first in \(ambiguous.text) cannot be told: no date of the log has "
                    + "a day after the 12th; write the times as 2024-05-01")
        }
        return (nil, TimeMeaning("dates with the day before the month, as is usual with dots: \(ambiguous.text)"))
    }
}

/// What times were taken for.
public struct TimeMeaning: Sendable {
    /// In words: "seconds since 1970".
    public let text: String
    /// Whether they are more than numbers that have an order.
    public let areDates: Bool

    init(_ text: String, areDates: Bool = true) {
        self.text = text
        self.areDates = areDates
    }
}

/// Where a text stands.
struct TimePlace: Equatable {
    var path: String
    var line: Int

}

/// A text that says something of its column, for messages.
struct TimeExample {
    let text: String
    let place: TimePlace

    init(_ bytes: Bytes, _ place: TimePlace) {
        text = quoted(bytes)
        self.place = place
    }

    /// "'12' in line 7", with the file's name if that is another one.
    func seen(from other: TimePlace) -> String {
        "\(text) in line \(place.line)" + (place.path == other.path ? "" : " of \(place.path)")
    }
}
