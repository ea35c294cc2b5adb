import Events
import Hummingbird
import Identifiers

/// The parameters of a request's query. A route takes those that it knows, then ``finish()`` refuses those that are left.
struct Query {
    private var parameters: [(name: String, value: String)] = []

    /// Decodes the parameters.
    init(_ request: Request) throws(Problem) {
        guard let query = request.uri.query else { return }
        for part in query.split(separator: "&") {
            let (name, value) = part.firstIndex(of: "=").map { (part[..<$0], part[$0...].dropFirst()) } ?? (part, "")
            guard let decoded = percentDecoded(name, plusIsSpace: true) else {
                throw Problem(field: String(name.prefix(64)), "is not percent-encoded UTF-8")
            }
            guard let value = percentDecoded(value, plusIsSpace: true) else {
                throw Problem(field: decoded, "is not percent-encoded UTF-8")
            }
            parameters.append((decoded, value))
        }
    }

    /// Whether there is such a parameter.
    func has(_ name: String) -> Bool { parameters.contains { $0.name == name } }

    /// All values of a parameter.
    mutating func all(_ name: String, limit: Int) throws(Problem) -> [String] {
        guard !parameters.isEmpty else { return [] }
        let values = parameters.filter { $0.name == name }.map(\.value)
        guard values.count <= limit else { throw Problem(field: name, "more than \(limit)") }
        if !values.isEmpty { parameters.removeAll { $0.name == name } }
        return values
    }

    /// The value of a parameter that may be given once.
    mutating func one(_ name: String) throws(Problem) -> String? {
        let values = try all(name, limit: .max)
        guard values.count < 2 else { throw Problem(field: name, "is given twice") }
        return values.first
    }

    /// A whole number.
    mutating func integer(_ name: String, in range: ClosedRange<Int>) throws(Problem) -> Int? {
        guard let text = try one(name) else { return nil }
        guard !text.hasPrefix("+"), let value = Int(text), range.contains(value) else {
            throw Problem(field: name, "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    /// true or false; false where it is not given.
    mutating func flag(_ name: String) throws(Problem) -> Bool {
        switch try one(name) {
        case nil, "false": false
        case "true": true
        default: throw Problem(field: name, "must be true or false")
        }
    }

    /// An identifier.
    mutating func id(_ name: String) throws(Problem) -> RawID? {
        guard let text = try one(name) else { return nil }
        if let refusal = IDRules.refusal(text) { throw Problem(field: name, refusal) }
        return RawID(text)
    }

    /// Refuses the parameters that the route did not take.
    func finish() throws(Problem) {
        guard let first = parameters.first else { return }
        throw Problem(field: String(first.name.prefix(64)), "is not a parameter of this request")
    }
}
