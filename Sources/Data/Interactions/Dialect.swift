/// The delimiter between the fields of a line.
public enum Delimiter: Sendable, Equatable, CustomStringConvertible {
    /// One or more bytes.
    case text([UInt8])
    /// Runs of spaces and tabs.
    case blanks

    /// `tab`, `\t`, `comma`, `semicolon`, `pipe`, `space` (runs of blanks), or the characters themselves. nil if there are
    /// none, or a line end or a quote is among them.
    public init?(_ text: String) {
        switch text.lowercased() {
        case "tab", "\\t": self = .tab
        case "comma": self = .comma
        case "semicolon": self = .semicolon
        case "pipe", "bar": self = .bar
        case "space", "blank", "blanks", " ": self = .blanks
        default:
            guard !text.isEmpty, !text.utf8.contains(where: { [0x0A, 0x0D, 0x22].contains($0) }) else { return nil }
            self = .text(Array(text.utf8))
        }
    }

    /// `,`
    public static let comma = Delimiter.text([0x2C])
    /// `;`
    public static let semicolon = Delimiter.text([0x3B])
    /// A tab.
    public static let tab = Delimiter.text([0x09])
    /// `|`
    public static let bar = Delimiter.text([0x7C])
    /// `::`
    public static let doubleColon = Delimiter.text([0x3A, 0x3A])

    /// A word for messages.
    public var description: String {
        switch self {
        case .comma: "comma"
        case .semicolon: "semicolon"
        case .tab: "tab"
        case .bar: "|"
        case .blanks: "blanks"
        case .text(let bytes): "'" + String(decoding: bytes, as: UTF8.self) + "'"
        }
    }
}

/// How a table's lines are split into fields.
public struct TableDialect: Sendable, Equatable {
    /// The delimiter between fields.
    public var delimiter: Delimiter
    /// Whether fields may be in double quotes, as in RFC 4180: with delimiters, line ends and doubled quotes inside.
    public var isQuoted: Bool
    /// Whether the first line names the columns.
    public var hasHeader: Bool
}
