/// The format of the dates and times of a column.
struct TimeSpelling: Equatable {
    /// The format of the date.
    enum DateForm: Equatable {
        /// `2022-06-24`, or with another separator.
        case yearFirst
        /// `24.06.2022` or `06/24/2022`: the column decides which number is the day.
        case yearLast
        /// `Tue Apr 03 18:00:06 +0000 2012`, `24 Jun 2022`.
        case namedMonth
        /// `20220624T212011`.
        case digits
    }

    var form: DateForm
    /// The separator of the parts of the date; 0 where there is not exactly one.
    var separator: UInt8 = 0
    var hasTimeOfDay = false
    var isTwelveHours = false
    /// Whether `Z`, `UTC` or an offset follows.
    var hasOffset = false
}

/// A date, with an optional time of day and offset, parsed from text.
struct TimeText {
    var spelling: TimeSpelling
    var year = 0
    /// Month and day; in the order of the text where the format is ambiguous.
    var (month, day) = (0, 0)
    /// Since midnight; a whole day for 24:00.
    var nanosecondsOfDay: Int64 = 0
    /// Seconds that local time is ahead of UTC.
    var offset = 0

    /// Whether 64 bits of nanoseconds hold every time of its year.
    var isInRange: Bool { (1678...2261).contains(year) }

    /// Nanoseconds since 1970 if its month is `month` and its day `day`; nil where the calendar has no such day. Only for a
    /// time that is in range.
    func nanoseconds(month: Int, day: Int) -> Int64? {
        CivilDay(year: year, month: month, day: day).map {
            Int64($0.daysSinceEpoch) * nanosecondsADay + nanosecondsOfDay - Int64(offset) * nanosecondsASecond
        }
    }

    init(_ form: TimeSpelling.DateForm, separator: UInt8 = 0) {
        spelling = TimeSpelling(form: form, separator: separator)
    }

    /// Parses ISO 8601 and similar formats: one or two digits for months, days and hours, `-`, `/` or `.` between the parts of a
    /// date, T or blanks before the time, a fraction after `.` or `,`, AM or PM, and after that nothing, `Z`, `UTC`, `GMT` or an
    /// offset; and dates whose month has a name. Nil for any other text.
    static func parse(_ bytes: Bytes) -> TimeText? {
        if let time = usual(bytes) { return time }
        var cursor = TextCursor(bytes)
        guard let first = cursor.takeDigits(8) else { return namedMonth(bytes) }
        var time: TimeText
        if first.count == 8 {
            time = TimeText(.digits)
            (time.year, time.month, time.day) = (first.value / 10_000, first.value / 100 % 100, first.value % 100)
        } else {
            guard let separator = cursor.next, (0x2D...0x2F).contains(separator) else { return namedMonth(bytes) }
            cursor.skip()
            guard let second = cursor.takeDigits(2), cursor.next == separator else { return namedMonth(bytes) }
            cursor.skip()
            if first.count == 4, let third = cursor.takeDigits(2) {
                time = TimeText(.yearFirst, separator: separator)
                (time.year, time.month, time.day) = (first.value, second.value, third.value)
            } else if first.count <= 2, let third = cursor.takeNumber(4) {
                time = TimeText(.yearLast, separator: separator)
                (time.month, time.day, time.year) = (first.value, second.value, third)
            } else {
                return nil
            }
        }
        return time.takeTimeOfDay(&cursor) ? time : nil
    }

    /// Why a text is no time, for messages.
    static func problem(_ text: Bytes) -> LineProblem {
        let name = text.reversed().prefix { $0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7A }.count
        if (2...5).contains(name), name < text.count,
            let time = parse(trimmed(Bytes(rebasing: text.dropLast(name)))), time.spelling.hasTimeOfDay,
            !time.spelling.hasOffset
        {
            return LineProblem(
                reason:
                    "the timestamp \(quoted(text)) is in a time zone that is not known: write UTC, Z or an offset such as +02:00"
            )
        }
        return LineProblem(
            reason: "the timestamp \(quoted(text)) is neither a number nor a date such as 2024-05-01 12:30:00")
    }

    /// The fast path for `2022-06-24T21:20:11`, with T or a blank, with or without Z; nil for other formats.
    private static func usual(_ bytes: Bytes) -> TimeText? {
        let hasZone = bytes.count == 20 && bytes[19] == UInt8(ascii: "Z")
        guard bytes.count == 19 || hasZone, bytes[4] == 0x2D, bytes[7] == 0x2D, bytes[13] == 0x3A, bytes[16] == 0x3A,
            bytes[10] == UInt8(ascii: "T") || bytes[10] == 0x20
        else { return nil }
        var areDigits = true
        func two(_ position: Int) -> Int {
            let (tens, ones) = (bytes[position] &- 0x30, bytes[position + 1] &- 0x30)
            areDigits = areDigits && tens < 10 && ones < 10
            return Int(tens) * 10 + Int(ones)
        }
        var time = TimeText(.yearFirst, separator: 0x2D)
        time.spelling.hasOffset = hasZone
        (time.year, time.month, time.day) = (100 * two(0) + two(2), two(5), two(8))
        let isClock = time.setClock(two(11), two(14), two(17), 0)
        return areDigits && isClock ? time : nil
    }

    /// What follows a date: nothing, or a time of day and maybe an offset.
    private mutating func takeTimeOfDay(_ cursor: inout TextCursor) -> Bool {
        if cursor.isAtEnd { return spelling.form != .digits }  // eight digits alone are a number
        _ = cursor.take(",")  // 6/24/2022, 9:20:11 PM
        guard cursor.take("T") || cursor.take("t") || cursor.takeBlanks() else { return false }
        var clock = cursor
        if takeClock(&clock) {
            cursor = clock
        } else {
            guard spelling.form == .digits, takeBasicClock(&cursor) else { return false }
        }
        _ = cursor.takeBlanks()
        guard cursor.isAtEnd || takeOffset(&cursor) else { return false }
        return cursor.isAtEnd
    }

    /// `21:20`, `9:20:11.5`, `09:20 PM`.
    mutating func takeClock(_ cursor: inout TextCursor) -> Bool {
        guard let hour = cursor.takeDigits(2)?.value, cursor.take(":"), let minute = cursor.takeNumber(2) else {
            return false
        }
        var (second, fraction): (Int, Int64) = (0, 0)
        if cursor.take(":") {
            guard let value = cursor.takeNumber(2) else { return false }
            second = value
            if cursor.take(".") || cursor.take(",") {
                guard let value = Self.fraction(&cursor) else { return false }
                fraction = value
            }
        }
        return setClock(Self.hour24(hour, &cursor, &spelling), minute, second, fraction)
    }

    /// `2120`, `212011`, `212011.5`.
    private mutating func takeBasicClock(_ cursor: inout TextCursor) -> Bool {
        guard let hour = cursor.takeNumber(2), let minute = cursor.takeNumber(2) else { return false }
        let second = cursor.takeNumber(2) ?? 0
        var fraction: Int64 = 0
        if cursor.take(".") || cursor.take(",") {
            guard let value = Self.fraction(&cursor) else { return false }
            fraction = value
        }
        return setClock(hour, minute, second, fraction)
    }

    /// 24:00 is the end of the day, a second numbered 60 the one after 59.
    private mutating func setClock(_ hour: Int?, _ minute: Int, _ second: Int, _ fraction: Int64) -> Bool {
        guard let hour, minute < 60, second <= 60, hour < 24 || (hour == 24 && minute + second == 0 && fraction == 0)
        else { return false }
        spelling.hasTimeOfDay = true
        nanosecondsOfDay = Int64(hour * 3600 + minute * 60 + second) * nanosecondsASecond + fraction
        return true
    }

    /// The hour of the day, considering AM or PM where one follows; nil where it is invalid.
    private static func hour24(_ hour: Int, _ cursor: inout TextCursor, _ spelling: inout TimeSpelling) -> Int? {
        var ahead = cursor
        _ = ahead.takeBlanks()
        guard let next = ahead.next, [0x61, 0x70].contains(next | 0x20) else { return hour }
        // AM, a.m. and the like.
        let isAfternoon = next | 0x20 == 0x70
        ahead.skip()
        _ = ahead.take(".")
        guard ahead.take("M") || ahead.take("m"), (1...12).contains(hour) else { return nil }
        _ = ahead.take(".")
        cursor = ahead
        spelling.isTwelveHours = true
        return hour % 12 + (isAfternoon ? 12 : 0)
    }

    /// Nanoseconds, truncated.
    private static func fraction(_ cursor: inout TextCursor) -> Int64? {
        guard var (value, count) = cursor.takeDigits(9) else { return nil }
        while cursor.takeDigits(9) != nil {}
        while count < 9 { (value, count) = (10 * value, count + 1) }
        return Int64(value)
    }

    /// `Z`, `UTC`, `GMT`, `+02`, `+0200`, `+02:00`, `GMT+2`; a zone's name in brackets may follow an offset.
    mutating func takeOffset(_ cursor: inout TextCursor) -> Bool {
        spelling.hasOffset = true
        let name = cursor.takeWord()
        guard ["", "z", "utc", "gmt"].contains(name) else { return false }
        if name != "", name != "z", cursor.isAtEnd || cursor.next == 0x20 { return true }
        if name == "z" || cursor.isAtEnd { return name != "" }
        let sign = cursor.take("+") ? 1 : -1
        guard sign > 0 || cursor.take("-"), let hours = cursor.takeDigits(2), hours.value <= 15 else { return false }
        guard name != "" || hours.count == 2 else { return false }
        var minutes = 0
        if cursor.take(":") || cursor.next.map({ (0x30...0x39).contains($0) }) == true {
            guard let value = cursor.takeNumber(2), value < 60 else { return false }
            minutes = value
        }
        offset = sign * (hours.value * 3600 + minutes * 60)
        return cursor.isAtEnd || cursor.next == 0x20 || Self.takeBracket(&cursor)
    }

    /// `[Europe/Berlin]` at the end, as Java writes it.
    private static func takeBracket(_ cursor: inout TextCursor) -> Bool {
        guard cursor.take("[") else { return false }
        while let next = cursor.next, next != 0x5D { cursor.skip() }
        return cursor.take("]") && cursor.isAtEnd
    }
}
