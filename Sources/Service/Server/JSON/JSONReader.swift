import FileSupport
import HTTPTypes
import Identifiers

/// Reads one JSON document (RFC 8259) from front to back into what the caller asks for, and refuses all else: members that occur
/// twice, text that is not UTF-8, halves of surrogate pairs, values of another type. A refusal names the place: `events[2].timestamp`.
struct JSONReader {
    /// What a value is.
    enum Kind: String {
        case object = "an object"
        case array = "an array"
        case string = "a string"
        case number = "a number"
        case boolean = "true or false"
        case null = "null"
    }

    private enum Step {
        case member(String)
        case element(Int)
    }

    /// The deepest that values of ``any()`` may be nested.
    static let maximumDepth = 64

    /// The longest number, in bytes.
    private static let maximumDigits = 256

    private var scanner: JSONScanner<Problem>
    private var path: [Step] = []

    private init(_ bytes: UnsafeRawBufferPointer) { scanner = JSONScanner(bytes) }

    /// What `body` reads from a document, which must end there.
    static func read<Value>(
        _ bytes: [UInt8], _ body: (inout JSONReader) throws(Problem) -> Value
    ) throws(Problem) -> Value {
        try bytes.withUnsafeBufferPointer { (bytes) throws(Problem) in
            var reader = JSONReader(UnsafeRawBufferPointer(bytes))
            let value = try body(&reader)
            guard reader.scanner.next() == nil else { throw reader.scanner.expected("the end") }
            return value
        }
    }

    // MARK: Values

    /// What the next value is, as far as its first byte shows.
    mutating func kind() throws(Problem) -> Kind {
        switch scanner.next() {
        case UInt8(ascii: "{"): .object
        case UInt8(ascii: "["): .array
        case UInt8(ascii: "\""): .string
        case let byte? where byte == UInt8(ascii: "-") || (0x30...0x39).contains(byte): .number
        case UInt8(ascii: "t"), UInt8(ascii: "f"): .boolean
        case UInt8(ascii: "n"): .null
        default: throw scanner.expected("a value")
        }
    }

    /// An object; `member` is called for each key and reads its value.
    mutating func object(_ member: (String, inout JSONReader) throws(Problem) -> Void) throws(Problem) {
        try expect(.object)
        _ = scanner.take("{")
        var keys = Keys()
        while let bytes = try scanner.nextKey(isFirst: keys.isEmpty) {
            let key = try scanner.text(bytes)
            path.append(.member(key))
            guard keys.insert(key) else { throw problem("occurs twice") }
            try member(key, &self)
            path.removeLast()
        }
    }

    /// An array of up to `limit` values, each of which `element` reads. `name`: how a refusal calls it, where it is not the value of a
    /// key.
    mutating func array<Element>(
        limit: Int, name: String? = nil, _ element: (inout JSONReader) throws(Problem) -> Element
    ) throws(Problem) -> [Element] {
        try expect(.array)
        if let name { path.append(.member(name)) }
        _ = scanner.take("[")
        var elements: [Element] = []
        if !scanner.take("]") {
            repeat {
                guard elements.count < limit else { throw problem("more than \(limit)") }
                path.append(.element(elements.count))
                elements.append(try element(&self))
                path.removeLast()
            } while scanner.take(",")
            guard scanner.take("]") else { throw scanner.expected("a comma or the end of the array") }
        }
        if name != nil { path.removeLast() }
        return elements
    }

    /// A string.
    mutating func string() throws(Problem) -> String {
        try expect(.string)
        _ = scanner.take("\"")
        let bytes = try scanner.string()
        return try scanner.text(bytes)
    }

    /// true or false.
    mutating func boolean() throws(Problem) -> Bool {
        try expect(.boolean)
        if scanner.pass("true") { return true }
        guard scanner.pass("false") else { throw scanner.expected("a value") }
        return false
    }

    /// A number, as it is written.
    mutating func number() throws(Problem) -> String {
        try expect(.number)
        let number = try scanner.number { $0.count <= Self.maximumDigits && isJSONNumber($0) }
        return String(decoding: number, as: UTF8.self)
    }

    /// A number that a double holds.
    mutating func double() throws(Problem) -> Double {
        guard let value = Double(try number()), value.isFinite else { throw problem("is too large") }
        return value
    }

    /// A whole number of a range.
    mutating func integer(in range: ClosedRange<Int>) throws(Problem) -> Int {
        let text = try number()
        guard let value = Int(text) ?? Double(text).flatMap(Int.init(exactly:)), range.contains(value) else {
            throw problem("must be a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    /// Any value, as it is written. Nested at most ``maximumDepth`` deep.
    mutating func any() throws(Problem) -> String {
        _ = scanner.next()
        let start = scanner.position
        try skip(depth: 0)
        return String(decoding: scanner.written(from: start), as: UTF8.self)
    }

    /// Skips null; returns whether there was one.
    mutating func takeNull() -> Bool {
        _ = scanner.next()
        return scanner.pass("null")
    }

    /// Skips a value.
    private mutating func skip(depth: Int) throws(Problem) {
        guard depth < Self.maximumDepth else { throw problem("is nested too deep") }
        switch try kind() {
        case .object: try object { (_, reader) throws(Problem) in try reader.skip(depth: depth + 1) }
        case .array: _ = try array(limit: .max) { (reader) throws(Problem) in try reader.skip(depth: depth + 1) }
        case .string: _ = try string()
        case .number: _ = try number()
        case .boolean: _ = try boolean()
        case .null: guard takeNull() else { throw scanner.expected("a value") }
        }
    }

    // MARK: Refusals

    /// A refusal of the value that is being read, or of its member `key`.
    func problem(_ reason: String, at key: String? = nil) -> Problem {
        var field = ""
        for step in key.map({ path + [.member($0)] }) ?? path {
            switch step {
            case .member(let key): field += (field.isEmpty ? "" : ".") + Self.shortened(key)
            case .element(let index): field += "[\(index)]"
            }
        }
        return field.isEmpty ? Problem(.badRequest, "the body \(reason)") : Problem(field: field, reason)
    }
    /// The refusal of a member that nothing reads.
    func unknownField() -> Problem { problem("is not a field of this request") }

    private mutating func expect(_ expected: Kind) throws(Problem) {
        guard try kind() == expected else { throw problem("must be \(expected.rawValue)") }
    }

    private static func shortened(_ key: String) -> String { key.utf8.count > 64 ? key.prefix(64) + "…" : key }
}

extension Problem: JSONFailure {
    init(expected: String, atByte byte: Int) {
        self.init(.badRequest, "the body is not JSON: expected \(expected) at byte \(byte)")
    }
}

/// The keys of an object. Few are compared one by one, many by hash, so that an object of many keys costs no more than its length.
private struct Keys {
    private var few: [String] = []
    private var many: Set<RawID> = []

    var isEmpty: Bool { few.isEmpty }

    /// Remembers a key; returns whether it is new. Keys are compared byte by byte.
    mutating func insert(_ key: String) -> Bool {
        guard many.isEmpty else { return many.insert(RawID(key)).inserted }
        guard !few.contains(where: { $0.utf8.elementsEqual(key.utf8) }) else { return false }
        few.append(key)
        if few.count == 16 { many = Set(few.map { RawID($0) }) }
        return true
    }
}
