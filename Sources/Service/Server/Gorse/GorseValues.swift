import Events
import Hummingbird

// Values as Gorse, a program in Go, reads and writes them.

extension JSONReader {
    /// An object as Go reads it: names of members in any case, null leaves what is there, and unknown members are passed over. `member` gets a
    /// name in lower case, reads the value, and returns whether it knows the name.
    mutating func goObject(_ member: (String, inout JSONReader) throws(Problem) -> Bool) throws(Problem) {
        try object { (key, reader) throws(Problem) in
            if try reader.kind() == .null {
                _ = try reader.any()
            } else if try !member(key.lowercased(), &reader) {
                _ = try reader.any()
            }
        }
    }

    /// A time; nil for no text and for Go's zero time, both of which say that there is none.
    mutating func goTime() throws(Problem) -> Timestamp? {
        let text = try string()
        guard !text.isEmpty else { return nil }
        guard let time = Timestamp(gorse: text) else {
            throw problem("must be a time, as in 2026-11-26T03:00:00Z (UTC where it has no zone)")
        }
        return time == .goZero ? nil : time
    }
}

extension Timestamp {
    /// Go's time that stands for none.
    static let goZero = Timestamp(iso8601: "0001-01-01T00:00:00Z")!

    /// A time in one of the usual forms of ISO 8601, also without a time of day or a zone (then it is UTC), or since 1970 in seconds, milli-, micro- or
    /// nanoseconds, told by the number of digits.
    init?(gorse text: String) {
        if let number = Int64(text), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            switch text.utf8.count {
            case 10: self.init(microseconds: number * 1_000_000)
            case 13: self.init(microseconds: number * 1000)
            case 16: self.init(microseconds: number)
            case 19: self.init(microseconds: number / 1000)
            default: return nil
            }
            return
        }
        var usual = text.replacing("/", with: "-").replacing(" +", with: "+")
        if usual.hasSuffix(" UTC") { usual.removeLast(4) }
        let readings = [usual, usual + "Z", usual + "T00:00:00Z"]
        guard let time = readings.lazy.compactMap({ Timestamp(iso8601: $0) }).first else { return nil }
        self = time
    }
}

extension JSONWriter {
    /// A member with a time, which may not be there.
    mutating func member(_ key: StaticString, goTime time: Timestamp?) { member(key, time ?? .goZero) }

    /// A member that is JSON already; null where it is not there.
    mutating func member(_ key: StaticString, json: String?) {
        self.key(key)
        literal(json ?? "null")
    }
}

/// A length of time as Go writes it: `1h30m`, `1.5s`, `-300ms`.
struct GoDuration {
    let seconds: Double

    /// Nil for any other text.
    init?(_ text: String) {
        var (rest, total) = (text[...], 0.0)
        let isNegative = rest.first == "-"
        if isNegative || rest.first == "+" { rest.removeFirst() }
        guard !rest.isEmpty else { return nil }
        guard rest != "0" else {
            seconds = 0
            return
        }
        while !rest.isEmpty {
            let digits = rest.prefix { ("0"..."9").contains($0) || $0 == "." }
            let unit = rest.dropFirst(digits.count).prefix { !("0"..."9").contains($0) && $0 != "." }
            guard let number = Double(digits), let length = Self.units[String(unit)] else { return nil }
            total += number * length
            rest.removeFirst(digits.count + unit.count)
        }
        seconds = isNegative ? -total : total
    }

    private static let units = ["ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600]
}

extension Query {
    /// A parameter; an empty one is none.
    mutating func goOne(_ name: String) throws(Problem) -> String? {
        let text = try one(name)
        return text == "" ? nil : text
    }

    /// A whole number; an empty one is none.
    mutating func goInteger(_ name: String, in range: ClosedRange<Int>) throws(Problem) -> Int? {
        guard let text = try goOne(name) else { return nil }
        guard let number = Int(text), range.contains(number) else {
            throw Problem(field: name, "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// The number of rows of a page, and what its cursor means.
    mutating func goPage<Place>(_ place: (String) -> Place?) throws(Problem) -> (count: Int, after: Place?) {
        let count = try goInteger("n", in: 1...GorseLimits.count) ?? GorseLimits.defaultCount
        guard let cursor = try goOne("cursor") else { return (count, nil) }
        guard let after = place(cursor) else { throw Problem(field: "cursor", "is not a cursor of this list") }
        return (count, after)
    }
}

/// Bounds of what Gorse's clients may ask for.
enum GorseLimits {
    /// Where `n` is not given.
    static let defaultCount = 10
    /// Rows or recommendations of a reply, and of `offset`.
    static let count = 10_000
}
