/// A reinterpretation of times that were read before the unit or the format of their column was certain.
enum TimeChange: Sendable {
    /// Numbers are stored with fewer decimals: they are divided by this, rounded down.
    case divided(by: Int64)
    /// Day and month are swapped: the month comes first.
    case dayAndMonthSwapped
    /// The numbers, times 10^`places`, are calendar dates without separators, followed by as many digits of a time of day.
    case calendarDigits(clockDigits: Int, places: Int)

    /// The time after the change. Times that it does not apply to are unchanged.
    func applied(to time: Int64) -> Int64 {
        switch self {
        case .divided(let divisor): return time.flooredQuotient(divisor)
        case .dayAndMonthSwapped:
            let days = time.flooredQuotient(nanosecondsADay)
            let date = CivilDay(daysSinceEpoch: Int(days))
            guard let swapped = CivilDay(year: date.year, month: date.day, day: date.month) else { return time }
            return time + (Int64(swapped.daysSinceEpoch) - days) * nanosecondsADay
        case .calendarDigits(let clockDigits, let places):
            return CalendarDigits(time / powerOfTen(places), clockDigits: clockDigits)?.nanoseconds ?? time
        }
    }
}

/// 10^`exponent`, which is at most 18.
func powerOfTen(_ exponent: Int) -> Int64 {
    var power: Int64 = 1
    for _ in 0..<exponent { power *= 10 }
    return power
}

/// A date written as one number: `20220624`, `202206242120`, `20220624212011`.
struct CalendarDigits {
    private let date: CivilDay
    private let seconds: Int

    /// Nil where the number is no date between 1900 and 2100.
    init?(_ number: Int64, clockDigits: Int) {
        let clock = powerOfTen(clockDigits)
        let (day, time) = (Int(number / clock), Int(number % clock) * (clockDigits == 4 ? 100 : 1))
        guard (1900_00_00...2100_99_99).contains(day),
            let date = CivilDay(year: day / 10_000, month: day / 100 % 100, day: day % 100),
            time / 10_000 < 24, time / 100 % 100 < 60, time % 100 < 60
        else { return nil }
        self.date = date
        seconds = time / 10_000 * 3600 + time / 100 % 100 * 60 + time % 100
    }

    /// Since 1970.
    var nanoseconds: Int64 {
        Int64(date.daysSinceEpoch) * nanosecondsADay + Int64(seconds) * nanosecondsASecond
    }
}
