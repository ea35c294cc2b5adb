import ArrowData

extension ArrowValue {
    /// The text that the value has in a CSV file; an empty one where there is none.
    func text(_ type: ArrowType) -> String {
        switch self {
        case .null: ""
        case .boolean(let value): "\(value)"
        case .signed(let value): "\(value)"
        case .unsigned(let value): "\(value)"
        case .float32(let value): value.isNaN ? "" : "\(value)"
        case .float64(let value): value.isNaN ? "" : "\(value)"
        case .text(let bytes): Interactions.text(bytes)
        case .time(let count, let unit): Self.text(count, unit, type)
        }
    }

    /// `2024-05-01`, `2024-05-01 12:30:00.250+00:00`; the bare number where no calendar reaches.
    private static func text(_ count: Int64, _ unit: Int64, _ type: ArrowType) -> String {
        let perDay = nanosecondsADay / unit
        let days = count.flooredQuotient(perDay)
        guard abs(days) < 1 << 32 else { return "\(count)" }
        let day = CivilDay(daysSinceEpoch: Int(days)).description
        guard case .timestamp(_, let hasZone) = type else { return day }
        let (seconds, fraction) = ((count % perDay + perDay) % perDay * unit).quotientAndRemainder(
            dividingBy: nanosecondsASecond)
        func padded(_ number: Int64, _ digits: Int) -> String {
            String(String(number + powerOfTen(digits)).dropFirst())
        }
        var text = "\(day) \(padded(seconds / 3600, 2)):\(padded(seconds / 60 % 60, 2)):\(padded(seconds % 60, 2))"
        if fraction > 0 {
            let digits = fraction % 1_000_000 == 0 ? 3 : fraction % 1_000 == 0 ? 6 : 9
            text += "." + padded(fraction / powerOfTen(9 - digits), digits)
        }
        return hasZone ? text + "+00:00" : text
    }

    /// The value as a number; nil where it is none.
    var number: Double? {
        switch self {
        case .signed(let value): Double(value)
        case .unsigned(let value): Double(value)
        case .float32(let value): value.isFinite ? Double("\(value)") : nil  // 4.1 is what people see, not 4.0999999.
        case .float64(let value): value.isFinite ? value : nil
        case .text(let bytes): parseNumber(bytes)
        case .null, .boolean, .time: nil
        }
    }

    /// The number where it is whole; nil where it is none that a floating-point type holds exactly.
    var wholeNumber: Int64? {
        let (value, limit): (Double, Double) =
            switch self {
            case .float32(let value): (Double(value), 0x1p24)
            case .float64(let value): (value, 0x1p53)
            default: (.nan, 0)
            }
        return value.magnitude < limit && value == value.rounded() ? Int64(value) : nil
    }
}
