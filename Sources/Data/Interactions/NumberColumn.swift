/// Times that are written as numbers: ordinals, or a count of seconds, milli-, micro- or nanoseconds.
///
/// The largest number says the unit: seconds up to 9.2 · 10⁹, milliseconds up to 9.2 · 10¹², and so on; as many decimals
/// as fit in 64 bits. Two units in one column, or dates written as numbers among others, are refused.
struct NumberColumn {
    /// Number of decimals that are stored: 9 for seconds, 0 for nanoseconds.
    private(set) var places = 9
    private var factor: Int64 = 1_000_000_000
    private var counts = [Int](repeating: 0, count: NumberKind.allCases.count)
    /// The first number of each kind, in order of appearance.
    private var examples: [Example] = []
    /// Numbers that were too large for as many decimals as those before, and the decimals that were left.
    private var shortening: [(places: Int, example: TimeExample)] = []
    /// Whether all numbers could be a day, a month and a year (or a month first), as 24062022: they have no order.
    private var couldEndInYears = (dayFirst: true, monthFirst: true)
    /// Numbers whose last digits are missing.
    private(set) var coarse: (count: Int, example: TimeExample?) = (0, nil)
    /// Numbers that are zero or negative.
    private(set) var notAfterZero = 0
    /// The fast path for similar numbers: those in this range are `usual`.
    private var usualRange: Range<Int64> = 0..<0
    private var usual = NumberKind.zero

    private typealias Example = (kind: NumberKind, text: TimeExample)

    /// The number at the present places, rounded down; nil where the text is no number. `change` is how earlier times are to
    /// be understood from now on, where that is new.
    mutating func read(
        _ bytes: Bytes, _ place: TimePlace, _ change: inout TimeChange?
    ) throws(LineProblem) -> Int64? {
        let plain = Self.plain(bytes)
        if let plain {
            let number = plain.places == 0 ? plain.digits : plain.digits / powerOfTen(plain.places)
            if usualRange.contains(number) {
                counts[usual.rawValue] += 1
            } else {
                try note(number, bytes, place)
            }
            if plain.places <= places {
                let scale = plain.places == 0 ? factor : powerOfTen(places - plain.places)
                let (time, isTooLarge) = plain.digits.multipliedReportingOverflow(by: scale)
                if !isTooLarge { return time }
            }
        }
        guard let decimal = DecimalText(bytes) else { return nil }
        if decimal.isCoarse {
            coarse.count += 1
            coarse.example = coarse.example ?? TimeExample(bytes, place)
        }
        guard let number = decimal.scaled(by: 0) else {
            throw LineProblem(reason: "the timestamp \(quoted(bytes)) is beyond 64 bits")
        }
        if plain == nil { try note(number, bytes, place) }
        var (fitting, time) = (places, decimal.scaled(by: places))
        while time == nil {
            fitting -= 3
            time = decimal.scaled(by: fitting)
        }
        if fitting < places {
            shortening.append((fitting, TimeExample(bytes, place)))
            change = .divided(by: powerOfTen(places - fitting))
            (places, factor) = (fitting, powerOfTen(fitting))
        }
        return time
    }

    private static func beyondDates(_ example: TimeExample, _ unit: NumberKind, _ other: String) -> String {
        "the timestamp \(example.text) lies outside of the years 1678 to 2261 as \(unit.name), which \(other) looks like: "
            + "correct or remove it"
    }

    /// The fast path for a whole number like most before: what ``read(_:_:_:)`` makes of its digits; nil where these must be looked at.
    mutating func read(_ number: Int64) -> Int64? {
        guard usualRange.contains(number) else { return nil }
        let (time, isTooLarge) = number.multipliedReportingOverflow(by: factor)
        if isTooLarge { return nil }
        counts[usual.rawValue] += 1
        return time
    }

    /// The fast path for up to 18 digits, possibly with a decimal point: the digits, and how many are decimals.
    private static func plain(_ bytes: Bytes) -> (digits: Int64, places: Int)? {
        guard bytes.count > 0, bytes.count <= 18 else { return nil }
        var (digits, point): (Int64, Int?) = (0, nil)
        for (i, byte) in bytes.enumerated() {
            if byte >= 0x30, byte <= 0x39 {
                digits = 10 &* digits &+ Int64(byte &- 0x30)
            } else {
                guard byte == 0x2E, point == nil, bytes.count > 1 else { return nil }
                point = i
            }
        }
        return (digits, point.map { bytes.count - 1 - $0 } ?? 0)
    }

    /// Counts what a number looks like. Throws where it contradicts all that came before.
    private mutating func note(_ number: Int64, _ bytes: Bytes, _ place: TimePlace) throws(LineProblem) {
        let kind = NumberKind(number)
        if number <= 0 { notAfterZero += 1 }
        if counts[kind.rawValue] == 0 {
            let example = TimeExample(bytes, place)
            if let other = contradicted(by: kind) {
                throw LineProblem(reason: Self.contradiction((kind, example), other))
            }
            examples.append((kind, example))
        }
        counts[kind.rawValue] += 1
        let (day, month, year) = (Int(number / 1_000_000), Int(number / 10_000 % 100), Int(number % 10_000))
        let isYear = (1900...2100).contains(year)
        couldEndInYears.dayFirst =
            couldEndInYears.dayFirst && isYear && CivilDay(year: year, month: month, day: day) != nil
        couldEndInYears.monthFirst =
            couldEndInYears.monthFirst && isYear && CivilDay(year: year, month: day, day: month) != nil
        if let range = kind.plainRange(at: number) { (usualRange, usual) = (range, kind) }
    }

    /// The one kind that all numbers so far, zeros aside, have in common, if it is clear and `kind` does not go with it.
    private func contradicted(by kind: NumberKind) -> Example? {
        let seen = examples.filter { $0.kind != .zero }
        guard kind != .zero, seen.count == 1, seen[0].kind.isClear else { return nil }
        return kind.isClear || seen[0].kind.isCalendar ? seen[0] : nil
    }

    private static func contradiction(_ one: Example, _ other: Example) -> String {
        "the timestamp \(one.text.text) looks like \(one.kind.name), but \(other.text.seen(from: one.text.place)) like "
            + "\(other.kind.name); one column holds one unit"
    }

    /// The interpretation of the whole column. Throws where it is a mixture.
    func finish() throws(DatasetError) -> (change: TimeChange?, meaning: TimeMeaning) {
        if couldEndInYears.dayFirst || couldEndInYears.monthFirst, let first = examples.first?.text {
            throw first.place.error(
                "the timestamp \(first.text) looks like a date that ends in its year, as all others do; such numbers "
                    + "are not in the order of time: write the times as 2024-05-01")
        }
        for calendar in NumberKind.calendar where count(calendar) > 0 {
            let others = counts.reduce(0, +) - count(calendar)
            if others == 0 {
                let change = TimeChange.calendarDigits(clockDigits: calendar.clockDigits, places: places)
                return (change, TimeMeaning("dates written as numbers, such as \(examples[0].text.text)"))
            }
            if others < count(calendar) || others == count(.zero) {
                try refuse(calendar, examples.first { $0.kind != calendar }!.kind)
            }
        }
        // A clock that began at zero passes through what lies between the counts of two units; a mixture does not.
        for (low, high) in zip(units, units.dropFirst()) {
            let between = counts[low.rawValue + 1..<high.rawValue].reduce(0, +)
            if between < min(count(low), count(high)) { try refuse(low, high) }
        }
        // A single outlier, such as 0 for an unknown time, does not change the interpretation of the others.
        let usual = units.first { 2 * (count($0) + count(.zero)) > counts.reduce(0, +) }
        guard let usual else {
            return (
                nil, TimeMeaning("numbers that are no dates of 1984 to 2099, taken in their order", areDates: false)
            )
        }
        // Dates of another scale would be wrong ones.
        if let early = shortening.first(where: { $0.places < usual.places })?.example,
            let date = examples.first(where: { $0.kind == usual })?.text
        {
            throw early.place.error(Self.beyondDates(early, usual, date.seen(from: early.place)))
        }
        return (nil, TimeMeaning(usual.name))
    }

    private var units: [NumberKind] { NumberKind.units.filter { count($0) > 0 } }

    private func count(_ kind: NumberKind) -> Int { counts[kind.rawValue] }

    private func refuse(_ one: NumberKind, _ other: NumberKind) throws(DatasetError) {
        let found = examples.filter { $0.kind == one || $0.kind == other }
        throw found[1].text.place.error(Self.contradiction(found[1], found[0]))
    }
}

/// The likely kind of a number, by its size.
enum NumberKind: Int, CaseIterable {
    case zero, belowSeconds, seconds, belowMilliseconds, milliseconds, belowMicroseconds, microseconds
    case belowNanoseconds, nanoseconds, aboveNanoseconds, day, minute, second

    /// Counts since 1970 that lie in 1984 ... 2099, the smallest unit last.
    static let units: [NumberKind] = [.seconds, .milliseconds, .microseconds, .nanoseconds]
    /// Dates without separators.
    static let calendar: [NumberKind] = [.day, .minute, .second]
    /// The ranges of counts in each unit.
    private static let bounds: [Int64] = [1, 1_000, 1_000_000, 1_000_000_000].flatMap {
        [450_000_000 * $0, 4_100_000_000 * $0]
    }

    init(_ number: Int64) {
        if number == 0 {
            self = .zero
        } else if Self.smallNumbers.contains(number) {
            self = .belowSeconds
        } else if let calendar = Self.calendar.first(where: {
            CalendarDigits(number, clockDigits: $0.clockDigits) != nil
        }) {
            self = calendar
        } else {
            self = NumberKind(rawValue: 1 + Self.bounds.count { number >= $0 })!
        }
    }

    /// The decimals with which one of ``units`` is nanoseconds.
    var places: Int { Self.units.firstIndex(of: self).map { 9 - 3 * $0 } ?? 0 }
    var isCalendar: Bool { Self.calendar.contains(self) }
    /// Whether it is more than some number.
    var isClear: Bool { Self.units.contains(self) || isCalendar }
    /// Too small for any date.
    private static let smallNumbers: Range<Int64> = 1..<1_000_000

    /// A range of numbers of the same kind around this one; nil where each has to be inspected.
    func plainRange(at number: Int64) -> Range<Int64>? {
        if Self.smallNumbers.contains(number) { return Self.smallNumbers }
        return Self.units.firstIndex(of: self).map { Self.bounds[2 * $0]..<Self.bounds[2 * $0 + 1] }
    }

    /// Digits of a time of day behind those of the date.
    var clockDigits: Int { self == .minute ? 4 : self == .second ? 6 : 0 }

    var name: String {
        switch self {
        case .seconds: "seconds since 1970"
        case .milliseconds: "milliseconds since 1970"
        case .microseconds: "microseconds since 1970"
        case .nanoseconds: "nanoseconds since 1970"
        case .day: "a date without separators"
        case .minute, .second: "a date and time without separators"
        default: "a plain number"
        }
    }
}
