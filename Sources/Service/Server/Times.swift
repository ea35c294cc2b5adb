package import Events
import FileSupport
package import Foundation
import Interactions

extension Timestamp {
    /// The moment of a date, to the microsecond.
    package init(_ date: Date) { self.init(microseconds: Int64((date.timeIntervalSince1970 * 1_000_000).rounded())) }

    /// The years 1 to 9999. RFC 3339 also has a year 0, which many clients cannot read.
    static let range =
        Timestamp(microseconds: -62_135_596_800_000_000)...Timestamp(microseconds: 253_402_300_799_999_999)

    /// As in `2026-11-26T03:00:00.123456Z`, with as many digits of the second's fraction as there are. Only for times of ``range``.
    package var iso8601: String {
        let seconds = microseconds.flooredQuotient(1_000_000)
        let day = CivilDay(daysSinceEpoch: Int(seconds.flooredQuotient(86_400)))
        let second = Int(seconds - Int64(day.daysSinceEpoch) * 86_400)
        return String(unsafeUninitializedCapacity: 27) { text in
            var end = 0
            func write(_ number: Int, _ digits: Int, _ after: Unicode.Scalar) {
                var rest = number
                for place in (end..<end + digits).reversed() {
                    text[place] = 0x30 + UInt8(rest % 10)
                    rest /= 10
                }
                text[end + digits] = UInt8(ascii: after)
                end += digits + 1
            }
            write(day.year, 4, "-")
            write(day.month, 2, "-")
            write(day.day, 2, "T")
            write(second / 3600, 2, ":")
            write(second / 60 % 60, 2, ":")
            write(second % 60, 2, ".")
            write(Int(microseconds - seconds * 1_000_000), 6, "Z")
            end -= 1
            while text[end - 1] == UInt8(ascii: "0") { end -= 1 }
            if text[end - 1] == UInt8(ascii: ".") { end -= 1 }
            text[end] = UInt8(ascii: "Z")
            return end + 1
        }
    }

    /// The time of `2026-11-26T03:00:00.5+01:00` (RFC 3339; seconds may be left out). Digits beyond microseconds are cut off. Nil for any
    /// other text and for times out of ``range``.
    package init?(iso8601 text: String) {
        var cursor = TimeCursor(text)
        guard let year = cursor.digits(4), cursor.take("-"), let month = cursor.digits(2), cursor.take("-"),
            let day = cursor.digits(2).flatMap({ CivilDay(year: year, month: month, day: $0) }),
            cursor.take("T") || cursor.take("t") || cursor.take(" "),
            let hour = cursor.digits(2), hour < 24, cursor.take(":"), let minute = cursor.digits(2), minute < 60
        else { return nil }
        var (second, fraction) = (0, 0)
        if cursor.take(":") {
            guard let given = cursor.digits(2), given <= 60 else { return nil }
            second = given
            if cursor.take(".") {
                guard let given = cursor.fraction(6) else { return nil }
                fraction = given
            }
        }
        guard let offset = cursor.offset(), cursor.isAtEnd else { return nil }
        let seconds = day.daysSinceEpoch * 86_400 + hour * 3600 + minute * 60 + second - offset
        self.init(microseconds: Int64(seconds) * 1_000_000 + Int64(fraction))
        guard Self.range.contains(self) else { return nil }
    }

    /// The time so many seconds after the beginning of 1970, given as a number is written in JSON. Digits beyond microseconds are cut off. Nil for
    /// any other text and for times out of ``range``.
    package init?(seconds text: String) {
        guard isJSONNumber(text.utf8) else { return nil }
        let parts = text.split(separator: ".", maxSplits: 1)
        if let whole = Int64(parts[0]), text.utf8.count <= 40, !text.utf8.contains(where: { $0 | 0x20 == 0x65 }) {
            var cursor = TimeCursor(parts.count > 1 ? String(parts[1]) : "0")
            guard let fraction = cursor.fraction(6), (-100_000_000_000...300_000_000_000).contains(whole) else {
                return nil
            }
            let signed = text.hasPrefix("-") ? -Int64(fraction) : Int64(fraction)
            self.init(microseconds: whole * 1_000_000 + signed)
        } else {
            guard let value = Double(text), value.magnitude < 300_000_000_000 else { return nil }
            self.init(microseconds: Int64((value * 1_000_000).rounded(.down)))
        }
        guard Self.range.contains(self) else { return nil }
    }
}

/// A cursor over the text of a time.
private struct TimeCursor {
    private let bytes: [UInt8]
    private var position = 0

    init(_ text: String) { bytes = Array(text.utf8) }

    var isAtEnd: Bool { position == bytes.count }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    /// A number of exactly `count` digits.
    mutating func digits(_ count: Int) -> Int? {
        var value = 0
        for _ in 0..<count {
            guard let digit = digit() else { return nil }
            value = 10 * value + digit
        }
        return value
    }

    /// The digits after a point, as a number of `count` digits; more are cut off. Nil where there is none.
    mutating func fraction(_ count: Int) -> Int? {
        guard var value = digit() else { return nil }
        var read = 1
        while let digit = digit() {
            if read < count {
                value = 10 * value + digit
                read += 1
            }
        }
        for _ in read..<count { value *= 10 }
        return value
    }

    /// `Z`, `+01:00`, `+0100` or `+01`, in seconds ahead of UTC.
    mutating func offset() -> Int? {
        if take("Z") || take("z") { return 0 }
        let sign = take("+") ? 1 : take("-") ? -1 : 0
        guard sign != 0, let hours = digits(2), hours < 24 else { return nil }
        guard take(":") || !isAtEnd else { return sign * hours * 3600 }
        guard let minutes = digits(2), minutes < 60 else { return nil }
        return sign * (hours * 3600 + minutes * 60)
    }

    private mutating func digit() -> Int? {
        guard position < bytes.count, (0x30...0x39).contains(bytes[position]) else { return nil }
        position += 1
        return Int(bytes[position - 1] - 0x30)
    }
}
