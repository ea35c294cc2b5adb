/// A time: a number in any unit, or ISO 8601 (`2024-05-01`, `2024-05-01T12:30:00Z`, a space for the T, a fraction of a
/// second, an offset such as +02:00; UTC where there is none) as seconds since 1970. nil if it is neither.
func parseTimestamp(_ bytes: Bytes) -> Double? {
    if let number = parseNumber(bytes) { return number }
    var text = ClockText(rest: bytes[...])
    guard let day = text.date() else { return nil }
    if text.rest.isEmpty { return day }
    guard text.take("T") || text.take(" "), let seconds = text.timeOfDay(), let offset = text.offset(),
        text.rest.isEmpty
    else { return nil }
    return day + seconds - offset
}

/// Reads the parts of an ISO 8601 time from the front.
private struct ClockText {
    var rest: Slice<Bytes>

    /// Seconds from 1970 to the beginning of a day.
    mutating func date() -> Double? {
        guard let year = number(digits: 4), take("-"), let month = number(digits: 2), take("-"),
            let day = number(digits: 2), (1...12).contains(month), (1...days(in: month, of: year)).contains(day)
        else { return nil }
        return Double(daysSinceEpoch(year, month, day)) * 86_400
    }

    /// Seconds since midnight; a leap second is the one after 59.
    mutating func timeOfDay() -> Double? {
        guard let hour = number(digits: 2), hour < 24, take(":"), let minute = number(digits: 2), minute < 60 else {
            return nil
        }
        let minutes = Double(hour * 3600 + minute * 60)
        guard take(":") else { return minutes }
        guard let second = number(digits: 2), second <= 60 else { return nil }
        guard take(".") else { return minutes + Double(second) }
        return fraction().map { minutes + Double(second) + $0 }
    }

    /// Seconds that local time is ahead of UTC; 0 where nothing is said.
    mutating func offset() -> Double? {
        if rest.isEmpty || take("Z") { return 0 }
        let sign: Double = take("+") ? 1 : -1
        guard sign > 0 || take("-"), let hours = number(digits: 2), hours < 24 else { return nil }
        guard !rest.isEmpty else { return sign * Double(hours * 3600) }
        _ = take(":")
        guard let minutes = number(digits: 2), minutes < 60 else { return nil }
        return sign * Double(hours * 3600 + minutes * 60)
    }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard let first = rest.first, UInt32(first) == character.value else { return false }
        rest.removeFirst()
        return true
    }

    private mutating func digit() -> Int? {
        guard let first = rest.first, first >= 0x30, first <= 0x39 else { return nil }
        rest.removeFirst()
        return Int(first) - 0x30
    }

    private mutating func number(digits count: Int) -> Int? {
        var value = 0
        for _ in 0..<count {
            guard let digit = digit() else { return nil }
            value = 10 * value + digit
        }
        return value
    }

    private mutating func fraction() -> Double? {
        guard var (value, scale) = digit().map({ (Double($0), 10.0) }) else { return nil }
        while let digit = digit() {
            guard scale < 1e15 else { continue }
            value = 10 * value + Double(digit)
            scale *= 10
        }
        return value / scale
    }
}

private func days(in month: Int, of year: Int) -> Int {
    switch month {
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
}

/// Days from 1970-01-01 in the proleptic Gregorian calendar.
private func daysSinceEpoch(_ year: Int, _ month: Int, _ day: Int) -> Int {
    let shifted = month <= 2 ? year - 1 : year
    let era = (shifted >= 0 ? shifted : shifted - 399) / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
}
