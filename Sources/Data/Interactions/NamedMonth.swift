extension TimeText {
    private static let months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
    private static let monthNames = [
        "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
        "december",
    ]
    private static let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    private static let dayNames = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]

    /// Reads dates whose month has an English name, whatever the order of their parts: `Tue Apr 03 18:00:06 +0000 2012`
    /// (Twitter, Foursquare), `Fri, 24 Jun 2022 21:20:11 +0200` (RFC 5322), `24-Jun-2022`, `June 24, 2022 9:20 PM`,
    /// `24/Jun/2022:21:20:11 +0200` (web servers). A year has four digits, so that nothing is left to guess.
    static func namedMonth(_ bytes: Bytes) -> TimeText? {
        var (time, cursor) = (TimeText(.namedMonth), TextCursor(bytes))
        while !cursor.isAtEnd {
            guard time.takeToken(&cursor) else { return nil }
        }
        return time.year > 0 && time.month > 0 && time.day > 0 ? time : nil
    }

    private mutating func takeToken(_ cursor: inout TextCursor) -> Bool {
        guard let next = cursor.next else { return true }
        switch next {
        case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: ","), UInt8(ascii: "/"):
            cursor.skip()
            return true
        case UInt8(ascii: "("):  // a comment, such as the zone's name, at the end
            while let next = cursor.next, next != UInt8(ascii: ")") { cursor.skip() }
            return cursor.take(")") && cursor.isAtEnd
        case UInt8(ascii: "+"): return takeOffsetOnce(&cursor)
        case UInt8(ascii: "-"):
            if spelling.hasTimeOfDay { return takeOffsetOnce(&cursor) }
            cursor.skip()
            return true
        case UInt8(ascii: ":"):
            guard year > 0, !spelling.hasTimeOfDay else { return false }
            cursor.skip()
            return true
        case 0x30...0x39: return takeNumberOrClock(&cursor)
        default: return takeName(&cursor)
        }
    }

    private mutating func takeOffsetOnce(_ cursor: inout TextCursor) -> Bool {
        spelling.hasTimeOfDay && !spelling.hasOffset && takeOffset(&cursor)
    }

    private mutating func takeNumberOrClock(_ cursor: inout TextCursor) -> Bool {
        var ahead = cursor
        guard let number = ahead.takeDigits(4) else { return false }
        switch number.count {
        case 4 where year == 0: year = number.value
        case 1, 2:
            if ahead.next == UInt8(ascii: ":") { return !spelling.hasTimeOfDay && takeClock(&cursor) }
            guard day == 0 else { return false }
            day = number.value
        default: return false
        }
        cursor = ahead
        return true
    }

    private mutating func takeName(_ cursor: inout TextCursor) -> Bool {
        var ahead = cursor
        let word = ahead.takeWord()
        if let index = Self.months.firstIndex(of: word) ?? Self.monthNames.firstIndex(of: word)
            ?? (word == "sept" ? 8 : nil)
        {
            guard month == 0 else { return false }
            month = index + 1
        } else if Self.days.contains(word) || Self.dayNames.contains(word) {
            guard month == 0, day == 0 else { return false }
        } else {
            return takeOffsetOnce(&cursor)
        }
        _ = ahead.take(".")
        cursor = ahead
        return true
    }
}
