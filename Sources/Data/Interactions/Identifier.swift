import FileSupport
import Identifiers

/// An id in the form that is stored.
struct CheckedID {
    private let bytes: Bytes
    /// The composed form where it differs.
    let composed: [UInt8]?

    init(_ bytes: Bytes, _ what: String) throws(LineProblem) {
        self.bytes = bytes
        composed = try Identifier.check(bytes, what)
    }

    func add(to texts: inout PackedTexts) { withBytes { texts.append($0) } }

    func withBytes<Value>(_ body: (Bytes) -> Value) -> Value {
        if let composed { composed.withUnsafeBytes(body) } else { body(bytes) }
    }
}

/// Validates ids of users and items.
enum Identifier {
    /// Throws where bytes are no id: empty, a marker of a missing value, not UTF-8. Returns the composed form (NFC) where it
    /// differs.
    static func check(_ bytes: Bytes, _ what: String) throws(LineProblem) -> [UInt8]? {
        // The fast path: most ids are printable ASCII.
        guard let first = bytes.first, first > 0x20 && first < 0x7F || !trimmed(bytes).isEmpty else {
            throw LineProblem(reason: "the \(what) is empty", remedies: [.skipBadLines])
        }
        if isNullMark(bytes) {
            throw LineProblem(
                reason: "the \(what) is \(quoted(bytes)), which marks a missing value", remedies: [.skipBadLines])
        }
        if bytes.reduce(0, |) < 0x80 { return nil }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw LineProblem(reason: "the \(what) \(quoted(bytes)) is not UTF-8")
        }
        return composed(text)
    }

    /// Markers of missing values in R, pandas, SQL, MySQL, Python, Ruby, spreadsheets and JavaScript in upper and
    /// lower case.
    private static let nullMarks = Set(
        ["na", "n/a", "#n/a", "<na>", "nan", "null", "(null)", "<null>", "none", "nil", "\\n", "undefined"])

    static func isNullMark(_ bytes: Bytes) -> Bool {
        guard bytes.count <= 9, let first = bytes.first else { return false }
        switch first {
        case 0x4E, 0x6E, 0x23, 0x3C, 0x28, 0x5C, 0x55, 0x75:
            return nullMarks.contains(String(decoding: bytes, as: UTF8.self).lowercased())
        default: return false
        }
    }
}
