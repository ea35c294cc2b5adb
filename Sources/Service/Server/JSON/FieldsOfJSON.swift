import Events
import Identifiers

extension JSONReader {
    /// An identifier.
    mutating func id() throws(Problem) -> RawID { RawID(try idText()) }

    /// The text of an identifier, a type or a category.
    mutating func idText() throws(Problem) -> String {
        let text = try string()
        if let refusal = IDRules.refusal(text) { throw problem(refusal) }
        return text
    }

    /// Up to `limit` identifiers.
    mutating func ids(limit: Int) throws(Problem) -> [RawID] {
        try array(limit: limit) { (reader) throws(Problem) in try reader.id() }
    }

    /// The names of categories.
    mutating func categories() throws(Problem) -> [String] {
        try array(limit: Limits.categories) { (reader) throws(Problem) in try reader.idText() }
    }

    /// A time: ISO 8601 with a zone, or seconds since 1970.
    mutating func time() throws(Problem) -> Timestamp {
        let time =
            switch try kind() {
            case .string: Timestamp(iso8601: try string())
            case .number: Timestamp(seconds: try number())
            default: Timestamp?.none
            }
        guard let time else { throw problem(Timestamp.expectation) }
        return time
    }
}

extension Timestamp {
    /// What is wrong with a time that is none.
    static let expectation = "must be a time with its zone, as in 2026-11-26T03:00:00Z, or seconds since 1970"
}

extension JSONWriter {
    /// A member with a string.
    mutating func member(_ key: StaticString, _ value: String) {
        self.key(key)
        string(value)
    }
    /// A member with an identifier.
    mutating func member(_ key: StaticString, _ value: RawID) { member(key, value.text) }
    /// A member with a time.
    mutating func member(_ key: StaticString, _ value: Timestamp) { member(key, value.iso8601) }
    /// A member with a whole number.
    mutating func member(_ key: StaticString, _ value: some FixedWidthInteger) {
        self.key(key)
        number(value)
    }
    /// A member with a number.
    mutating func member(_ key: StaticString, _ value: some BinaryFloatingPoint & LosslessStringConvertible) {
        self.key(key)
        number(value)
    }
    /// A member with true or false.
    mutating func member(_ key: StaticString, _ value: Bool) {
        self.key(key)
        boolean(value)
    }
}
